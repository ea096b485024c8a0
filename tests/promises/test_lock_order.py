"""Every writer locks the session's row first and then what hangs on it: none waits for another in a circle."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from hashlib import sha256
from random import Random

import asyncpg
import pytest

from app.attachments import service as attachments
from app.attachments.values import AttachmentId, NewAttachment
from app.core.actor import Actor
from app.core.ids import new_id
from app.db.database import Database
from app.db.scopes import UnitOfWork
from app.idempotency.errors import KeyReused
from app.idempotency.values import ClientKey
from app.messages import service as messages
from app.messages.errors import InvalidTransition, MessageDeleted
from app.messages.pipeline import MessagePipeline
from app.messages.values import Completion, Draft, MessageId, MessageRole, MessageStatus
from app.sessions import service as sessions
from app.sessions.values import SessionId
from app.tools import service as tools
from app.tools.errors import CallAlreadyAdded
from app.tools.values import NewToolCall, ToolCallId
from tests.conversations import broken_rules, counters, new_session, recounted, say, value, waiting_for_locks

INTERLEAVINGS = 200
AT_ONCE = 6

HOLD_SESSION = "SELECT 1 FROM chat_sessions WHERE id = $1 FOR NO KEY UPDATE"
TAKE_MESSAGE = "SELECT 1 FROM chat_messages WHERE id = $1 FOR UPDATE NOWAIT"
CHANGE_MESSAGE = "UPDATE chat_messages SET {} WHERE id = $1"

Work = Callable[[UnitOfWork], Awaitable[object]]


@pytest.fixture
async def session(database: Database, actor: Actor) -> SessionId:
    """A session of the actor."""
    return await new_session(database, actor)


@pytest.fixture
async def answer(database: Database, pipeline: MessagePipeline, actor: Actor, session: SessionId) -> MessageId:
    """An answer that has just begun."""
    stored = await say(database, pipeline, actor, session, "", MessageRole.ASSISTANT, MessageStatus.PENDING)
    return MessageId(stored.id)


class Changes:
    """What can be done to one message, each as a piece of work."""

    def __init__(self, pipeline: MessagePipeline, actor: Actor, session: SessionId, message: MessageId) -> None:
        self._pipeline, self._actor, self._session, self._message = pipeline, actor, session, message

    def update(self, key: ClientKey | None = None, **changes: object) -> Work:
        return lambda uow: messages.update(uow, self._actor, self._message, changes, key)

    def end(self, key: ClientKey | None = None) -> Work:
        completion = Completion(self._message, MessageStatus.COMPLETED, "done")
        return lambda uow: self._pipeline.end(uow, self._actor, completion, key)

    def delete(self, key: ClientKey | None = None) -> Work:
        return lambda uow: messages.delete(uow, self._actor, self._message, key)

    def call_tool(self, key: ClientKey | None = None) -> Work:
        new = NewToolCall(ToolCallId(new_id()), self._message, "search", "{}", call_id="one")
        return lambda uow: tools.add(uow, self._actor, new, key)

    def attach(self, key: ClientKey | None = None) -> Work:
        new = NewAttachment(AttachmentId(new_id()), self._message, "a.txt", "text/plain", sha256(b"a").digest(), b"a")

        async def work(uow: UnitOfWork) -> None:
            await attachments.add(uow, self._actor, new, key)
            await attachments.delete(uow, self._actor, new.id, None)

        return work

    def append(self, role: MessageRole, key: ClientKey | None = None) -> Work:
        draft = Draft(self._session, role, "hello", parent_message_id=self._message)
        return lambda uow: self._pipeline.append(uow, self._actor, draft, key)

    def file(self, key: ClientKey | None = None) -> Work:
        return lambda uow: sessions.set_metadata(uow, self._actor, self._session, {"summary": "x"}, key)


@pytest.fixture
def changes(pipeline: MessagePipeline, actor: Actor, session: SessionId, answer: MessageId) -> Changes:
    """What can be done to the answer."""
    return Changes(pipeline, actor, session, answer)


async def while_another_holds_the_session(
    database: Database, dsn: str, session: SessionId, message: MessageId, change: str, work: Work
) -> None:
    """Start `work`, and while it waits for the session, let the one who holds that make `change` of the message."""

    async def alone() -> None:
        async with database.single_statement() as uow:
            await work(uow)

    other = await asyncpg.connect(dsn)
    try:
        async with other.transaction():
            await other.execute(HOLD_SESSION, session)
            waiting = asyncio.create_task(alone())
            await waiting_for_locks(dsn, 1)
            # NOWAIT: whoever waits for the session must not hold the message.
            await other.execute(TAKE_MESSAGE, message)
            await other.execute(CHANGE_MESSAGE.format(change), message)
        await waiting
    finally:
        await other.close()


async def test_change_waits_for_the_session_and_sees_what_was_made_of_the_message(
    database: Database, dsn: str, session: SessionId, answer: MessageId, changes: Changes
) -> None:
    work = changes.update(status=MessageStatus.FAILED.value)

    with pytest.raises(InvalidTransition) as refused:
        await while_another_holds_the_session(database, dsn, session, answer, "status = 'completed'", work)

    assert refused.value.details == {"from": "COMPLETED", "to": "FAILED"}
    assert await value(dsn, "SELECT last_event FROM chat_sessions") == 2
    assert await value(dsn, "SELECT count(*) FROM events") == 2


async def test_change_that_only_the_newest_version_allows_is_made(
    database: Database, pipeline: MessagePipeline, dsn: str, actor: Actor, session: SessionId
) -> None:
    stored = await say(database, pipeline, actor, session, "hello", MessageRole.ASSISTANT)
    message = MessageId(stored.id)
    work = Changes(pipeline, actor, session, message).update(status=MessageStatus.FAILED.value)

    await while_another_holds_the_session(database, dsn, session, message, "status = 'processing'", work)

    assert await value(dsn, "SELECT status FROM chat_messages") == "failed"
    assert await value(dsn, "SELECT max(seq) FROM events") == await value(dsn, "SELECT last_event FROM chat_sessions")


async def test_tool_call_that_waited_is_counted_after_those_of_others(
    database: Database, dsn: str, session: SessionId, answer: MessageId, changes: Changes
) -> None:
    await while_another_holds_the_session(database, dsn, session, answer, "tool_call_count = 4", changes.call_tool())

    assert await value(dsn, "SELECT tool_call_count FROM chat_messages") == 5
    assert await value(dsn, "SELECT position FROM tool_calls") == 5


async def test_tool_call_that_waited_for_a_deletion_is_refused(
    database: Database, dsn: str, session: SessionId, answer: MessageId, changes: Changes
) -> None:
    with pytest.raises(MessageDeleted):
        await while_another_holds_the_session(database, dsn, session, answer, "deleted_at = now()", changes.call_tool())

    assert await value(dsn, "SELECT count(*) FROM tool_calls") == 0
    assert await value(dsn, "SELECT last_event FROM chat_sessions") == 2


async def session_then_message(dsn: str, session: SessionId, message: MessageId, pause_seconds: float) -> None:
    """A transaction of several statements, as by hand."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute(HOLD_SESSION, session)
            await asyncio.sleep(pause_seconds)
            await connection.execute(CHANGE_MESSAGE.format("custom_metadata = '{}'"), message)
    finally:
        await connection.close()


