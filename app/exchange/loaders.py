"""Reads for exports: a session, its messages page by page; and whose sessions there are, for an operator."""

from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Integer, Text, Uuid, select, tuple_

from app.attachments.loaders import attachments_of_messages
from app.attachments.models import MessageAttachment
from app.core.actor import Actor, TenantId
from app.db.database import Database
from app.db.statement import Query, param
from app.graph.loading import Loaders
from app.messages.loaders import MessageById, Place, messages_after, messages_numbered, places_after
from app.messages.models import ChatMessage
from app.messages.values import MessageId
from app.sessions.errors import SessionNotFound
from app.sessions.fragments import sessions
from app.sessions.loaders import AgentStatesOfSession, MetadataOfSession, SessionById
from app.sessions.models import AgentState, ChatSession, SessionMetadata
from app.sessions.values import SessionId
from app.tools.loaders import ExecutionTexts, calls_of_messages, executions_of_calls, texts_of_executions
from app.tools.models import ToolCall, ToolExecution
from app.tools.values import ToolCallId, ToolExecutionId

MESSAGES_AT_ONCE = 50
"""In memory, and read by one statement: as many long books at worst."""
PLACES_AT_ONCE = 5_000
"""Messages without what they say."""
EXECUTIONS_AT_ONCE = 50
"""Whose texts are in memory: they have a million characters at worst, like messages."""
SESSIONS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class WholeMessage:
    """A message with what hangs on it."""

    message: ChatMessage
    parent: int | None
    """The number of the message that it answers."""
    calls: tuple[ToolCall, ...]
    """By position."""
    executions: tuple[tuple[ToolCall, ToolExecution], ...]
    """Of its calls, without their texts."""
    attachments: tuple[MessageAttachment, ...]
    """Without their content."""


@dataclass(frozen=True, slots=True)
class SessionReading:
    """A session as it was when its export began: what comes after is not read. Nothing is held between two pages."""

    database: Database
    actor: Actor
    session: ChatSession
    filed: SessionMetadata | None
    agent_states: tuple[AgentState, ...]
    active_leaf: int | None
    """The number of the message that the session goes on from."""

    @classmethod
    async def of(cls, database: Database, actor: Actor, session_id: SessionId) -> "SessionReading":
        """Begin to read; SessionNotFound where the actor may not."""
        loaders = Loaders(database, actor)
        session = await loaders.of(SessionById).load(session_id)
        if session is None:
            raise SessionNotFound
        filed = await loaders.of(MetadataOfSession).load(session_id)
        states = await loaders.of(AgentStatesOfSession).load(session_id) if session.agent_states else []
        leaf = session.active_leaf_id and await loaders.of(MessageById).load(MessageId(session.active_leaf_id))
        return cls(database, actor, session, filed, tuple(states), leaf.sequence_number if leaf else None)

    @property
    def last(self) -> int:
        """The number of the last message."""
        return self.session.last_sequence

    async def all(self) -> AsyncIterator[list[WholeMessage]]:
        """Every message in its order, page by page."""
        after = 0
        while after < self.last:
            async with self.database.read() as scope:
                found = await messages_after(scope, self.actor, self._id, after, self.last, MESSAGES_AT_ONCE)
                places = await places_after(scope, self.actor, self._id, after, self.last, MESSAGES_AT_ONCE)
            if not found:
                # Deleted meanwhile: what was written so far must not look whole.
                raise SessionNotFound
            parents = {place.number: await self._within(place.parent) for place in places}
            yield await self._whole(found, parents)
            after = found[-1].sequence_number

    async def along(self, path: list[Place]) -> AsyncIterator[list[WholeMessage]]:
        """The messages of a path, page by page."""
        for start in range(0, len(path), MESSAGES_AT_ONCE):
            numbers = [place.number for place in path[start : start + MESSAGES_AT_ONCE]]
            async with self.database.read() as scope:
                found = await messages_numbered(scope, self.actor, self._id, numbers)
            if len(found) < len(numbers):
                raise SessionNotFound
            yield await self._whole(found, {})

    async def path(self) -> list[Place]:
        """Where the messages stand that lead to the active leaf, without what they say."""
        found: dict[int, Place] = {}
        after = 0
        while after < self.last:
            async with self.database.read() as scope:
                places = await places_after(scope, self.actor, self._id, after, self.last, PLACES_AT_ONCE)
            if not places:
                raise SessionNotFound
            found |= {place.number: place._replace(parent=await self._within(place.parent)) for place in places}
            after = places[-1].number
        path = []
        number = self.active_leaf
        while number is not None:
            path.append(found[number])
            number = found[number].parent
        return path[::-1]

    async def texts(self, page: list[WholeMessage]) -> AsyncIterator[ExecutionTexts | None]:
        """What the tools of a page's executions were given and answered, in their order; None of one that is gone."""
        ids = [ToolExecutionId(execution.id) for whole in page for _, execution in whole.executions]
        for start in range(0, len(ids), EXECUTIONS_AT_ONCE):
            some = ids[start : start + EXECUTIONS_AT_ONCE]
            async with self.database.read() as scope:
                found = await texts_of_executions(scope, self.actor, some)
            for execution_id in some:
                yield found.get(execution_id)

    async def require(self) -> None:
        """SessionNotFound when the session was deleted meanwhile."""
        if await Loaders(self.database, self.actor).of(SessionById).load(self._id) is None:
            raise SessionNotFound

    async def _within(self, number: int | None) -> int | None:
        """The nearest message at or above `number` that is read: since then, others may have come in between."""
        while number is not None and number > self.last:
            async with self.database.read() as scope:
                above = await places_after(scope, self.actor, self._id, number - 1, number, 1)
            if not above:
                raise SessionNotFound
            number = above[0].parent
        return number

    async def _whole(self, found: list[ChatMessage], parents: dict[int, int | None]) -> list[WholeMessage]:
        calls: dict[UUID, list[ToolCall]] = defaultdict(list)
        files: dict[UUID, list[MessageAttachment]] = defaultdict(list)
        executions: dict[ToolCallId, ToolExecution] = {}
        calling = [MessageId(message.id) for message in found if message.tool_call_count]
        having_files = [MessageId(message.id) for message in found if message.attachment_count]
        async with self.database.read() as scope:
            if calling:
                for call in await calls_of_messages(scope, self.actor, calling):
                    calls[call.message_id].append(call)
                ids = [ToolCallId(call.id) for some in calls.values() for call in some]
                executions = await executions_of_calls(scope, self.actor, ids)
            if having_files:
                for file in await attachments_of_messages(scope, self.actor, having_files):
                    files[file.message_id].append(file)
        return [
            WholeMessage(
                message,
                parents.get(message.sequence_number),
                tuple(calls[message.id]),
                tuple(
                    (call, executions[ToolCallId(call.id)])
                    for call in calls[message.id]
                    if ToolCallId(call.id) in executions
                ),
                tuple(files[message.id]),
            )
            for message in found
        ]

    @property
    def _id(self) -> SessionId:
        return SessionId(self.session.id)


