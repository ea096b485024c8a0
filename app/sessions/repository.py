"""Every statement that writes sessions and their metadata, and the lists of sessions."""

from dataclasses import asdict, fields
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Text,
    Uuid,
    case,
    delete,
    exists,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy import func as sql
from sqlalchemy.dialects.postgresql import JSONB, insert

from app.core.actor import Actor
from app.core.ids import global_id
from app.db.base import table_of
from app.db.scopes import ReadScope, UnitOfWork
from app.db.statement import Command, Query, param, past
from app.events.fragments import event, event_parameters
from app.events.values import EventKind
from app.idempotency.fragments import gate, gate_parameters, passed
from app.idempotency.values import ClientKey
from app.sessions.fragments import claimed, is_session, owned, session_claimed, sessions, touched
from app.sessions.models import AgentState, ChatSession, SessionMetadata
from app.sessions.values import MOST_AGENTS, Counters, Fork, NewAgentState, NewSession, SessionId

_metadata = table_of(SessionMetadata)
_states = table_of(AgentState)

SAME_AGENT = "pk_agent_states"
"""The key that refuses a second first state of an agent in a session."""

_OWNED = Query(ChatSession, select(*sessions.c).where(owned(), is_session()))

_LOCK = Command(ChatSession, select(*sessions.c).where(owned(), is_session()).with_for_update(key_share=True))


def _create(taken_over: bool) -> Command[ChatSession]:
    """Of a session that is taken over from elsewhere, the times are given, and its key lasts."""
    through = gate(true(), lasting=taken_over)
    now: ColumnElement[Any] = sql.statement_timestamp()
    begun = past("created_at") if taken_over else now
    changed = sql.greatest(begun, past("changed_at")) if taken_over else now
    row: dict[str, Any] = {
        "tenant_id": param("tenant_id", Text), "id": param("session_id", Uuid), "user_id": param("user_id", Text),
        "title": param("title", Text), "description": param("description", Text), "status": param("status", Text),
        "agent_id": param("agent_id", Text), "model": param("model", Text), "provider": param("provider", Text),
        "created_at": begun, "updated_at": changed, "last_event": 1,
    }  # fmt: skip
    created = (
        insert(sessions)
        .from_select(list(row), select(*row.values()).where(passed(through)))
        .returning(*sessions.c)
        .cte("session")
    )
    filed: dict[str, Any] = {
        "tenant_id": created.c.tenant_id, "session_id": created.c.id, "tags": param("tags", ARRAY(Text)),
        "custom_data": param("custom_data", JSONB), "summary": param("summary", Text),
    }  # fmt: skip
    metadata = insert(_metadata).from_select(list(filed), select(*filed.values())).cte("metadata")
    # The log says when it came here, not when it began.
    written = event(EventKind.SESSION_CREATED, stream=created, at=now)
    return Command(ChatSession, select(*created.c).add_cte(metadata, written))


def _fork() -> Command[ChatSession]:
    """A session with what the origin is and is filed under, its own counters, and its first event."""
    origin = select(*sessions.c).where(owned(), sessions.c.id == param("origin_id", Uuid)).cte("origin")
    now = sql.greatest(origin.c.updated_at, sql.statement_timestamp())
    kept = ("tenant_id", "user_id", "description", "agent_id", "model", "provider")
    counters = {counter.name: param(counter.name, sessions.c[counter.name].type) for counter in fields(Counters)}
    row: dict[str, Any] = {
        **{name: origin.c[name] for name in kept}, **counters, "id": param("session_id", Uuid),
        "title": param("title", Text), "created_at": now, "updated_at": now, "last_event": 1,
        "last_sequence": param("last_sequence", Integer), "active_leaf_id": param("leaf_id", Uuid),
        "active_leaf_parent_id": param("leaf_parent_id", Uuid), "forked_from_session_id": origin.c.id,
        "forked_from_message_id": param("origin_leaf_id", Uuid),
    }  # fmt: skip
    created = insert(sessions).from_select(list(row), select(*row.values())).returning(*sessions.c).cte("session")
    filed = [created.c.tenant_id, created.c.id, _metadata.c.tags, _metadata.c.custom_data, _metadata.c.summary]
    # Not the new session's column: the planner may join later, and look through all tenants' rows for the id.
    of_origin = (_metadata.c.tenant_id == param("tenant_id")) & (_metadata.c.session_id == param("origin_id", Uuid))
    metadata = (
        insert(_metadata)
        .from_select(
            ["tenant_id", "session_id", "tags", "custom_data", "summary"], select(*filed).join(_metadata, of_origin)
        )
        .cte("metadata")
    )
    return Command(ChatSession, select(*created.c).add_cte(metadata, event(EventKind.SESSION_FORKED, stream=created)))


