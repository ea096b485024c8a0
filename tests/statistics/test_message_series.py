"""What was stored over time is what the messages say, told apart by the calendar of a zone."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.actor import Actor
from app.core.ids import split_global_id
from app.db.database import Database
from app.graph.loading import Loaders
from app.statistics import service
from app.statistics.service import WantedSeries
from app.statistics.values import MessageGrouping, MessagePoint, UsageBucket
from tests.client import GraphQLClient
from tests.conftest import an_actor, execute
from tests.conversations import new_session
from tests.fakes import StatementRecorder
from tests.statistics.test_buckets import NOTABLE, label
from tests.statistics.written import Written, write, writings
from tests.worlds import ClientAs

GROUPED = [MessageGrouping.MODEL, MessageGrouping.ROLE, MessageGrouping.INTENT]


def key_of(each: Written, grouping: MessageGrouping) -> str | None:
    """What a message counts under."""
    match grouping:
        case MessageGrouping.NONE:
            return None
        case MessageGrouping.MODEL:
            return each.model
        case MessageGrouping.ROLE:
            return each.role.upper()
        case MessageGrouping.INTENT:
            return each.intent


def nearest_rank(numbers: list[int], part: float) -> int | None:
    """The least of the numbers that at least this part of them do not exceed."""
    return sorted(numbers)[max(math.ceil(part * len(numbers)), 1) - 1] if numbers else None


def counted(start: datetime, end: datetime, key: str | None, written: list[Written]) -> MessagePoint:
    """The point that these make."""
    took = [each.took_ms for each in written if each.took_ms is not None]
    return MessagePoint(
        start,
        end,
        key,
        messages=len(written),
        failed_messages=sum(each.failed for each in written),
        tokens=sum(each.tokens for each in written),
        processing_time_p50_ms=nearest_rank(took, 0.5),
        processing_time_p95_ms=nearest_rank(took, 0.95),
    )


# The example database and random seeds are left out: a failure is the same for everybody.
@settings(
    max_examples=40, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(
    place=st.sampled_from(NOTABLE),
    bucket=st.sampled_from(UsageBucket),
    grouping=st.sampled_from(MessageGrouping),
    written=writings,
    minutes=st.integers(1, 8_000),
    of_one=st.booleans(),
)
async def test_series_equals_a_recomputation_from_the_messages(
    database: Database,
    actor: Actor,
    dsn: str,
    place: tuple[str, datetime],
    bucket: UsageBucket,
    grouping: MessageGrouping,
    written: list[Written],
    minutes: int,
    of_one: bool,
) -> None:
    name, start = place
    end, zone = start + timedelta(minutes=minutes), ZoneInfo(name)
    await execute(dsn, "TRUNCATE chat_sessions CASCADE")
    sessions = [await new_session(database, who) for who in (actor, actor, an_actor("bob"))]
    await write(dsn, start, written, list(sessions))

    wanted = WantedSeries(start, end, bucket, grouping, name, sessions[0] if of_one else None)
    found = await service.message_series(Loaders(database, actor), wanted)

    mine = [each for each in written if each.session in ([0] if of_one else [0, 1])]
    inside = [each for each in mine if 0 <= each.after_minutes < minutes]
    if grouping is not MessageGrouping.NONE:
        inside = [each for each in inside if key_of(each, grouping) is not None]
    by_bucket: dict[tuple[object, str | None], list[Written]] = {}
    for each in inside:
        moment = start + timedelta(minutes=each.after_minutes)
        by_bucket.setdefault((label(moment, bucket, zone), key_of(each, grouping)), []).append(each)
    assert found is not None
    expected = [
        counted(point.start, point.end, point.key, by_bucket.pop((label(point.start, bucket, zone), point.key), []))
        for point in found
    ]
    assert found == expected
    assert by_bucket == {}


START = datetime(2026, 5, 1, tzinfo=UTC)
QUESTION = Written(0, 60, "user", None, "QUESTION", "completed", None, 5, None)
ANSWER = Written(0, 61, "assistant", "echo", None, "completed", None, 7, 40)
FAILURE = Written(0, 60 * 30, "assistant", "odd", None, "failed", "E1", 0, 90)

ASKED = """query ($from: DateTime!, $to: DateTime!, $bucket: UsageBucket!, $by: MessageGrouping! = NONE, $of: ID) {
    messageSeries(from: $from, to: $to, bucket: $bucket, groupBy: $by, sessionId: $of) {
        key messages failedMessages tokens processingTimeP50Ms processingTimeP95Ms
    }
}"""


async def series(client: GraphQLClient, **variables: Any) -> Any:
    """Of the first two days of May."""
    range_ = {"from": "2026-05-01T00:00:00Z", "to": "2026-05-03T00:00:00Z", "bucket": "DAY"}
    return (await client.data(ASKED, {**range_, **variables}))["messageSeries"]


def row_of(session: str) -> UUID:
    """The id in a global id."""
    return UUID(split_global_id(session)[1])


async def test_times_are_null_where_nobody_reported_any(client: GraphQLClient, dsn: str) -> None:
    session = await client.create_session()
    await write(dsn, START, [QUESTION, ANSWER, FAILURE], [row_of(session)])

    assert await series(client, by="ROLE") == [
        point("ASSISTANT", 1, 0, "7", 40), point("USER", 1, 0, "5", None),
        point("ASSISTANT", 1, 1, "0", 90), point("USER", 0, 0, "0", None),
    ]  # fmt: skip
    assert [found["messages"] for found in await series(client)] == [2, 1]


def point(key: str, messages: int, failed: int, tokens: str, took: int | None) -> dict[str, Any]:
    """As it is answered, of one time at most."""
    return {
        "key": key, "messages": messages, "failedMessages": failed, "tokens": tokens, "processingTimeP50Ms": took,
        "processingTimeP95Ms": took,
    }  # fmt: skip


async def test_series_is_ones_own_or_of_a_session_one_may_read(client_as: ClientAs, dsn: str) -> None:
    bob = await client_as("bob")
    first, second = await bob.create_session(), await bob.create_session()
    await write(dsn, START, [QUESTION], [row_of(first)])
    await write(dsn, START, [QUESTION, ANSWER], [row_of(second)])

    def stored(points: list[dict[str, Any]]) -> int:
        return sum(found["messages"] for found in points)

    assert stored(await series(bob)) == 3
    assert stored(await series(bob, of=second)) == 2
    assert stored(await series(await client_as("system"), of=second)) == 2
    assert stored(await series(await client_as("alice"))) == 0
    assert await series(await client_as("alice"), of=second) is None
    assert await series(await client_as("bob@acme"), of=second) is None


async def test_series_is_one_statement_whatever_its_length(
    client: GraphQLClient, dsn: str, statements: StatementRecorder
) -> None:
    await write(dsn, START, [QUESTION, ANSWER], [row_of(await client.create_session())])

    statements.clear()
    short = await series(client, by="ROLE")
    first = len(statements.sent)
    long = await series(client, by="ROLE", bucket="HOUR", to="2026-06-01T00:00:00Z")

    assert (first, len(statements.sent)) == (1, 2)
    assert (len(short), len(long)) == (4, 2 * 31 * 24)


@pytest.mark.parametrize(
    ("range_", "code", "field"),
    [
        ({"to": "2026-05-01T00:00:00Z"}, "VALIDATION_ERROR", "to"),
        ({"from": "2025-01-01T00:00:00Z"}, "LIMIT_EXCEEDED", "from"),
        ({"from": "2026-01-01T00:00:00Z", "bucket": "HOUR"}, "LIMIT_EXCEEDED", "bucket"),
    ],
)
async def test_refusals_name_what_to_mend(client: GraphQLClient, range_: Any, code: str, field: str) -> None:
    asked = {"from": "2026-05-01T00:00:00Z", "to": "2026-05-03T00:00:00Z", "bucket": "DAY", **range_}

    (error,) = (await client.answer(ASKED, asked))["errors"]

    assert (error["extensions"]["code"], error["extensions"]["field"]) == (code, field)
    assert error["extensions"]["hint"]
