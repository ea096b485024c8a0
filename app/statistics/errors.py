"""What can be wrong with a question for statistics."""

from app.core.errors import LimitExceeded, ValidationError
from app.statistics.values import MOST_BUCKETS, MOST_HOURS, MOST_POINTS


class UnknownTimeZone(ValidationError):
    """No time zone has this name."""

    def __init__(self) -> None:
        super().__init__(
            "timeZone names no time zone", field="timeZone", hint="use a name of the IANA database: Europe/Berlin"
        )


class EmptyRange(ValidationError):
    """A range that ends where it begins, or before."""

    def __init__(self) -> None:
        super().__init__("`to` must be later than `from`", field="to", hint="exchange them, or move `to`")


class RangeTooLong(LimitExceeded):
    """More time than messages are counted of at once."""

    def __init__(self) -> None:
        super().__init__(
            f"from `from` to `to` there are more than {MOST_HOURS:,} hours", field="from", hint="take a shorter range"
        )


class TooManyBuckets(LimitExceeded):
    """More buckets than a series has."""

    def __init__(self) -> None:
        super().__init__(
            f"from `from` to `to` there are more than {MOST_BUCKETS:,} buckets of this length",
            field="bucket",
            hint="take a longer bucket, or a shorter range",
        )


class TooManyPoints(LimitExceeded):
    """More points, over all keys, than a series has."""

    def __init__(self, keys: int, buckets: int) -> None:
        super().__init__(
            f"{keys:,} keys in {buckets:,} buckets are more than {MOST_POINTS:,} points",
            field="groupBy",
            hint="take a longer bucket, a shorter range, or group by less, or by NONE",
        )
