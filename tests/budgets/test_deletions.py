"""Who deletes what is being answered does not escape a budget, and takes no reservation along."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import Uuid, update

from app.budgets.values import BudgetScope
from app.core.actor import Actor
from app.db.base import table_of
from app.db.database import Database
from app.db.statement import Command, param
from app.erasure.pipeline import ErasurePipeline
from app.messages import service as messages
from app.messages.values import MessageId
from app.runs import repository
from app.runs.models import Run
from app.runs.pipeline import RunPipeline
from app.runs.values import EntryKind, RunEntry
from app.sessions import service as sessions
from app.sessions.models import ChatSession
from app.sessions.values import SessionId
from tests.budgets.books import CENT, begin, figures, reserved_runs, send, set_budget, standing
from tests.conftest import an_actor
from tests.conversations import new_project, rows


@pytest.fixture
def runs(runs: RunPipeline) -> RunPipeline:
    """Asks at prices that are easy to add up."""
    return replace(runs, accounts=replace(runs.accounts, price=CENT))


async def a_written_run(runs: RunPipeline, database: Database, actor: Actor, text: str) -> Run:
    """A run whose model has read 10 tokens and written a text, of up to 100 tokens."""
    run = await send(runs, database, actor, 100)
    claimed = await begin(database, runs.accounts, run, prompt_tokens=10)
    assert claimed is not None
    if text:
        async with database.single_statement() as uow:
            await repository.append(uow, [(claimed.claim, RunEntry(1, EntryKind.DELTA, {"text": text}))], again=False)
    return run


async def _delete_message(database: Database, actor: Actor, run: Run) -> None:
    async with database.single_statement() as uow:
        await messages.delete(uow, actor, MessageId(run.message_id), None)


async def _delete_session(database: Database, actor: Actor, run: Run) -> None:
    async with database.single_statement() as uow:
        await sessions.delete(uow, actor, SessionId(run.session_id), None)


async def _delete_project(database: Database, actor: Actor, run: Run) -> None:
    """As if the run's session had been the project's from its beginning, and were not the actor's."""
    project = await new_project(database, actor)
    share = update(table_of(ChatSession)).values(project_id=param("project_id", Uuid))
    ours = ChatSession.tenant_id == param("tenant_id"), ChatSession.id == param("session_id", Uuid)
    async with database.unit_of_work() as uow:
        values = {"project_id": project, "tenant_id": run.tenant_id, "session_id": run.session_id}
        await uow.run(Command(UUID, share.where(*ours).returning(ChatSession.id)), **values)
        assert await sessions.delete_of_project(uow, an_actor("bob"), project) == 1


DELETIONS = pytest.mark.parametrize("delete", [_delete_message, _delete_session, _delete_project])


@DELETIONS
async def test_deletion_settles_what_was_read_and_written_by_then(
    runs: RunPipeline, database: Database, actor: Actor, dsn: str, delete: object
) -> None:
    await set_budget(database, tokens=1_000)
    await set_budget(database, BudgetScope.USER, tokens=1_000, cost=Decimal(50))
    run = await a_written_run(runs, database, actor, "four" * 20)

    await delete(database, actor, run)  # type: ignore[operator]

    [entry] = await rows(dsn, "SELECT * FROM usage_ledger")
    assert (entry["input_tokens"], entry["output_tokens"]) == (10, 20)
    assert await figures(dsn) == [(30, 0), (30, 0)]
    # The ledger does not know the price of what was cut off; the budget prices it as it was reserved.
    assert [row["spent_cost"] for row in await standing(dsn)] == [Decimal("0.3")] * 2
    assert await reserved_runs(dsn) == 0


@DELETIONS
async def test_deletion_of_what_was_not_begun_gives_all_back(
    runs: RunPipeline, database: Database, actor: Actor, dsn: str, delete: object
) -> None:
    await set_budget(database, tokens=1_000, cost=Decimal(50))
    begun = await a_written_run(runs, database, actor, "")
    queued = await send(runs, database, actor, 100)

    await delete(database, actor, begun)  # type: ignore[operator]
    await delete(database, actor, queued)  # type: ignore[operator]

    assert await figures(dsn) == [(0, 0)]
    assert await reserved_runs(dsn) == 0


async def test_erasure_of_a_user_settles_the_tenants_budget_and_takes_their_own(
    runs: RunPipeline, database: Database, actor: Actor, dsn: str
) -> None:
    tenants = await set_budget(database, tokens=1_000)
    await set_budget(database, BudgetScope.USER, tokens=1_000)
    await set_budget(database, BudgetScope.USER, "alice", tokens=1_000)
    await a_written_run(runs, database, actor, "four" * 20)

    await ErasurePipeline(runs).erase(database, actor, actor.user_id, None)

    assert [(row["budget_id"], row["spent_tokens"], row["reserved_tokens"]) for row in await standing(dsn)] == [
        (tenants, 30, 0)
    ]
    assert await reserved_runs(dsn) == 0
    assert await rows(dsn, "SELECT * FROM budgets WHERE user_id = 'alice'") == []
