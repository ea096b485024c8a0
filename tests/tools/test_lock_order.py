"""Who changes an execution locks its session first, and then goes by what others have made of it meanwhile."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import asyncpg
import pytest

from app.core.actor import Actor
from app.db.database import Database
from app.tools.errors import AlreadyDecided, ExecutionTransition, StatusConflict
from app.tools.pipeline import ToolPipeline
from app.tools.service import ExecutionOutcome
from app.tools.values import Decision, ExecutionStatus, ToolExecutionId
from tests.client import GraphQLClient
from tests.conversations import waiting_for_locks
from tests.tools.scenes import a_call, events_of, fact, requested

HOLD_SESSION = "SELECT 1 FROM chat_sessions FOR NO KEY UPDATE"
TAKE_EXECUTION = "SELECT 1 FROM tool_executions JOIN tool_calls ON tool_calls.id = tool_call_id FOR UPDATE NOWAIT"
CANCEL = "UPDATE tool_executions SET status = 'cancelled', started_at = now(), completed_at = now()"
APPROVE = "UPDATE tool_executions SET status = 'pending', approved = true, approved_by = 'carol', approved_at = now()"


async def meanwhile(dsn: str, change: str, work: Coroutine[Any, Any, ExecutionOutcome]) -> ExecutionOutcome:
    """What comes of `work`, which waits for the session while the one who holds that makes a change."""
    other = await asyncpg.connect(dsn)
    try:
        async with other.transaction():
            await other.execute(HOLD_SESSION)
            waiting = asyncio.create_task(work)
            await waiting_for_locks(dsn, 1)
            # NOWAIT: whoever waits for the session must not hold execution or call.
            await other.execute(TAKE_EXECUTION)
            await other.execute(change)
        return await waiting
    finally:
        await other.close()


@pytest.mark.parametrize(("change", "refusal"), [(CANCEL, StatusConflict), (APPROVE, AlreadyDecided)])
async def test_a_decision_goes_by_what_was_made_of_it_while_it_waited(
    database: Database, actor: Actor, client: GraphQLClient, dsn: str, change: str, refusal: type[Exception]
) -> None:
    execution = await requested(database, actor, await a_call(client), required_approval=True)
    decision = Decision(ToolExecutionId(execution.id), approve=False)

    with pytest.raises(refusal):
        await meanwhile(dsn, change, ToolPipeline().decide(database, actor, decision, None))

    assert await events_of(dsn, "tool_execution.decided") == []


async def test_an_update_goes_by_what_was_made_of_it_while_it_waited(
    database: Database, actor: Actor, client: GraphQLClient, dsn: str
) -> None:
    execution = await requested(database, actor, await a_call(client), status=ExecutionStatus.RUNNING)
    changes = {"status": ExecutionStatus.COMPLETED, "output": "late"}
    update = ToolPipeline().update(database, actor, ToolExecutionId(execution.id), changes, None)

    with pytest.raises(ExecutionTransition):
        await meanwhile(dsn, CANCEL, update)

    assert await fact(dsn, "status, output") == [{"status": "cancelled", "output": None}]


async def test_messages_are_deleted_while_their_executions_are_decided(
    database: Database, actor: Actor, client: GraphQLClient, dsn: str
) -> None:
    session = await client.create_session()
    for _ in range(20):
        call = await a_call(client, session)
        execution = await requested(database, actor, call, required_approval=True)
        found = await client.data(
            "query ($id: ID!) { node(id: $id) { ... on ToolCall { message { id } } } }", {"id": call}
        )
        decided, deleted = await asyncio.gather(
            client.mutate(
                "decideToolExecution",
                "correlationId",
                {"toolExecutionId": execution.global_id, "approve": False},
            ),
            client.mutate("deleteMessage", "correlationId", {"messageId": found["node"]["message"]["id"]}),
        )

        assert deleted["success"]
        assert decided["success"] or decided["error"]["code"] == "NOT_FOUND"

    assert await fact(dsn, "id") == []
