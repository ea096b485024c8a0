"""What comes of an execution, and those who wait for it in the same transaction."""

from uuid import UUID, uuid4

import pytest

from app.core.actor import Actor
from app.db.database import Database
from app.messages.values import MessageId
from app.tools import service
from app.tools.pipeline import ToolPipeline
from app.tools.values import Decision, ExecutionStatus, ToolExecutionId
from tests.client import GraphQLClient
from tests.tools.scenes import Waiting, a_call, events_of, expired_by_now, fact, requested
from tests.worlds import add_call, rows, stored

RUN = uuid4()
COMPLETED = {"status": ExecutionStatus.COMPLETED, "output": "42"}


@pytest.fixture
def waiting() -> Waiting:
    """Who waits."""
    return Waiting()


@pytest.fixture
def tools(waiting: Waiting) -> ToolPipeline:
    """The pipeline, with somebody who waits."""
    return ToolPipeline((waiting,))


async def added(database: Database, actor: Actor, client: GraphQLClient, run_id: UUID | None = RUN) -> ToolExecutionId:
    """An execution that awaits approval, and for which a run waits."""
    call = await a_call(client)
    return ToolExecutionId((await requested(database, actor, call, required_approval=True, run_id=run_id)).id)


async def test_who_waits_is_told_of_an_approval_and_then_of_the_end(
    database: Database, actor: Actor, client: GraphQLClient, tools: ToolPipeline, waiting: Waiting
) -> None:
    execution = await added(database, actor, client)

    await tools.decide(database, actor, Decision(execution, approve=True), None)
    await tools.decide(database, actor, Decision(execution, approve=True), None)
    await tools.update(database, actor, execution, {"status": ExecutionStatus.RUNNING, "output": "4"}, None)
    await tools.update(database, actor, execution, COMPLETED, None)

    assert waiting.told == [(execution, "pending", True), (execution, "completed", True)]


async def test_who_waits_is_told_of_a_denial(
    database: Database, actor: Actor, client: GraphQLClient, tools: ToolPipeline, waiting: Waiting
) -> None:
    execution = await added(database, actor, client)

    await tools.decide(database, actor, Decision(execution, approve=False, comment="no"), None)

    assert waiting.told == [(execution, "cancelled", False)]


async def test_who_waits_is_told_of_an_expiry(
    database: Database, actor: Actor, client: GraphQLClient, tools: ToolPipeline, waiting: Waiting, dsn: str
) -> None:
    execution = await added(database, actor, client)
    await tools.expire(database, actor, execution)
    early = list(waiting.told)
    await expired_by_now(dsn)

    await tools.expire(database, actor, execution)
    await tools.expire(database, actor, execution)

    assert early == []
    assert waiting.told == [(execution, "cancelled", None)]
    assert await fact(dsn, "status, error, approved, approved_by") == [
        {"status": "cancelled", "error": "approval expired", "approved": None, "approved_by": None}
    ]
    assert await events_of(dsn, "tool_execution.expired") == [{"status": "CANCELLED"}]


async def test_nobody_is_told_of_an_execution_that_no_run_waits_for(
    database: Database, actor: Actor, client: GraphQLClient, tools: ToolPipeline, waiting: Waiting
) -> None:
    execution = await added(database, actor, client, run_id=None)

    await tools.decide(database, actor, Decision(execution, approve=False), None)

    assert waiting.told == []


async def test_an_outcome_and_what_hangs_on_it_are_one_transaction(
    database: Database, actor: Actor, client: GraphQLClient, dsn: str
) -> None:
    execution = await added(database, actor, client)
    tools = ToolPipeline((Waiting(fails=True),))
    before = await stored(dsn)

    with pytest.raises(RuntimeError):
        await tools.decide(database, actor, Decision(execution, approve=True), None)

    assert await stored(dsn) == before


async def test_all_that_has_not_ended_is_called_off(
    database: Database, actor: Actor, client: GraphQLClient, tools: ToolPipeline, waiting: Waiting, dsn: str
) -> None:
    message = (await client.reply(await client.create_session(), "", callsTools=True))["message"]["id"]
    calls = [await add_call(client, message, name=name, arguments=f"[{name}]") for name in ("a", "b", "c", "d")]
    awaiting = await requested(database, actor, calls[3], required_approval=True, run_id=RUN)
    done = await requested(database, actor, calls[0], run_id=RUN)
    running = await requested(database, actor, calls[2], run_id=RUN, status=ExecutionStatus.RUNNING)
    pending = await requested(database, actor, calls[1], run_id=RUN)
    await tools.update(database, actor, ToolExecutionId(done.id), COMPLETED, None)
    waiting.told.clear()
    turn = MessageId(done.message_id)

    found = await database.transact(lambda uow: service.of_run_turn(uow, actor, turn))
    ended = await database.transact(lambda uow: service.cancel_for(uow, actor, turn))
    again = await database.transact(lambda uow: service.cancel_for(uow, actor, turn))

    assert [row.id for row in found] == [done.id, pending.id, running.id, awaiting.id]
    assert [(row.input, row.output) for row in found] == [("[a]", "42"), ("[b]", None), ("[c]", None), ("[d]", None)]
    assert [(row.id, row.status, row.error) for row in ended] == [
        (row.id, "cancelled", "called off") for row in (pending, running, awaiting)
    ]
    assert again == []
    assert waiting.told == []
    assert await rows(dsn, "SELECT success, error FROM tool_calls ORDER BY position") == [
        {"success": True, "error": None},
        *[{"success": False, "error": "called off"}] * 3,
    ]