class OwnedSession(NamedTuple):
    """A session, and whose it is."""

    tenant_id: str
    user_id: str
    id: UUID


_NARROWED = {
    "session_id": sessions.c.id == param("session_id", Uuid),
    "of_tenant": sessions.c.tenant_id == param("of_tenant", Text),
    "of_user": sessions.c.user_id == param("of_user", Text),
}


@lru_cache(maxsize=8)
def _listed(names: frozenset[str], further: bool) -> Query[OwnedSession]:
    place = tuple_(sessions.c.tenant_id, sessions.c.id)
    conditions = [_NARROWED[name] for name in sorted(names)]
    if further:
        conditions.append(place > tuple_(param("after_tenant", Text), param("after_id", Uuid)))
    return Query(
        OwnedSession,
        select(sessions.c.tenant_id, sessions.c.user_id, sessions.c.id)
        .where(*conditions)
        .order_by(sessions.c.tenant_id, sessions.c.id)
        .limit(param("most", Integer)),
    )


async def sessions_of(
    database: Database,
    *,
    session_id: SessionId | None = None,
    tenant: TenantId | None = None,
    user: str | None = None,
) -> AsyncIterator[OwnedSession]:
    """The sessions of a tenant, of a user in it, or all there are: for the operator, who is no actor."""
    given = {"session_id": session_id, "of_tenant": tenant, "of_user": user}
    wanted = {name: value for name, value in given.items() if value is not None}
    last: dict[str, object] = {}
    while True:
        query = _listed(frozenset(wanted), bool(last))
        async with database.read() as scope:
            found = await scope.all(query, most=SESSIONS_AT_ONCE, **wanted, **last)
        for session in found:
            yield session
        if len(found) < SESSIONS_AT_ONCE:
            return
        last = {"after_tenant": found[-1].tenant_id, "after_id": found[-1].id}
