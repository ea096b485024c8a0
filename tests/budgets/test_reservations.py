"""What an answer may spend is reserved before the model is called, and settled however it ends."""

from dataclasses import replace
from decimal import Decimal

import asyncpg
import pytest

from app.budgets.errors import BudgetExceeded
from app.budgets.values import BudgetPeriod, BudgetScope
from app.core.actor import Actor
from app.db.database import Database
from app.llm.port import Usage
from app.runs import service
from app.runs.accounts import Accounts
from app.runs.pipeline import RunPipeline
from app.runs.values import RunId, RunStatus
from tests.budgets.books import (
    CENT,
    MODEL,
    OTHER_MODEL,
    begin,
    figures,
    finish,
    reserved_runs,
    send,
    set_budget,
    standing,
)
from tests.conftest import an_actor
from tests.runs.scenes import contents, row_of


@pytest.fixture
def accounts(runs: RunPipeline) -> Accounts:
    """Prices that are easy to add up."""
    return replace(runs.accounts, price=CENT)


@pytest.fixture
def runs(runs: RunPipeline) -> RunPipeline:
    """Asks at these prices."""
    return replace(runs, accounts=replace(runs.accounts, price=CENT))


async def test_reservation_follows_a_run_from_its_acceptance_to_its_end(
    runs: RunPipeline, accounts: Accounts, database: Database, actor: Actor, dsn: str
) -> None:
    await set_budget(database, tokens=1_000)

    run = await send(runs, database, actor, 100)
    accepted = await figures(dsn)
    claimed = await begin(database, accounts, run, prompt_tokens=30)
    begun = await figures(dsn)
    assert claimed is not None
    await finish(database, accounts, claimed, Usage(input=28, output=40))

    assert (accepted, begun, await figures(dsn)) == ([(0, 100)], [(0, 130)], [(68, 0)])
    assert await reserved_runs(dsn) == 0


async def test_send_that_does_not_fit_is_refused_and_leaves_nothing(
    runs: RunPipeline, database: Database, actor: Actor, dsn: str
) -> None:
    await set_budget(database, tokens=150, period=BudgetPeriod.MONTH)
    await send(runs, database, actor, 100)
    before = await contents(dsn)

    with pytest.raises(BudgetExceeded) as refused:
        await send(runs, database, actor, 51)

    assert await contents(dsn) == before
    error = refused.value
    assert error.message == "your tenant's budget of 150 tokens a month has no room left for this answer"
    assert error.details is not None
    resets_at = error.details["resetsAt"]
    assert dict(error.details) == {
        "scope": "TENANT", "period": "MONTH", "model": None, "limitCost": None, "limitTokens": "150",
        "resetsAt": resets_at,
    }  # fmt: skip
    assert error.hint == f"it is counted anew from {resets_at}; a smaller maxOutputTokens may fit before"
    assert error.retryable
    await send(runs, database, actor, 50)


async def test_what_fits_into_no_period_is_not_to_be_tried_again(
    runs: RunPipeline, database: Database, actor: Actor
) -> None:
    await set_budget(database, BudgetScope.USER, cost=Decimal("0.50"))

    with pytest.raises(BudgetExceeded) as refused:
        await send(runs, database, actor, 51)

    assert refused.value.message == "your budget of 0.5 US dollars a day has no room left for this answer"
    assert not refused.value.retryable


async def test_run_that_names_no_bound_gets_one_only_where_a_budget_limits_it(
    runs: RunPipeline, database: Database, actor: Actor, dsn: str
) -> None:
    free = await send(runs, database, actor, None)
    await set_budget(database, tokens=10_000)

    bound = await send(runs, database, actor, None)

    assert (free.max_output_tokens, bound.max_output_tokens) == (None, 4_096)
    assert await figures(dsn) == [(0, 4_096)]


