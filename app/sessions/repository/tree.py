"""Statements that move the active leaf of a session, and fork it."""

from dataclasses import asdict, fields
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Text, Uuid, select, update
from sqlalchemy import func as sql
from sqlalchemy.dialects.postgresql import insert

from app.core.actor import Actor
from app.core.ids import global_id
from app.db.base import table_of
from app.db.scopes import UnitOfWork
from app.db.statement import Command, param
from app.events.fragments import event, event_parameters
from app.events.values import EventKind
from app.sessions.fragments import is_session, owned, sessions, touched
from app.sessions.models import ChatSession, SessionMetadata
from app.sessions.repository.facts import named
from app.sessions.values import Counters, Fork, SessionId

_metadata = table_of(SessionMetadata)


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


def _set_leaf() -> Command[ChatSession]:
    leaf = {"active_leaf_id": param("leaf_id", Uuid), "active_leaf_parent_id": param("leaf_parent_id", Uuid)}
    session = touched(is_session(), changes=leaf)
    return Command(ChatSession, select(*session.c).add_cte(event(EventKind.SESSION_LEAF_SET, stream=session)))


_RESTORE_LEAF = Command(
    UUID,
    update(sessions)
    .where(owned(), is_session())
    .values(active_leaf_id=param("leaf_id", Uuid), active_leaf_parent_id=param("leaf_parent_id", Uuid))
    .returning(sessions.c.id),
)


_FORK = _fork()


_SET_LEAF = _set_leaf()


async def fork(uow: UnitOfWork, actor: Actor, new: Fork) -> ChatSession | None:
    """Store a session like another, with its metadata and event; None when that one is not the actor's."""
    uow.announce(new.id)
    facts = {
        "sessionId": named(new.id),
        "title": new.title,
        "forkedFromSessionId": named(new.origin_id),
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


async def set_leaf(
    uow: UnitOfWork, actor: Actor, session_id: SessionId, leaf_id: UUID, leaf_parent_id: UUID | None
) -> ChatSession | None:
    """Make a message of a session its active leaf; None when there is none of the actor's."""
    uow.announce(session_id)
    # Not ChatMessage.node_type: the room of messages is above this one.
    facts = {"sessionId": named(session_id), "messageId": global_id("ChatMessage", leaf_id)}
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
