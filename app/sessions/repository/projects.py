"""Statements about all sessions of a project, whoever they belong to."""

from typing import Any
from uuid import UUID

from sqlalchemy import Text, Uuid, cast, delete, literal, select
from sqlalchemy import func as sql

from app.core.actor import Actor
from app.db.scopes import UnitOfWork
from app.db.statement import Command, param
from app.events.fragments import event, event_parameters
from app.events.values import EventKind
from app.sessions.fragments import sessions
from app.sessions.models import ChatSession
from app.sessions.values import SessionId

_OF_PROJECT = (sessions.c.tenant_id == param("tenant_id"), sessions.c.project_id == param("project_id", Uuid))

_LOCK = Command(
    UUID,
    # As a deletion locks them: a weaker lock could not be made that one in the same order.
    select(sessions.c.id).where(*_OF_PROJECT).order_by(sessions.c.id).with_for_update(),
)


def _delete() -> Command[UUID]:
    gone = (
        delete(sessions)
        .where(*_OF_PROJECT)
        .returning(
            sessions.c.tenant_id,
            sessions.c.id,
            sessions.c.user_id,
            (sessions.c.last_event + 1).label("last_event"),
            sql.greatest(sessions.c.updated_at, sql.statement_timestamp()).label("updated_at"),
        )
        .cte("session")
    )
    name = sql.concat(literal(f"{ChatSession.node_type}:", Text), cast(gone.c.id, Text))
    # Its global id, which is too short for a line break.
    named: Any = sql.encode(sql.convert_to(name, literal("UTF8", Text)), literal("base64", Text))
    written = event(EventKind.SESSION_DELETED, stream=gone, facts={"sessionId": named})
    return Command(UUID, select(gone.c.id).add_cte(written))


_DELETE = _delete()


async def lock_of_project(uow: UnitOfWork, actor: Actor, project_id: UUID) -> list[SessionId]:
    """The ids of all sessions of a project, in their order, which is the one they are locked in."""
    found = await uow.run(_LOCK, tenant_id=actor.tenant_id, project_id=project_id)
    return [SessionId(found_id) for found_id in found]


async def remove_of_project(uow: UnitOfWork, actor: Actor, project_id: UUID) -> int:
    """Delete all sessions of a project and all that hangs on them, with an event of each; how many."""
    gone = await uow.run(_DELETE, tenant_id=actor.tenant_id, project_id=project_id, **event_parameters(actor, {}))
    for session_id in gone:
        uow.announce(session_id)
    return len(gone)
