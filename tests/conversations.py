"""Sessions and what hangs on them, made without the API; and the rows that must agree with each other."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from app.core.actor import Actor
from app.core.errors import AppError, ErrorCode
from app.core.ids import new_id
from app.db.base import table_of
from app.db.database import Database
from app.db.scopes import UnitOfWork
from app.events.models import Event
from app.events.values import SHARED, EventKind
from app.messages import service as messages
from app.messages.models import ChatMessage
from app.messages.pipeline import MessagePipeline
from app.messages.values import Draft, MessageId, MessageRole, MessageStatus
from app.sessions import service as sessions
from app.sessions.values import NewSession, SessionId
from app.tools import service as tools
from app.tools.values import NewToolCall, ToolCallId
from app.workflow.models import Project

PATIENCE_SECONDS = 30.0
"""How long a test waits for what must come."""


async def new_session(
    database: Database, actor: Actor, title: str = "Trip", project_id: UUID | None = None
) -> SessionId:
    """The id of a new session of the actor."""
    session_id = SessionId(new_id())
    async with database.single_statement() as uow:
        await sessions.create(uow, actor, NewSession(session_id, title, project_id=project_id), None)
    return session_id


async def new_project(database: Database, actor: Actor, name: str = "Trip") -> UUID:
    """The id of a new project of the actor's tenant, with its first event."""
    project_id, who = new_id(), (actor.tenant_id, actor.user_id)
    project = {
        "tenant_id": who[0], "id": project_id, "name": name, "description": name, "last_event": 1,
        "created_by": who[1], "updated_by": who[1],
    }  # fmt: skip
    created = {
        "tenant_id": who[0], "stream_id": project_id, "seq": 1, "kind": EventKind.PROJECT_CREATED.value,
        "payload": {"name": name}, "actor": who[1], "owner_id": SHARED, "correlation_id": actor.correlation_id,
    }  # fmt: skip
    async with database.unit_of_work() as uow:
        for table, row in ((Project, project), (Event, created)):
            await uow.copy(table_of(table), list(row), [tuple(row.values())])
    return project_id


async def say(
    database: Database,
    pipeline: MessagePipeline,
    actor: Actor,
    session_id: SessionId,
    content: str = "hello",
    role: MessageRole = MessageRole.USER,
    status: MessageStatus = MessageStatus.COMPLETED,
) -> ChatMessage:
    """A new message."""
    draft = Draft(session_id, role, content, status=status)
    return (await pipeline.persist(database, actor, draft, None)).message


class Kitchen:
    """One session in which everything happens at once; what is refused is noted, and nothing else may be raised."""

    def __init__(self, database: Database, pipeline: MessagePipeline, actor: Actor, session_id: SessionId) -> None:
        self._database = database
        self._pipeline = pipeline
        self._actor = actor
        self._session_id = session_id
        self.refused: list[ErrorCode] = []

    async def append(self, turn: int) -> None:
        role = MessageRole.ASSISTANT if turn % 2 else MessageRole.USER
        draft = Draft(self._session_id, role, f"turn {turn}")
        await self._tolerant(self._pipeline.persist(self._database, self._actor, draft, None))

    async def call_tool(self, message_id: MessageId) -> None:
        new = NewToolCall(ToolCallId(new_id()), message_id, "search", "{}")
        await self._single(lambda uow: tools.add(uow, self._actor, new, None))

    async def end(self, message_id: MessageId, status: MessageStatus) -> None:
        changes = {"status": status.value, "content": f"ended {status}"}
        await self._single(lambda uow: messages.update(uow, self._actor, message_id, changes, None))

    async def delete(self, message_id: MessageId) -> None:
        await self._single(lambda uow: messages.delete(uow, self._actor, message_id, None))

    async def file(self, tag: str) -> None:
        await self._single(lambda uow: sessions.set_metadata(uow, self._actor, self._session_id, {"tags": [tag]}, None))

    async def delete_session(self) -> None:
        await self._single(lambda uow: sessions.delete(uow, self._actor, self._session_id, None))

    async def _single(self, work: Callable[[UnitOfWork], Awaitable[object]]) -> None:
        async def run() -> None:
            async with self._database.single_statement() as uow:
                await work(uow)

        await self._tolerant(run())

    async def _tolerant(self, work: Awaitable[object]) -> None:
        try:
            await work
        except AppError as error:
            self.refused.append(error.code)


async def rows(dsn: str, statement: str, *values: object) -> list[Any]:
    """What a statement returns, on a connection of its own."""
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetch(statement, *values)
    finally:
        await connection.close()


async def value(dsn: str, statement: str, *values: object) -> Any:
    """The one value that a statement returns."""
    [[found]] = await rows(dsn, statement, *values)
    return found


async def waiting_for_locks(dsn: str, count: int) -> None:
    """Return when `count` statements in the database of `dsn` wait for somebody's lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    await eventually(lambda: value(dsn, waiting), count)


async def eventually(ask: Callable[[], Awaitable[object]], expected: object) -> None:
    """Return when `ask` answers what is expected; what it answered last is in the failure."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while (found := await ask()) != expected:
        assert asyncio.get_running_loop().time() < deadline, f"{found} and not {expected}"
        await asyncio.sleep(0.01)