async def test_budget_that_is_set_before_a_worker_came_binds_what_is_begun(
    runs: RunPipeline, accounts: Accounts, database: Database, actor: Actor, dsn: str
) -> None:
    run = await send(runs, database, actor, None)
    await set_budget(database, tokens=10_000)

    claimed = await begin(database, accounts, run, prompt_tokens=10)

    assert claimed is not None
    assert claimed.run.max_output_tokens == 4_096
    assert await figures(dsn) == [(0, 4_106)]


async def test_budget_that_is_set_while_a_run_goes_on_counts_what_that_spends(
    runs: RunPipeline, accounts: Accounts, database: Database, actor: Actor, dsn: str
) -> None:
    claimed = await begin(database, accounts, await send(runs, database, actor))
    await set_budget(database, tokens=10)

    assert claimed is not None
    await finish(database, accounts, claimed, Usage(input=10, output=20))

    # It was not reserved: the limit is passed by it, and nobody else gets anything.
    assert await figures(dsn) == [(30, 0)]
    with pytest.raises(BudgetExceeded):
        await send(runs, database, actor, 1)


async def test_budget_that_is_set_in_the_middle_counts_what_the_ledger_has_of_the_period(
    runs: RunPipeline, accounts: Accounts, database: Database, dsn: str
) -> None:
    for user, model in (("alice", MODEL), ("alice", OTHER_MODEL), ("bob", MODEL)):
        claimed = await begin(database, accounts, await send(runs, database, an_actor(user), model=model))
        assert claimed is not None
        await finish(database, accounts, claimed, Usage(input=10, output=20))

    await set_budget(database, tokens=1_000)
    await set_budget(database, BudgetScope.USER, tokens=1_000)
    await set_budget(database, BudgetScope.USER, "bob", tokens=1_000)
    await set_budget(database, BudgetScope.MODEL, period=BudgetPeriod.MONTH, tokens=1_000)
    await set_budget(database, tenant="acme", tokens=1_000)

    found = [(row["user_id"], row["model"], row["spent_tokens"], row["spent_cost"]) for row in await standing(dsn)]
    assert found == [
        ("", "", 90, Decimal("1.2")),
        ("alice", "", 60, Decimal("0.9")),
        ("bob", "", 30, Decimal("0.3")),
        ("bob", "", 30, Decimal("0.3")),
        ("", MODEL, 60, Decimal("0.6")),
        ("", OTHER_MODEL, 30, Decimal("0.6")),
    ]


async def test_tokens_without_a_known_price_pass_a_limit_of_cost_and_are_shown(
    runs: RunPipeline, accounts: Accounts, database: Database, actor: Actor, dsn: str
) -> None:
    unknown = replace(accounts, price=lambda *_: None)
    await set_budget(database, cost=Decimal(0), tokens=500)

    claimed = await begin(database, unknown, await send(replace(runs, accounts=unknown), database, actor, 100))
    assert claimed is not None
    await finish(database, unknown, claimed, Usage(input=10, output=20))

    [row] = await standing(dsn)
    assert (row["spent_tokens"], row["unpriced_tokens"], row["spent_cost"]) == (30, 30, Decimal(0))
    with pytest.raises(BudgetExceeded):
        await send(runs, database, actor, 1)


@pytest.mark.parametrize("status", [RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.INTERRUPTED])
async def test_run_that_did_not_complete_settles_what_it_spent(
    runs: RunPipeline, accounts: Accounts, database: Database, actor: Actor, dsn: str, status: RunStatus
) -> None:
    await set_budget(database, tokens=1_000)
    claimed = await begin(database, accounts, await send(runs, database, actor))

    assert claimed is not None
    await finish(database, accounts, claimed, Usage(input=10, output=5), status)

    assert await figures(dsn) == [(15, 0)]


async def test_queued_run_that_is_cancelled_gives_all_back(
    runs: RunPipeline, database: Database, actor: Actor, dsn: str
) -> None:
    await set_budget(database, tokens=1_000)
    run = await send(runs, database, actor)

    await runs.cancel(database, actor, RunId(run.id), None)

    assert await figures(dsn) == [(0, 0)]
    assert await reserved_runs(dsn) == 0


