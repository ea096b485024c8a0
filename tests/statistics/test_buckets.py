"""Buckets by the calendar of a zone, against a walk through every quarter of an hour."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import AppError, ErrorCode, LimitExceeded, ValidationError
from app.statistics.buckets import between, bounds, zone_of
from app.statistics.values import MOST_BUCKETS, UsageBucket

ZONES = [
    "UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kolkata", "Pacific/Chatham", "America/Havana", "Asia/Gaza",
    "Australia/Lord_Howe", "America/Nuuk", "Pacific/Apia",
]  # fmt: skip
"""With clocks that leave out midnight, show it twice, go forward by half an hour, and have left out a day."""

QUARTER = timedelta(minutes=15)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def label(moment: datetime, bucket: UsageBucket, zone: ZoneInfo) -> object:
    """What the zone's calendar calls the bucket that a moment is in."""
    here = moment.astimezone(zone)
    match bucket:
        case UsageBucket.HOUR:
            # Sixty minutes that begin where the clock shows a full one: an hour that is shown twice is two.
            past = (here.utcoffset() or timedelta()) % timedelta(hours=1)
            return past, (moment + past - EPOCH) // timedelta(hours=1)
        case UsageBucket.DAY:
            return here.date()
        case UsageBucket.WEEK:
            return here.isocalendar()[:2]
        case UsageBucket.MONTH:
            return here.year, here.month


