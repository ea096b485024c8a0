"""Batched reads of sessions and their metadata."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, DateTime, Select, Text, Uuid, any_, exists, func, select

from app.core.actor import Actor
from app.core.paging import ListName, Page, PageRequest
from app.db.base import table_of
from app.db.database import Database
from app.db.pages import Order, PageShape
from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.graph.columns import Columns, OnDemand
from app.graph.loading import Loader
from app.sessions.fragments import readable, sessions
from app.sessions.models import AgentState, ChatSession, SessionMetadata
from app.sessions.values import AgentStateId, SessionFilter, SessionId, SessionOrder

_metadata = table_of(SessionMetadata)
_states = table_of(AgentState)

SESSION_COLUMNS = OnDemand(
    sessions,
    {
        "description": ("description",),
        "agentId": ("agent_id",),
        "model": ("model",),
        "provider": ("provider",),
        "createdAt": ("created_at",),
        "updatedAt": ("updated_at",),
        "lastModifiedAt": ("updated_at",),
        "totalTokensUsed": ("total_tokens_used",),
        "estimatedCost": ("estimated_cost",),
        "totalDurationMs": ("total_duration_ms",),
        "activeLeaf": ("active_leaf_id",),
        "activePath": ("active_leaf_id",),
        "forkedFrom": ("forked_from_session_id", "forked_from_message_id"),
        "project": ("project_id",),
    },
    unshown=(
        "tenant_id",
        "last_event",
        "active_leaf_parent_id",
        "user_messages",
        "assistant_messages",
        "system_messages",
        "tool_messages",
        "tool_calls",
        "tool_executions",
        "agent_states",
        "awaiting_answer_since",
        "answered",
        "answer_ms",
    ),
)
"""Of lists. By its id a session is read whole: for whom else it is read, one statement serves."""

_BY_IDS = Query(ChatSession, select(*sessions.c).where(readable(), sessions.c.id == any_(param("ids", ARRAY(Uuid)))))

_METADATA_BY_IDS = Query(
    SessionMetadata,
    select(*_metadata.c)
    .join(sessions, (sessions.c.tenant_id == _metadata.c.tenant_id) & (sessions.c.id == _metadata.c.session_id))
    .where(
        readable(),
        _metadata.c.tenant_id == param("tenant_id"),
        _metadata.c.session_id == any_(param("ids", ARRAY(Uuid))),
    ),
)

_STATES_BY_IDS = Query(
    AgentState,
    select(*_states.c)
    .join(sessions, (sessions.c.tenant_id == _states.c.tenant_id) & (sessions.c.id == _states.c.session_id))
    .where(readable(), _states.c.tenant_id == param("tenant_id"), _states.c.id == any_(param("ids", ARRAY(Uuid)))),
)

_STATES_OF_SESSIONS = Query(
    AgentState,
    select(*_states.c)
    .where(_states.c.tenant_id == param("tenant_id"), _states.c.session_id == any_(param("ids", ARRAY(Uuid))))
    .order_by(_states.c.session_id, _states.c.agent_id),
)


def _states_by_keys() -> Query[AgentState]:
    keys = func.unnest(param("sessions", ARRAY(Uuid)), param("agents", ARRAY(Text)))
    wanted = keys.table_valued("session_id", "agent_id").render_derived(name="wanted")
    same = (wanted.c.session_id == _states.c.session_id) & (wanted.c.agent_id == _states.c.agent_id)
    return Query(AgentState, select(*_states.c).join(wanted, same).where(_states.c.tenant_id == param("tenant_id")))


_STATES_BY_KEYS = _states_by_keys()


class SessionById(Loader[SessionId, ChatSession | None]):
    """Sessions the actor may read; None for any other id."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[SessionId]) -> Sequence[ChatSession | None]:
        """One statement for all ids."""
        found = {row.id: row for row in await scope.all(_BY_IDS, ids=keys, **actor.as_reader())}
        return [found.get(key) for key in keys]


class MetadataOfSession(Loader[SessionId, SessionMetadata | None]):
    """The metadata of sessions the actor may read; None for any other id."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[SessionId]) -> Sequence[SessionMetadata | None]:
        """One statement for all ids."""
        found = {row.session_id: row for row in await scope.all(_METADATA_BY_IDS, ids=keys, **actor.as_reader())}
        return [found.get(key) for key in keys]


class AgentStateById(Loader[AgentStateId, AgentState | None]):
    """States of agents in sessions the actor may read; None for any other id."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[AgentStateId]) -> Sequence[AgentState | None]:
        """One statement for all ids."""
        found = {row.id: row for row in await scope.all(_STATES_BY_IDS, ids=keys, **actor.as_reader())}
        return [found.get(key) for key in keys]