async def test_turn_of_tools_is_settled_and_the_next_reserves_anew(
    runs: RunPipeline, accounts: Accounts, database: Database, actor: Actor, dsn: str
) -> None:
    await set_budget(database, tokens=1_000)
    claimed = await begin(database, accounts, await send(runs, database, actor), prompt_tokens=10)
    assert claimed is not None

    await finish(database, accounts, claimed, Usage(input=10, output=20), RunStatus.REQUIRES_ACTION)
    resting = await figures(dsn)

    assert resting == [(30, 0)]
    assert await reserved_runs(dsn) == 0


async def test_worker_that_takes_a_run_again_reserves_it_once(
    runs: RunPipeline, accounts: Accounts, database: Database, actor: Actor, dsn: str
) -> None:
    await set_budget(database, tokens=110)
    run = await send(runs, database, actor, 100)

    assert await begin(database, accounts, run, prompt_tokens=10) is not None
    assert await begin(database, accounts, run, prompt_tokens=10) is not None

    assert await figures(dsn) == [(0, 110)]


async def test_run_that_is_refused_its_turn_fails_with_why_and_gives_back(
    runs: RunPipeline, accounts: Accounts, database: Database, actor: Actor, dsn: str
) -> None:
    await set_budget(database, tokens=110)
    run = await send(runs, database, actor, 100)
    ref = service.ref_of(run)

    with pytest.raises(BudgetExceeded) as refused:
        await begin(database, accounts, run, prompt_tokens=11)
    await database.transact(lambda uow: service.refuse(uow, accounts, ref, 0, refused.value))

    ended = await row_of(dsn, run)
    assert (ended["status"], ended["error_code"], ended["generation"]) == ("failed", "BUDGET_EXCEEDED", 0)
    assert ended["error_facts"] is not None
    assert await figures(dsn) == [(0, 0)]


async def test_each_scope_counts_its_own(runs: RunPipeline, database: Database, dsn: str) -> None:
    alice, bob, other = an_actor("alice"), an_actor("bob"), an_actor("alice", "acme")
    await set_budget(database, BudgetScope.USER, tokens=100)
    await set_budget(database, BudgetScope.MODEL, OTHER_MODEL, tokens=50)
    await send(runs, database, alice, 100)

    with pytest.raises(BudgetExceeded):
        await send(runs, database, alice, 1)
    with pytest.raises(BudgetExceeded) as refused:
        await send(runs, database, bob, 60, model=OTHER_MODEL)
    await send(runs, database, bob, 50, model=OTHER_MODEL)
    await send(runs, database, other, 10_000)

    assert refused.value.message == f"the budget for {OTHER_MODEL} of 50 tokens a day has no room left for this answer"
    assert [(row["user_id"], row["model"], row["reserved_tokens"]) for row in await standing(dsn)] == [
        ("alice", "", 100),
        ("bob", "", 50),
        ("", OTHER_MODEL, 50),
    ]


async def test_what_was_reserved_is_settled_in_its_period_also_when_that_is_over(
    runs: RunPipeline, accounts: Accounts, database: Database, actor: Actor, dsn: str
) -> None:
    await set_budget(database, tokens=110)
    claimed = await begin(database, accounts, await send(runs, database, actor, 100), prompt_tokens=10)
    assert claimed is not None
    # As it is when a night has passed.
    await _back_date(dsn)

    await finish(database, accounts, claimed, Usage(input=10, output=20))
    await send(runs, database, actor, 110)

    assert await figures(dsn) == [(30, 0), (0, 110)]


async def _back_date(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for table in ("budget_usage", "budget_reservations"):
            await connection.execute(f"UPDATE {table} SET period_start = period_start - interval '1 day'")
    finally:
        await connection.close()
