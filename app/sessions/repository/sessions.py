"""Statements that write sessions and their metadata."""

from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Text, Uuid, delete, select, true, update
from sqlalchemy import func as sql
from sqlalchemy.dialects.postgresql import JSONB, insert

from app.core.actor import Actor
from app.db.base import table_of
from app.db.scopes import ReadScope, UnitOfWork
from app.db.statement import Command, Query, param, past
from app.events.fragments import event, event_parameters
from app.events.values import EventKind
from app.idempotency.fragments import gate, gate_parameters, passed
from app.idempotency.values import ClientKey
from app.sessions.fragments import is_session, owned, session_claimed, sessions, touched
from app.sessions.models import ChatSession, SessionMetadata
from app.sessions.repository.facts import named, on
from app.sessions.values import NewSession, SessionId

_metadata = table_of(SessionMetadata)

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
        "project_id": param("project_id", Uuid),
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


_CREATE = _create(taken_over=False)


_TAKE_OVER = _create(taken_over=True)


_DELETE = _delete()


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
        "project_id": new.project_id,
        "tags": list(new.metadata.tags),
        "custom_data": new.metadata.custom_data,
        "summary": new.metadata.summary,
        **actor.as_owner(),
        **gate_parameters(key, new.id),
        **event_parameters(actor, {"sessionId": named(new.id), "title": new.title}),
    }


async def update_columns(
    uow: UnitOfWork, actor: Actor, session_id: SessionId, changes: dict[str, Any], key: ClientKey | None
) -> ChatSession | None:
    """Change columns of a session; None when there is none of the actor's, or its key was used before."""
    uow.announce(session_id)
    return await uow.run_one(
        _update(frozenset(changes)),
        **{f"new_{name}": value for name, value in changes.items()},
        **on(actor, session_id, key, {"changed": sorted(changes)}),
    )


async def set_metadata(
    uow: UnitOfWork, actor: Actor, session_id: SessionId, changes: dict[str, Any], key: ClientKey | None
) -> ChatSession | None:
    """Change columns of a session's metadata; None when there is none of the actor's, or its key was used before."""
    uow.announce(session_id)
    return await uow.run_one(
        _set_metadata(frozenset(changes)),
        **{f"new_{name}": value for name, value in changes.items()},
        **on(actor, session_id, key, {"changed": sorted(changes)}),
    )


async def remove(uow: UnitOfWork, actor: Actor, session_id: SessionId, key: ClientKey | None) -> ChatSession | None:
    """Delete a session and all that hangs on it; its last state, or None as above."""
    uow.announce(session_id)
    return await uow.run_one(_DELETE, **on(actor, session_id, key, {}))