def walked(start: datetime, end: datetime, bucket: UsageBucket, zone: ZoneInfo) -> list[datetime]:
    """The moments at which the calendar's name of the bucket changes, looked at every quarter of an hour."""
    found, last = [start], label(start, bucket, zone)
    moment = start.replace(minute=start.minute // 15 * 15, second=0, microsecond=0) + QUARTER
    while moment < end:
        now = label(moment, bucket, zone)
        if now != last:
            found.append(moment)
        moment, last = moment + QUARTER, now
    return [*found, end]


LONGEST = {
    UsageBucket.HOUR: timedelta(days=4), UsageBucket.DAY: timedelta(days=20), UsageBucket.WEEK: timedelta(days=60),
    UsageBucket.MONTH: timedelta(days=120),
}  # fmt: skip

NOTABLE = [
    ("Europe/Berlin", datetime(2026, 3, 28, 20, tzinfo=UTC)), ("Europe/Berlin", datetime(2026, 10, 24, tzinfo=UTC)),
    ("America/Sao_Paulo", datetime(2018, 11, 3, tzinfo=UTC)), ("America/Sao_Paulo", datetime(2018, 2, 17, tzinfo=UTC)),
    ("Pacific/Chatham", datetime(2026, 4, 4, tzinfo=UTC)), ("Pacific/Chatham", datetime(2026, 9, 25, tzinfo=UTC)),
    ("America/Havana", datetime(2026, 10, 31, tzinfo=UTC)), ("Australia/Lord_Howe", datetime(2026, 4, 3, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 28, tzinfo=UTC)), ("Asia/Kolkata", datetime(2026, 1, 1, tzinfo=UTC)),
]  # fmt: skip

starts = st.datetimes(datetime(2010, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(
    place=st.tuples(st.sampled_from(ZONES), starts) | st.sampled_from(NOTABLE),
    bucket=st.sampled_from(UsageBucket),
    part=st.floats(0.001, 1),
)
def test_buckets_change_where_the_calendar_does(place: tuple[str, datetime], bucket: UsageBucket, part: float) -> None:
    name, start = place
    end = start + LONGEST[bucket] * part

    found = bounds(start, end, bucket, zone_of(name))

    assert found == walked(start, end, bucket, ZoneInfo(name))


@pytest.mark.parametrize(("name", "start"), NOTABLE)
@pytest.mark.parametrize("bucket", UsageBucket)
def test_days_on_which_clocks_change(name: str, start: datetime, bucket: UsageBucket) -> None:
    end = start + timedelta(days=5)

    assert bounds(start, end, bucket, zone_of(name)) == walked(start, end, bucket, ZoneInfo(name))


@pytest.mark.parametrize(
    ("name", "first", "hours"),
    [
        ("Europe/Berlin", datetime(2026, 3, 28, 23, tzinfo=UTC), 23),
        ("Europe/Berlin", datetime(2026, 10, 24, 22, tzinfo=UTC), 25),
        ("America/Sao_Paulo", datetime(2018, 11, 4, 3, tzinfo=UTC), 23),
        ("America/Sao_Paulo", datetime(2018, 2, 17, 2, tzinfo=UTC), 25),
        ("Asia/Kolkata", datetime(2026, 3, 28, 18, 30, tzinfo=UTC), 24),
        ("Pacific/Chatham", datetime(2026, 4, 4, 10, 15, tzinfo=UTC), 25),
    ],
)
def test_days_have_23_to_25_hours(name: str, first: datetime, hours: int) -> None:
    days = bounds(first, first + timedelta(days=2), UsageBucket.DAY, zone_of(name))
    its_hours = bounds(first, days[1], UsageBucket.HOUR, zone_of(name))

    assert days[1] - days[0] == timedelta(hours=hours)
    assert len(between(its_hours)) == hours
    assert {later - earlier for earlier, later in pairwise(its_hours)} == {timedelta(hours=1)}


def test_first_and_last_bucket_are_cut_to_the_range() -> None:
    start, end = datetime(2026, 5, 1, 12, 34, 56, tzinfo=UTC), datetime(2026, 5, 3, 1, tzinfo=UTC)

    assert between(bounds(start, end, UsageBucket.DAY, zone_of("UTC"))) == [
        (start, datetime(2026, 5, 2, tzinfo=UTC)),
        (datetime(2026, 5, 2, tzinfo=UTC), datetime(2026, 5, 3, tzinfo=UTC)),
        (datetime(2026, 5, 3, tzinfo=UTC), end),
    ]


@pytest.mark.parametrize(
    "name",
    [
        "", "Europe", "Europe/Atlantis", "europe/berlin/", "/etc/passwd", "../../etc/passwd", "Europe/../UTC", "CEST+",
        "localtime", "posixrules", "Factory", "zone.tab", "tzdata.zi", "Europe/Berlin\n", "a" * 500, "Ünited/Kingdom",
    ],
)  # fmt: skip
def test_unknown_zones_are_refused_by_the_name_of_the_argument(name: str) -> None:
    with pytest.raises(ValidationError) as refused:
        zone_of(name)

    assert (refused.value.field, refused.value.code) == ("timeZone", ErrorCode.VALIDATION_ERROR)
    assert refused.value.hint


@pytest.mark.parametrize(
    ("start", "end", "bucket", "field", "code"),
    [
        ("2026-01-02", "2026-01-01", "DAY", "to", ErrorCode.VALIDATION_ERROR),
        ("2026-01-01", "2026-01-01", "DAY", "to", ErrorCode.VALIDATION_ERROR),
        ("0001-01-01", "2026-01-01", "MONTH", "from", ErrorCode.VALIDATION_ERROR),
        ("2026-01-01", "9999-12-31", "MONTH", "to", ErrorCode.VALIDATION_ERROR),
        ("2026-01-01", "2026-02-12", "HOUR", "bucket", ErrorCode.LIMIT_EXCEEDED),
        ("2000-01-01", "2199-01-01", "HOUR", "bucket", ErrorCode.LIMIT_EXCEEDED),
    ],
)
def test_ranges_that_cannot_be_drawn_are_refused(
    start: str, end: str, bucket: str, field: str, code: ErrorCode
) -> None:
    moments = [datetime.fromisoformat(f"{day}T00:00:00+00:00") for day in (start, end)]

    with pytest.raises(AppError) as refused:
        bounds(moments[0], moments[1], UsageBucket[bucket], zone_of("UTC"))

    assert (refused.value.field, refused.value.code) == (field, code)
    assert refused.value.hint


def test_as_many_buckets_as_there_may_be_are_given() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    most = start + timedelta(hours=MOST_BUCKETS)

    assert len(between(bounds(start, most, UsageBucket.HOUR, zone_of("UTC")))) == MOST_BUCKETS
    with pytest.raises(LimitExceeded):
        bounds(start, most + timedelta(seconds=1), UsageBucket.HOUR, zone_of("UTC"))