@lru_cache(maxsize=64)
def _update(columns: frozenset[str]) -> Command[ChatSession]:
    through = gate(session_claimed())
    changes = {name: param(f"new_{name}", Text) for name in sorted(columns)}
    session = touched(is_session(), passed(through), changes=changes)
    return Command(ChatSession, select(*session.c).add_cte(event(EventKind.SESSION_UPDATED, stream=session)))


@lru_cache(maxsize=8)
def _set_metadata(columns: frozenset[str]) -> Command[ChatSession]:
    through = gate(session_claimed())
    session = touched(is_session(), passed(through))
    kinds: dict[str, Any] = {"tags": ARRAY(Text), "custom_data": JSONB, "summary": Text}
    filed = (
        update(_metadata)
        .where(_metadata.c.tenant_id == session.c.tenant_id, _metadata.c.session_id == session.c.id)
        .values({name: param(f"new_{name}", kinds[name]) for name in sorted(columns)})
        .cte("metadata")
    )
    written = event(EventKind.SESSION_METADATA_SET, stream=session)
    return Command(ChatSession, select(*session.c).add_cte(filed, written))


def _set_leaf() -> Command[ChatSession]:
    leaf = {"active_leaf_id": param("leaf_id", Uuid), "active_leaf_parent_id": param("leaf_parent_id", Uuid)}
    session = touched(is_session(), changes=leaf)
    return Command(ChatSession, select(*session.c).add_cte(event(EventKind.SESSION_LEAF_SET, stream=session)))


def _delete() -> Command[ChatSession]:
    through = gate(session_claimed())
    kept = [column for column in sessions.c if column.name not in ("last_event", "updated_at")]
    gone = (
        delete(sessions)
        .where(owned(), is_session(), passed(through))
        .returning(
            *kept,
            (sessions.c.last_event + 1).label("last_event"),
            sql.greatest(sessions.c.updated_at, sql.statement_timestamp()).label("updated_at"),
        )
        .cte("session")
    )
    return Command(ChatSession, select(*gone.c).add_cte(event(EventKind.SESSION_DELETED, stream=gone)))


def _set_agent_state(is_first: bool) -> Command[AgentState]:
    """Gate, session, compare-and-set and event in one statement; `is_first` where there is to be no state yet.

    A statement sees the rows as they were when it began, which is before it waited for the session. So a state that was
    there is compared by its lock, and one that others add meanwhile is met as a conflict of keys: it is replaced, or
    where this one is to be the first, the whole statement fails. A state never goes before its session does.
    """
    there = exists(select(_states.c.id).where(*_OF_AGENT))
    room = or_(there, sessions.c.agent_states < MOST_AGENTS)
    session = claimed(is_session(), room, columns=("tenant_id", "id", "updated_at"))
    locked = (
        select(_states.c.version)
        # The session's id as a value: PostgreSQL cannot come to this lock before it holds that of the session.
        .where(*_OF_AGENT, (_states.c.session_id == select(session.c.id).scalar_subquery()).is_(true()))
        .with_for_update(key_share=True)
        .cte("locked")
    )
    expected = param("expected_version", Integer)
    as_expected = exists(select(locked.c.version).where(locked.c.version == expected))
    fits = ~there if is_first else or_(expected.is_(None), as_expected)
    through = gate(exists(select(session.c.id)) & fits)
    at = sql.greatest(session.c.updated_at, sql.statement_timestamp())
    row: dict[str, Any] = {
        "tenant_id": session.c.tenant_id, "session_id": session.c.id, "agent_id": param("agent_id", Text),
        "id": param("agent_state_id", Uuid), "state": param("state", JSONB), "version": literal(1, Integer),
        "created_at": at, "updated_at": at,
    }  # fmt: skip
    stored: Any = insert(_states).from_select(list(row), select(*row.values()).where(passed(through), fits))
    if not is_first:
        given = stored.excluded
        again = {"state": given.state, "version": _states.c.version + 1, "updated_at": given.updated_at}
        stored = stored.on_conflict_do_update(constraint=SAME_AGENT, set_=again)
    kept = stored.returning(*_states.c).cte("agent_state")
    version = select(kept.c.version).scalar_subquery()
    counted = {"agent_states": sessions.c.agent_states + case((version == 1, 1), else_=0)}
    changed = touched(is_session(), exists(select(kept.c.id)), changes=counted)
    written = event(EventKind.SESSION_AGENT_STATE_SET, stream=changed, facts={"version": version})
    return Command(AgentState, select(*kept.c).add_cte(written))


