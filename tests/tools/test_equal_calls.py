"""Two calls with one id in one message, at the same moment."""

import asyncio

import pytest

from app.core.actor import Actor
from app.core.ids import new_id
from app.db.database import Database
from app.messages.pipeline import MessagePipeline
from app.messages.values import MessageId, MessageRole, MessageStatus
from app.tools import service as tools
from app.tools.errors import CallAlreadyAdded
from app.tools.values import NewToolCall, ToolCallId
from tests.conversations import broken_rules, counters, new_session, recounted, say, waiting_for_locks


async def test_of_two_equal_tool_calls_at_once_one_is_refused(
    database: Database, pipeline: MessagePipeline, actor: Actor, dsn: str
) -> None:
    session_id = await new_session(database, actor)
    message = await say(database, pipeline, actor, session_id, "", MessageRole.ASSISTANT, MessageStatus.PENDING)

    def call() -> NewToolCall:
        return NewToolCall(ToolCallId(new_id()), MessageId(message.id), "search", "{}", call_id="call_1")

    async def second() -> None:
        async with database.single_statement() as uow:
            await tools.add(uow, actor, call(), None)

    async with database.unit_of_work() as uow:
        await tools.add(uow, actor, call(), None)
        waiting = asyncio.create_task(second())
        await waiting_for_locks(dsn, 1)

    with pytest.raises(CallAlreadyAdded):
        await waiting
    assert (await recounted(dsn, session_id)).tool_calls == 1
    assert await recounted(dsn, session_id) == await counters(dsn, session_id)
    assert await broken_rules(dsn) == []
