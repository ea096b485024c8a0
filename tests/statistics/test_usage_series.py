"""What runs used over time is what the ledger says, told apart by the calendar of a zone."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.actor import Actor
from app.core.errors import LimitExceeded
from app.core.ids import split_global_id
from app.db.database import Database
from app.graph.loading import Loaders
from app.statistics import service
from app.statistics.service import WantedSeries
from app.statistics.values import MOST_POINTS, UsageBucket, UsageGrouping, UsagePoint
from tests.client import GraphQLClient
from tests.conftest import execute
from tests.fakes import StatementRecorder
from tests.statistics.test_buckets import NOTABLE, label
from tests.worlds import ClientAs

KINDS = ("input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")


@dataclass(frozen=True, slots=True)
class Spent:
    """A run that ended so long after the beginning of the range."""

    after_minutes: int
    model: str
    status: str
    tokens: tuple[int, ...]
    cost: Decimal | None
    estimated: bool


spendings = st.lists(
    st.builds(
        Spent,
        st.integers(-600, 9_000),
        st.sampled_from(["local:echo", "openai:a", "openai:b", "odd"]),
        st.sampled_from(["completed", "failed", "cancelled", "interrupted"]),
        st.tuples(*[st.integers(0, 10**12)] * 5),
        st.none() | st.decimals(0, 1_000, places=10),
        st.booleans(),
    ),
    max_size=25,
)


async def stored(
    dsn: str, start: datetime, spent: list[Spent], user: str = "alice", session: UUID | None = None
) -> None:
    """Write them to the ledger."""
    connection = await asyncpg.connect(dsn)
    try:
        columns = ", ".join(KINDS)
        await connection.executemany(
            f"INSERT INTO usage_ledger (tenant_id, run_id, session_id, user_id, model, status, estimated, cost, at, "
            f"{columns}) VALUES ('default', $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            [
                (
                    uuid4(), session or uuid4(), user, each.model, each.status, each.estimated, each.cost,
                    start + timedelta(minutes=each.after_minutes), *each.tokens,
                )
                for each in spent
            ],
        )  # fmt: skip
    finally:
        await connection.close()


def key_of(each: Spent, grouping: UsageGrouping) -> str | None:
    """What a run counts under."""
    match grouping:
        case UsageGrouping.NONE:
            return None
        case UsageGrouping.MODEL:
            return each.model
        case UsageGrouping.PROVIDER:
            return each.model.split(":")[0]


def summed(start: datetime, end: datetime, key: str | None, spent: list[Spent]) -> UsagePoint:
    """The point that these make."""
    costs = [each.cost for each in spent if each.cost is not None]
    return UsagePoint(
        start,
        end,
        key,
        runs=len(spent),
        errors=sum(each.status in ("failed", "interrupted") for each in spent),
        **{kind: sum(each.tokens[place] for each in spent) for place, kind in enumerate(KINDS)},
        estimated_runs=sum(each.estimated for each in spent),
        unpriced_runs=len(spent) - len(costs),
        cost=sum(costs, Decimal(0)) if costs or not spent else None,
    )


# The example database and random seeds are left out: a failure is the same for everybody.
@settings(
    max_examples=40, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(
    place=st.sampled_from(NOTABLE),
    bucket=st.sampled_from(UsageBucket),
    grouping=st.sampled_from(UsageGrouping),
    spent=spendings,
    minutes=st.integers(1, 8_000),
)
async def test_series_equals_a_recomputation_from_the_ledger(
    database: Database,
    actor: Actor,
    dsn: str,
    place: tuple[str, datetime],
    bucket: UsageBucket,
    grouping: UsageGrouping,
    spent: list[Spent],
    minutes: int,
) -> None:
    name, start = place
    end, zone = start + timedelta(minutes=minutes), ZoneInfo(name)
    await execute(dsn, "TRUNCATE usage_ledger")
    await stored(dsn, start, spent)

    wanted = WantedSeries(start, end, bucket, grouping, name, None)
    found = await service.usage_series(Loaders(database, actor), wanted)

    inside = [each for each in spent if 0 <= each.after_minutes < minutes]
    by_bucket: dict[tuple[object, str | None], list[Spent]] = {}
    for each in inside:
        moment = start + timedelta(minutes=each.after_minutes)
        by_bucket.setdefault((label(moment, bucket, zone), key_of(each, grouping)), []).append(each)
    assert found is not None
    expected = [
        summed(point.start, point.end, point.key, by_bucket.pop((label(point.start, bucket, zone), point.key), []))
        for point in found
    ]
    assert found == expected
    assert by_bucket == {}
    keys = [None] if grouping is UsageGrouping.NONE else sorted({str(key_of(each, grouping)) for each in inside})
    assert [point.key for point in found] == keys * (len(found) // max(len(keys), 1))


START = datetime(2026, 5, 1, tzinfo=UTC)
DEAR = Spent(60, "openai:a", "completed", (1, 2, 3, 4, 5), Decimal("0.5"), False)
UNPRICED = Spent(60, "local:echo", "failed", (1, 0, 0, 1, 0), None, True)

ASKED = """query ($from: DateTime!, $to: DateTime!, $bucket: UsageBucket!, $by: UsageGrouping! = NONE, $of: ID) {
    usageSeries(from: $from, to: $to, bucket: $bucket, groupBy: $by, sessionId: $of) {
        start end key runs errors inputTokens totalTokens cost unpricedRuns estimatedRuns
    }
}"""


async def series(client: GraphQLClient, **variables: Any) -> Any:
    """Of the first two days of May."""
    range_ = {"from": "2026-05-01T00:00:00Z", "to": "2026-05-03T00:00:00Z", "bucket": "DAY"}
    return (await client.data(ASKED, {**range_, **variables}))["usageSeries"]


async def test_unknown_cost_is_null_and_never_zero(client: GraphQLClient, dsn: str) -> None:
    await stored(dsn, START, [UNPRICED, DEAR])

    grouped = await series(client, by="MODEL")
    together = await series(client)

    assert [(point["key"], point["cost"], point["unpricedRuns"]) for point in grouped] == [
        ("local:echo", None, 1), ("openai:a", "0.5", 0), ("local:echo", "0", 0), ("openai:a", "0", 0),
    ]  # fmt: skip
    assert [(point["cost"], point["unpricedRuns"], point["runs"]) for point in together] == [("0.5", 1, 2), ("0", 0, 0)]
    assert together[0]["totalTokens"] == "17"


async def test_series_is_ones_own_or_of_a_session_one_may_read(client_as: ClientAs, dsn: str) -> None:
    bob = await client_as("bob")
    session = await bob.create_session()
    await stored(dsn, START, [DEAR], "bob", UUID(split_global_id(session)[1]))
    await stored(dsn, START, [DEAR], "bob")

    def runs(points: list[dict[str, Any]]) -> int:
        return sum(point["runs"] for point in points)

    assert runs(await series(bob)) == 2
    assert runs(await series(bob, of=session)) == 1
    assert runs(await series(await client_as("system"), of=session)) == 1
    assert runs(await series(await client_as("alice"))) == 0
    assert await series(await client_as("alice"), of=session) is None
    assert await series(await client_as("bob@acme"), of=session) is None


async def test_series_is_one_statement_whatever_its_length(
    client: GraphQLClient, dsn: str, statements: StatementRecorder
) -> None:
    await stored(dsn, START, [DEAR, UNPRICED])

    statements.clear()
    short = await series(client, by="MODEL")
    first = len(statements.sent)
    long = await series(client, by="MODEL", bucket="HOUR", to="2026-06-01T00:00:00Z")

    assert (first, len(statements.sent)) == (1, 2)
    assert (len(short), len(long)) == (4, 2 * 31 * 24)


async def test_more_points_than_can_be_drawn_are_refused(database: Database, actor: Actor, dsn: str) -> None:
    keys = MOST_POINTS // 1_000 + 1
    await stored(
        dsn, START, [Spent(1, f"local:{number}", "completed", (0,) * 5, None, False) for number in range(keys)]
    )
    end = START + timedelta(hours=1_000)

    with pytest.raises(LimitExceeded) as refused:
        await service.usage_series(
            Loaders(database, actor), WantedSeries(START, end, UsageBucket.HOUR, UsageGrouping.MODEL, "UTC", None)
        )

    assert refused.value.field == "groupBy"


async def test_refusals_name_what_to_mend(client: GraphQLClient) -> None:
    answers = [
        await client.answer(
            '{ usageSeries(from: "2026-05-01T00:00:00Z", to: "2026-05-03T00:00:00Z", bucket: DAY, timeZone: "Mars") '
            "{ runs } }"
        ),
        await client.answer(
            '{ usageSeries(from: "2020-05-01T00:00:00Z", to: "2026-05-03T00:00:00Z", bucket: HOUR) { runs } }'
        ),
    ]

    refused = [answer["errors"][0]["extensions"] for answer in answers]
    assert [(error["code"], error["field"]) for error in refused] == [
        ("VALIDATION_ERROR", "timeZone"), ("LIMIT_EXCEEDED", "bucket"),
    ]  # fmt: skip
    assert all(error["hint"] for error in refused)