class AgentStatesOfSession(Loader[SessionId, list[AgentState]]):
    """The states of sessions that were read before, by agent; whoever has the session may read them."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[SessionId]) -> Sequence[list[AgentState]]:
        """One statement for all sessions."""
        found: dict[SessionId, list[AgentState]] = defaultdict(list)
        for row in await scope.all(_STATES_OF_SESSIONS, tenant_id=actor.tenant_id, ids=keys):
            found[SessionId(row.session_id)].append(row)
        return [found[key] for key in keys]


class AgentStateOfSession(Loader[tuple[SessionId, str], AgentState | None]):
    """The state of one agent in each of sessions that were read before."""

    async def fetch(
        self, scope: ReadScope, actor: Actor, keys: list[tuple[SessionId, str]]
    ) -> Sequence[AgentState | None]:
        """One statement for all sessions and agents."""
        sessions_, agents = [key[0] for key in keys], [key[1] for key in keys]
        rows = await scope.all(_STATES_BY_KEYS, tenant_id=actor.tenant_id, sessions=sessions_, agents=agents)
        found = {(SessionId(row.session_id), row.agent_id): row for row in rows}
        return [found.get(key) for key in keys]


_BY_UPDATED = (sessions.c.updated_at, sessions.c.id)
_BY_CREATED = (sessions.c.created_at, sessions.c.id)
_TYPES = (datetime, UUID)

_ORDERS = {
    SessionOrder.UPDATED_AT_DESC: Order(_BY_UPDATED, _TYPES, descending=True),
    SessionOrder.UPDATED_AT_ASC: Order(_BY_UPDATED, _TYPES),
    SessionOrder.CREATED_AT_DESC: Order(_BY_CREATED, _TYPES, descending=True),
    SessionOrder.CREATED_AT_ASC: Order(_BY_CREATED, _TYPES),
}


def _conditions() -> dict[str, ColumnElement[bool]]:
    tagged = exists(
        select(_metadata.c.session_id).where(
            _metadata.c.tenant_id == sessions.c.tenant_id,
            _metadata.c.session_id == sessions.c.id,
            _metadata.c.tags.contains(param("tags", ARRAY(Text))),
        )
    )
    return {
        "status": sessions.c.status == any_(param("status", ARRAY(Text))),
        "agent_id": sessions.c.agent_id == param("agent_id"),
        "tags": tagged,
        "updated_from": sessions.c.updated_at >= param("updated_from", DateTime(timezone=True)),
        "updated_to": sessions.c.updated_at < param("updated_to", DateTime(timezone=True)),
        "project_id": sessions.c.project_id == param("project_id", Uuid),
    }


def _owned_by_one() -> ColumnElement[bool]:
    # A list is always one user's: without a user id the index could not give the order.
    return (sessions.c.tenant_id == param("tenant_id")) & (sessions.c.user_id == param("owner_id", Text))


def narrowing(names: frozenset[str]) -> list[ColumnElement[bool]]:
    """The conditions on a session that are named as in `SessionFilter.given`. Parameters: the same names."""
    conditions = _conditions()
    return [conditions[name] for name in sorted(names)]


def _narrowed(rows: Select[Any], names: frozenset[str]) -> Select[Any]:
    # Said of all lists but a project's: the index of conversations wants it word for word.
    conversations = [] if "project_id" in names else [sessions.c.project_id.is_(None)]
    return rows.where(_owned_by_one(), *conversations, *narrowing(names))


@lru_cache(maxsize=256)
def _page(names: frozenset[str], order: SessionOrder, shape: PageShape, columns: Columns) -> Query[ChatSession]:
    # Cursors are made of what the list is ordered by.
    ordered_by = (str(column.key) for column in _ORDERS[order].columns)
    rows = select(*SESSION_COLUMNS.read(columns.union(ordered_by)))
    return Query(ChatSession, _ORDERS[order].page(_narrowed(rows, names), shape))


@lru_cache(maxsize=32)
def _count(names: frozenset[str]) -> Query[int]:
    return Query(int, _narrowed(select(func.count().label("count")).select_from(sessions), names))


async def page_of_sessions(
    database: Database,
    actor: Actor,
    wanted: SessionFilter,
    order: SessionOrder,
    request: PageRequest,
    columns: Columns = SESSION_COLUMNS.whole,
) -> Page[ChatSession]:
    """A page of the actor's sessions, or for an admin of another user's. Another's list is empty to anybody else.

    Conversations only, where `wanted` names no project.
    """
    owner = wanted.user_id or actor.user_id
    given = wanted.given()
    values: dict[str, object] = {"tenant_id": actor.tenant_id, "owner_id": owner, **given}
    names = frozenset(given)
    list_name = ListName(f"sessions:{order}")
    allowed = actor.is_admin or owner == actor.user_id
    position = _ORDERS[order].parameters(request, list_name)

    async def count() -> int:
        async with database.read() as scope:
            return (await scope.first(_count(names), **values) or 0) if allowed else 0

    found: list[ChatSession] = []
    if allowed:
        async with database.read() as scope:
            found = await scope.all(_page(names, order, PageShape.of(request), columns), **values, **position)
    column = str(_ORDERS[order].columns[0].key)
    return Page.of(found, request, lambda row: list_name.encode((getattr(row, column), row.id)), count)
