"""No budget is passed by asking at once, nobody waits for ever, and what was reserved always comes back."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from app.budgets.errors import BudgetExceeded
from app.budgets.values import BudgetPeriod, BudgetScope
from app.db.database import Database, PoolSettings
from app.llm.port import Usage
from app.runs.pipeline import RunPipeline
from app.runs.values import RunId, RunStatus
from tests.budgets.books import (
    CENT,
    MODEL,
    OTHER_MODEL,
    begin,
    finish,
    reserved_runs,
    send,
    set_budget,
    standing,
)
from tests.conftest import an_actor, cloned
from tests.conversations import rows

USERS, MODELS = ("alice", "bob", "carol"), (MODEL, OTHER_MODEL)

_PASSED = """
    SELECT u.*, b.limit_tokens, b.limit_cost FROM budget_usage u JOIN budgets b ON b.id = u.budget_id
    WHERE spent_tokens + reserved_tokens > limit_tokens OR spent_cost + reserved_cost > limit_cost"""


@dataclass(frozen=True, slots=True)
class Limit:
    """A budget to set."""

    scope: BudgetScope
    subject: str | None
    tokens: int | None
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class Request:
    """An answer that somebody asks for, and how it goes."""

    user: str
    model: str
    most: int
    prompt: int
    spent: float
    """The part of its bound that is spent."""
    end: RunStatus | None
    """None where it is called off before a worker comes."""


LIMITS = some.lists(
    some.builds(
        Limit,
        some.sampled_from(BudgetScope),
        some.none(),
        some.integers(50, 5_000),
        some.none() | some.decimals(1, 15, places=2),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda limit: limit.scope,
)
REQUESTS = some.lists(
    some.builds(
        Request,
        some.sampled_from(USERS),
        some.sampled_from(MODELS),
        some.integers(1, 200),
        some.integers(0, 50),
        some.floats(0, 1),
        some.sampled_from([None, RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.INTERRUPTED]),
    ),
    min_size=8,
    max_size=24,
)


@pytest.fixture
def runs(runs: RunPipeline) -> RunPipeline:
    """Asks at prices that are easy to add up."""
    return replace(runs, accounts=replace(runs.accounts, price=CENT))


async def _live(database: Database, runs: RunPipeline, request: Request) -> BudgetExceeded | None:
    """All of a run's life; why it was refused."""
    actor, accounts = an_actor(request.user), runs.accounts
    try:
        run = await send(runs, database, actor, request.most, model=request.model)
    except BudgetExceeded as refused:
        return refused
    if request.end is None:
        await runs.cancel(database, actor, RunId(run.id), None)
        return None
    try:
        claimed = await begin(database, accounts, run, request.prompt)
    except BudgetExceeded as refused:
        await runs.cancel(database, actor, RunId(run.id), None)
        return refused
    assert claimed is not None
    usage = Usage(input=int(request.prompt * request.spent), output=int(request.most * request.spent))
    await finish(database, accounts, claimed, usage, request.end)
    return None


async def _watch(dsn: str, passed: list[object]) -> None:
    """Look again and again whether a budget is passed, until cancelled."""
    connection = await asyncpg.connect(dsn)
    try:
        while True:
            passed += await connection.fetch(_PASSED)
            await asyncio.sleep(0)
    finally:
        await connection.close()


async def _agrees_with_the_ledger(dsn: str, limits: Sequence[Limit]) -> None:
    """Nothing is reserved any more, and what is spent is what the ledger has."""
    spent = {
        (BudgetScope.TENANT, "", ""): "true",
        **{(BudgetScope.USER, user, ""): f"user_id = '{user}'" for user in USERS},
        **{(BudgetScope.MODEL, "", model): f"model = '{model}'" for model in MODELS},
    }
    for row in await standing(dsn):
        condition = spent[BudgetScope(row["scope"]), row["user_id"], row["model"]]
        [found] = await rows(
            dsn,
            "SELECT coalesce(sum(input_tokens + output_tokens), 0) AS tokens, coalesce(sum(cost), 0) AS cost "
            f"FROM usage_ledger WHERE {condition}",
        )
        assert (row["spent_tokens"], row["spent_cost"]) == (found["tokens"], found["cost"])
        assert (row["reserved_tokens"], row["reserved_cost"]) == (0, 0)
    assert await reserved_runs(dsn) == 0
    assert limits


def _fits(limit: Limit, requests: Sequence[Request]) -> bool:
    """Whether there is room for all, whatever each of them spends."""
    price = Decimal("0.02")
    sums = sum(request.most + request.prompt for request in requests)
    return sums <= (limit.tokens or sums) and (limit.cost is None or sums * price <= limit.cost)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LIMITS, REQUESTS)
async def test_no_budget_is_passed_by_asking_at_once(
    cluster: str, template: str, runs: RunPipeline, limits: list[Limit], requests: list[Request]
) -> None:
    async with cloned(cluster, template) as dsn:
        database = await Database.connect(dsn, PoolSettings(size=12, connect_timeout_seconds=30))
        for limit in limits:
            await set_budget(database, limit.scope, limit.subject, tokens=limit.tokens, cost=limit.cost)
        passed: list[object] = []
        watching = asyncio.create_task(_watch(dsn, passed))

        refused = await asyncio.gather(*(_live(database, runs, request) for request in requests))

        watching.cancel()
        await asyncio.wait([watching])
        assert passed == []
        await _agrees_with_the_ledger(dsn, limits)
        if all(_fits(limit, requests) for limit in limits):
            assert refused == [None] * len(requests)
        await database.close()


async def test_who_fits_is_not_refused_because_others_are(runs: RunPipeline, database: Database, dsn: str) -> None:
    await set_budget(database, tokens=100)
    asked = [asyncio.create_task(send(runs, database, an_actor("alice"), most)) for most in [150] * 8 + [10] * 10]

    done = await asyncio.gather(*asked, return_exceptions=True)

    assert [isinstance(found, BudgetExceeded) for found in done] == [True] * 8 + [False] * 10
    [row] = await standing(dsn)
    assert row["reserved_tokens"] == 100


async def test_sends_and_ends_under_many_budgets_never_wait_in_a_circle(runs: RunPipeline, dsn: str) -> None:
    database = await Database.connect(dsn, PoolSettings(size=16, connect_timeout_seconds=30))
    for scope in BudgetScope:
        for period in BudgetPeriod:
            await set_budget(database, scope, period=period, tokens=10**9)
    await set_budget(database, BudgetScope.MODEL, MODEL, tokens=10**9)
    chance = Random(7)
    requests = [
        Request(chance.choice(USERS), chance.choice(MODELS), 10, 5, 1.0, chance.choice([None, RunStatus.COMPLETED]))
        for _ in range(60)
    ]

    # A deadlock would be an error here: nothing is tried again.
    async with asyncio.timeout(60):
        assert await asyncio.gather(*(_live(database, runs, request) for request in requests)) == [None] * 60

    [found] = await rows(dsn, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    assert found["deadlocks"] == 0
    await _agrees_with_the_ledger(dsn, [Limit(BudgetScope.TENANT, None, 10**9, None)])
    await database.close()