@dataclass(frozen=True, slots=True)
class Counted:
    """What a session's row says of the rows that hang on it, or what those rows say."""

    messages: list[int]
    events: list[int]
    by_role: dict[str, int]
    tool_calls: int
    tokens: int
    tools: dict[str, int]
    models: dict[str, int]


_TALLIES = "SELECT name, times FROM session_tallies WHERE session_id = $1 AND kind = $2"

_MODELS = """
SELECT model FROM chat_messages WHERE session_id = $1 AND role = 'assistant' AND model IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.message_id = chat_messages.id AND runs.generation = 0)
"""
"""Of each answer; a run that no worker took asked none."""

_COUNTERS = """
SELECT last_sequence, last_event, tool_calls, total_tokens_used,
       user_messages AS "user", assistant_messages AS assistant, system_messages AS system, tool_messages AS tool
FROM chat_sessions WHERE id = $1
"""


async def counters(dsn: str, session_id: SessionId) -> Counted:
    """What the session's row says."""
    [row] = await rows(dsn, _COUNTERS, session_id)
    return Counted(
        list(range(1, row["last_sequence"] + 1)),
        list(range(1, row["last_event"] + 1)),
        {role: row[role] for role in MessageRole if row[role]},
        row["tool_calls"],
        row["total_tokens_used"],
        dict(await rows(dsn, _TALLIES, session_id, "tool")),
        dict(await rows(dsn, _TALLIES, session_id, "model")),
    )


async def recounted(dsn: str, session_id: SessionId) -> Counted:
    """What the rows themselves say; tool calls by their events, for those of a deleted message are gone."""
    messages = await rows(
        dsn,
        "SELECT sequence_number, role, token_count FROM chat_messages WHERE session_id = $1 ORDER BY 1",
        session_id,
    )
    events = await rows(
        dsn, "SELECT seq, kind, payload->>'name' AS name FROM events WHERE stream_id = $1 ORDER BY 1", session_id
    )
    roles = [message["role"] for message in messages]
    tools = [event["name"] for event in events if event["kind"] == "tool_call.added"]
    return Counted(
        [message["sequence_number"] for message in messages],
        [event["seq"] for event in events],
        {role: roles.count(role) for role in MessageRole if role in roles},
        len(tools),
        sum(message["token_count"] for message in messages),
        Counter(tools),
        Counter(row["model"] for row in await rows(dsn, _MODELS, session_id)),
    )


_BROKEN = {
    "created_at goes backwards along the sequence": """
        SELECT count(*) FROM (SELECT created_at < lag(created_at) OVER (PARTITION BY tenant_id, session_id
        ORDER BY sequence_number) AS backwards FROM chat_messages) AS steps WHERE backwards""",
    "the time of an event goes backwards along its number": """
        SELECT count(*) FROM (SELECT at < lag(at) OVER (PARTITION BY tenant_id, stream_id ORDER BY seq) AS backwards
        FROM events) AS steps WHERE backwards""",
    "a message without its one event, that is no copy": """
        SELECT count(*) FROM chat_messages AS m WHERE (SELECT count(*) FROM events AS e WHERE e.stream_id = m.session_id
        AND (e.kind = 'message.appended' AND e.payload->>'sequenceNumber' = m.sequence_number::text
        OR e.kind = 'session.forked' AND (e.payload->>'messageCount')::int >= m.sequence_number)) <> 1""",
    "an active leaf that is not there, answered already, or has another parent": """
        SELECT count(*) FROM chat_sessions AS s WHERE s.last_sequence > 0 AND NOT EXISTS (
        SELECT 1 FROM chat_messages AS m WHERE m.session_id = s.id AND m.id = s.active_leaf_id
        AND m.parent_message_id IS NOT DISTINCT FROM s.active_leaf_parent_id
        AND NOT EXISTS (SELECT 1 FROM chat_messages AS c WHERE c.parent_message_id = m.id))""",
    "a tool call count that is not that of the calls": """
        SELECT count(*) FROM chat_messages AS m WHERE m.tool_call_count <> (SELECT count(*) FROM tool_calls AS c
        WHERE c.message_id = m.id)""",
    "an attachment count that is not that of the files": """
        SELECT count(*) FROM chat_messages AS m WHERE m.attachment_count <> (SELECT count(*) FROM message_attachments
        AS a WHERE a.message_id = m.id)""",
    "a tool call position out of order": """
        SELECT count(*) FROM (SELECT position, row_number() OVER (PARTITION BY message_id ORDER BY position) AS place
        FROM tool_calls) AS calls WHERE position <> place""",
    "a tombstone with content": "SELECT count(*) FROM chat_messages WHERE deleted_at IS NOT NULL AND content <> ''",
    "a row without a session": """
        SELECT count(*) FROM (SELECT session_id FROM chat_messages UNION ALL SELECT session_id FROM session_metadata)
        AS hanging WHERE session_id NOT IN (SELECT id FROM chat_sessions)""",
    "a session without metadata": """
        SELECT count(*) FROM chat_sessions WHERE id NOT IN (SELECT session_id FROM session_metadata)""",
}


async def broken_rules(dsn: str) -> list[str]:
    """The rules that some row breaks, whatever was written and in which order."""
    return [rule for rule, count in _BROKEN.items() if await value(dsn, count)]