_OF_AGENT = (
    _states.c.tenant_id == param("tenant_id"),
    _states.c.session_id == param("session_id", Uuid),
    _states.c.agent_id == param("agent_id", Text),
)

_OWNED_STATE = Query(
    AgentState,
    select(*_states.c)
    .join(sessions, (sessions.c.tenant_id == _states.c.tenant_id) & (sessions.c.id == _states.c.session_id))
    .where(owned(), *_OF_AGENT),
)

_RESTORE_LEAF = Command(
    UUID,
    update(sessions)
    .where(owned(), is_session())
    .values(active_leaf_id=param("leaf_id", Uuid), active_leaf_parent_id=param("leaf_parent_id", Uuid))
    .returning(sessions.c.id),
)

_CREATE = _create(taken_over=False)
_TAKE_OVER = _create(taken_over=True)
_FORK = _fork()
_SET_LEAF = _set_leaf()
_DELETE = _delete()
_SET_AGENT_STATE = {is_first: _set_agent_state(is_first) for is_first in (False, True)}


async def owned_session(scope: ReadScope, actor: Actor, session_id: SessionId) -> ChatSession | None:
    """The session, where it is the actor's own."""
    return await scope.first(_OWNED, session_id=session_id, **actor.as_owner())


async def locked_session(uow: UnitOfWork, actor: Actor, session_id: SessionId) -> ChatSession | None:
    """The newest version of the session, where it is the actor's own, locked."""
    return await uow.run_one(_LOCK, session_id=session_id, **actor.as_owner())


async def create(uow: UnitOfWork, actor: Actor, new: NewSession, key: ClientKey | None) -> ChatSession | None:
    """Store a session with its metadata and event; None when its key was used before."""
    uow.announce(new.id)
    return await uow.run_one(_CREATE, **_creating(actor, new, key))


async def take_over(
    uow: UnitOfWork,
    actor: Actor,
    new: NewSession,
    created_at: datetime | None,
    updated_at: datetime | None,
    key: ClientKey | None,
) -> ChatSession | None:
    """The same for a session that began elsewhere; of its times, None is now."""
    uow.announce(new.id)
    times = {"created_at": created_at, "changed_at": updated_at or created_at}
    return await uow.run_one(_TAKE_OVER, **times, **_creating(actor, new, key))


def _creating(actor: Actor, new: NewSession, key: ClientKey | None) -> dict[str, object]:
    return {
        "session_id": new.id,
        "title": new.title,
        "description": new.description,
        "status": new.status,
        "agent_id": new.agent_id,
        "model": new.model,
        "provider": new.provider,
        "tags": list(new.metadata.tags),
        "custom_data": new.metadata.custom_data,
        "summary": new.metadata.summary,
        **actor.as_owner(),
        **gate_parameters(key, new.id),
        **event_parameters(actor, {"sessionId": _named(new.id), "title": new.title}),
    }


async def fork(uow: UnitOfWork, actor: Actor, new: Fork) -> ChatSession | None:
    """Store a session like another, with its metadata and event; None when that one is not the actor's."""
    uow.announce(new.id)
    facts = {
        "sessionId": _named(new.id),
        "title": new.title,
        "forkedFromSessionId": _named(new.origin_id),
        "forkedFromMessageId": new.origin_leaf_id and global_id("ChatMessage", new.origin_leaf_id),
        "messageCount": new.counted.messages,
    }
    return await uow.run_one(
        _FORK,
        session_id=new.id,
        origin_id=new.origin_id,
        title=new.title,
        last_sequence=new.counted.messages,
        leaf_id=new.leaf_id,
        leaf_parent_id=new.leaf_parent_id,
        origin_leaf_id=new.origin_leaf_id,
        **asdict(new.counted),
        **actor.as_owner(),
        **event_parameters(actor, facts),
    )


