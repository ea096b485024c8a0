"""Budgets while runs are worked, and when their periods are long past."""

from datetime import timedelta

import pytest

from app.budgets.errors import BudgetExceeded
from app.budgets.service import KEPT, forget_old_periods
from app.core.actor import Actor
from app.db.database import Database
from app.runs import service
from app.runs.pipeline import RunPipeline
from app.sessions.values import SessionId
from tests.budgets.books import begin, figures, reserved_runs, send, set_budget
from tests.conversations import rows
from tests.llm.provider_servers import ProviderServer, openai_answer
from tests.runs.conftest import Process
from tests.runs.scenes import agrees, ask, end_of, ledger_of, row_of
from tests.runs.turning import WEATHER, calls_weather, conversation, executions, report, waits

USED = {"prompt_tokens": 40, "completion_tokens": 10, "total_tokens": 50}


async def test_turn_that_finds_the_budget_used_up_fails_and_what_was_written_is_kept(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, database: Database, dsn: str
) -> None:
    server.script(calls_weather("Rome", text="Let me see.", usage=USED), openai_answer("never asked for"))
    await set_budget(database, tokens=1_000_000)
    run = await ask(asking, actor, session_id, "How warm is it?", tools=(WEATHER,))
    await waits(dsn, run)
    await set_budget(database, tokens=60)

    [execution] = await executions(dsn, run)
    await report(asking, actor, execution["id"], "26 degrees")
    end = await end_of(asking, actor, run)

    assert end.error is not None
    assert (end.status, end.error.code, end.turns) == ("failed", "BUDGET_EXCEEDED", 2)
    assert len(server.requests) == 1
    written = [(role, text) for role, _, text, _ in await conversation(dsn, run)]
    assert written[:3] == [("user", "How warm is it?"), ("assistant", "Let me see."), ("tool", "26 degrees")]
    assert written[3:] == [("assistant", "")]
    assert (await figures(dsn), await reserved_runs(dsn)) == ([(50, 0)], 0)
    assert [entry["status"] for entry in await ledger_of(dsn, run)] == ["failed"]
    await agrees(dsn, session_id)


async def test_run_that_another_worker_has_taken_since_is_not_ended_by_one_that_was_refused(
    runs: RunPipeline, database: Database, actor: Actor, dsn: str
) -> None:
    await set_budget(database, tokens=110)
    run = await send(runs, database, actor, 100)
    with pytest.raises(BudgetExceeded) as refused:
        await begin(database, runs.accounts, run, prompt_tokens=11)
    assert await begin(database, runs.accounts, run, prompt_tokens=10) is not None

    ref, why = service.ref_of(run), refused.value
    await database.transact(lambda uow: service.refuse(uow, runs.accounts, ref, run.generation, why))

    assert (await row_of(dsn, run))["status"] == "running"
    assert await figures(dsn) == [(0, 110)]


async def test_periods_long_past_are_given_up_save_where_something_is_reserved(
    runs: RunPipeline, database: Database, actor: Actor, dsn: str
) -> None:
    await set_budget(database, tokens=1_000)
    await send(runs, database, actor, 100)
    copied = (
        "INSERT INTO budget_usage SELECT tenant_id, budget_id, period_start - $1::interval, user_id, model, "
        "spent_cost, spent_tokens, unpriced_tokens, reserved_cost, 0 FROM budget_usage WHERE reserved_tokens > 0"
    )
    await rows(dsn, copied, KEPT - timedelta(days=1))
    await rows(dsn, copied, KEPT + timedelta(days=1))

    await forget_old_periods(database)
    kept = await figures(dsn)
    await rows(dsn, "UPDATE budget_usage SET period_start = period_start - interval '1 year'")
    await rows(dsn, "UPDATE budget_reservations SET period_start = period_start - interval '1 year'")
    await forget_old_periods(database)

    assert sorted(kept) == [(0, 0), (0, 100)]
    assert await figures(dsn) == [(0, 100)]
