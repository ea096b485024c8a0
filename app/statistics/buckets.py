"""Buckets of time by the calendar of a time zone: days there have 23 to 25 hours, and months 28 to 31 days."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from app.core.errors import ValidationError
from app.statistics.errors import EmptyRange, TooManyBuckets, UnknownTimeZone
from app.statistics.values import MOST_BUCKETS, UsageBucket

_ZONE_NAME = re.compile(r"[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,2}")
"""Nothing that leads out of the database of time zones."""

_THIS_MACHINE = frozenset({"localtime", "posixrules", "Factory"})
"""Files beside the time zones that are none."""

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""Far around all that was ever used, and away from where the calendar ends."""


def zone_of(name: str) -> ZoneInfo:
    """The time zone of an IANA name; UnknownTimeZone."""
    if not _ZONE_NAME.fullmatch(name) or name in _THIS_MACHINE:
        raise UnknownTimeZone
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        # A folder (`Europe`), a file that is no time zone, or none at all.
        raise UnknownTimeZone from None


def bounds(start: datetime, end: datetime, bucket: UsageBucket, zone: ZoneInfo) -> list[datetime]:
    """The moments at which a bucket begins, and `end`: from `start` to `end` without a gap, in UTC, rising.

    The first bucket begins at `start` and the last ends at `end`, wherever the calendar's would; all between are whole.
    ValidationError, EmptyRange, TooManyBuckets.
    """
    require_moments(start, end)
    if start >= end:
        raise EmptyRange
    found = [start]
    for moment in _hours(start, zone) if bucket is UsageBucket.HOUR else _dates(start, bucket, zone):
        if moment >= end:
            break
        # A day that a zone has left out (Samoa's 30 December 2011) begins where the next one does.
        if moment > found[-1]:
            found.append(moment)
        if len(found) > MOST_BUCKETS:
            raise TooManyBuckets
    return [*found, end]


def require_moments(start: datetime | None, end: datetime | None) -> None:
    """Raise ValidationError where one of those that are given is not of this age."""
    for name, moment in (("from", start), ("to", end)):
        if moment is not None and not _EARLIEST <= moment <= _LATEST:
            raise ValidationError(
                f"{name} must be between the years {_EARLIEST.year} and {_LATEST.year}", field=name, hint="correct it"
            )


def between(moments: list[datetime]) -> list[tuple[datetime, datetime]]:
    """Start and end of each bucket between two of the moments."""
    return list(pairwise(moments))


def _hours(start: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """The full hours by the zone's clock after `start`.

    Counted in UTC: the hour that a clock shows twice in autumn is two, and that it leaves out in spring is none.
    """
    moment = start
    while True:
        here = moment.astimezone(zone)
        into = timedelta(minutes=here.minute, seconds=here.second, microseconds=here.microsecond)
        moment += timedelta(hours=1) - into
        yield moment


def _dates(start: datetime, bucket: UsageBucket, zone: ZoneInfo) -> Iterator[datetime]:
    """Where the days, weeks or months of the zone after that of `start` begin."""
    day = start.astimezone(zone).date()
    while True:
        day = _next(day, bucket)
        # Midnight, the first of two. Where the clock leaves midnight out, this is the moment at which it does.
        yield datetime.combine(day, time(), zone).astimezone(UTC)


def _next(day: date, bucket: UsageBucket) -> date:
    match bucket:
        case UsageBucket.WEEK:
            return day + timedelta(days=7 - day.weekday())
        case UsageBucket.MONTH:
            return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        case _:
            return day + timedelta(days=1)