async def update_columns(
    uow: UnitOfWork, actor: Actor, session_id: SessionId, changes: dict[str, Any], key: ClientKey | None
) -> ChatSession | None:
    """Change columns of a session; None when there is none of the actor's, or its key was used before."""
    uow.announce(session_id)
    return await uow.run_one(
        _update(frozenset(changes)),
        **{f"new_{name}": value for name, value in changes.items()},
        **_on(actor, session_id, key, {"changed": sorted(changes)}),
    )


async def set_metadata(
    uow: UnitOfWork, actor: Actor, session_id: SessionId, changes: dict[str, Any], key: ClientKey | None
) -> ChatSession | None:
    """Change columns of a session's metadata; None when there is none of the actor's, or its key was used before."""
    uow.announce(session_id)
    return await uow.run_one(
        _set_metadata(frozenset(changes)),
        **{f"new_{name}": value for name, value in changes.items()},
        **_on(actor, session_id, key, {"changed": sorted(changes)}),
    )


async def set_agent_state(
    uow: UnitOfWork, actor: Actor, new: NewAgentState, key: ClientKey | None
) -> AgentState | None:
    """Keep the state of an agent, where the one there is has the version expected.

    None, and nothing stored, when the actor owns no such session, the state has another version, the session is full,
    or the key was used before. Duplicate of SAME_AGENT when another state became the agent's first meanwhile.
    """
    uow.announce(new.session_id)
    is_first = new.expected_version == 0
    expected = {} if is_first else {"expected_version": new.expected_version}
    return await uow.run_one(
        _SET_AGENT_STATE[is_first],
        agent_state_id=new.id,
        agent_id=new.agent_id,
        state=new.state,
        **expected,
        **_on(actor, new.session_id, key, {"agentId": new.agent_id}),
    )


async def owned_agent_state(scope: ReadScope, actor: Actor, session_id: SessionId, agent_id: str) -> AgentState | None:
    """The state of an agent, where its session is the actor's own."""
    return await scope.first(_OWNED_STATE, session_id=session_id, agent_id=agent_id, **actor.as_owner())


async def set_leaf(
    uow: UnitOfWork, actor: Actor, session_id: SessionId, leaf_id: UUID, leaf_parent_id: UUID | None
) -> ChatSession | None:
    """Make a message of a session its active leaf; None when there is none of the actor's."""
    uow.announce(session_id)
    # Not ChatMessage.node_type: the room of messages is above this one.
    facts = {"sessionId": _named(session_id), "messageId": global_id("ChatMessage", leaf_id)}
    return await uow.run_one(
        _SET_LEAF,
        session_id=session_id,
        leaf_id=leaf_id,
        leaf_parent_id=leaf_parent_id,
        **actor.as_owner(),
        **event_parameters(actor, facts),
    )


async def restore_leaf(
    uow: UnitOfWork, actor: Actor, session_id: SessionId, leaf_id: UUID, leaf_parent_id: UUID | None
) -> None:
    """Make the active leaf again what it was before messages were appended in the same transaction."""
    leaf = {"leaf_id": leaf_id, "leaf_parent_id": leaf_parent_id}
    await uow.run(_RESTORE_LEAF, session_id=session_id, **leaf, **actor.as_owner())


async def remove(uow: UnitOfWork, actor: Actor, session_id: SessionId, key: ClientKey | None) -> ChatSession | None:
    """Delete a session and all that hangs on it; its last state, or None as above."""
    uow.announce(session_id)
    return await uow.run_one(_DELETE, **_on(actor, session_id, key, {}))


def _on(actor: Actor, session_id: SessionId, key: ClientKey | None, facts: dict[str, object]) -> dict[str, object]:
    return {
        "session_id": session_id,
        **actor.as_owner(),
        **gate_parameters(key, session_id),
        **event_parameters(actor, {"sessionId": _named(session_id), **facts}),
    }


def _named(session_id: SessionId) -> str:
    return global_id(ChatSession.node_type, session_id)