async def test_no_writers_of_a_session_wait_for_each_other(
    database: Database, pipeline: MessagePipeline, actor: Actor, dsn: str, session: SessionId
) -> None:
    async def alone(work: Work) -> None:
        # A single statement would be sent again after a deadlock; a transaction raises.
        with suppress(InvalidTransition, MessageDeleted, CallAlreadyAdded, KeyReused):
            async with database.unit_of_work() as uow:
                await work(uow)

    async def interleave(number: int) -> None:
        random, begun = Random(number), MessageStatus.PROCESSING
        answer = MessageId((await say(database, pipeline, actor, session, "…", MessageRole.ASSISTANT, begun)).id)
        changes = Changes(pipeline, actor, session, answer)

        def a_key() -> ClientKey | None:
            # Another operation may use it at the same time.
            return random.choice([None, ClientKey.of(f"{number}", "test", new_id())])

        choices: list[Callable[[], Awaitable[None]]] = [
            lambda: session_then_message(dsn, session, answer, random.random() / 200),
            lambda: alone(changes.update(a_key(), content="more")),
            lambda: alone(changes.update(a_key(), status=MessageStatus.COMPLETED.value)),
            lambda: alone(changes.end(a_key())),
            lambda: alone(changes.delete(a_key())),
            lambda: alone(changes.call_tool(a_key())),
            lambda: alone(changes.attach()),
            lambda: alone(changes.append(random.choice(list(MessageRole)), a_key())),
            lambda: alone(changes.file(a_key())),
        ]
        await asyncio.gather(*(act() for act in random.choices(choices, k=AT_ONCE)), choices[0]())

    for number in range(INTERLEAVINGS):
        await interleave(number)

    assert await recounted(dsn, session) == await counters(dsn, session)
    assert await broken_rules(dsn) == []
