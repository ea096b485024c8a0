"""Copies rows into the tables of all rooms, and looks for what an earlier run has copied."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Text, Uuid, any_, literal, select

from app.core.actor import TenantId
from app.db.base import Base, table_of
from app.db.scopes import ReadScope, UnitOfWork
from app.db.statement import Query, param
from app.events.models import Event
from app.seeding.rows import Rows
from app.sessions.models import ChatSession, SessionMetadata

_sessions, _metadata, _events = table_of(ChatSession), table_of(SessionMetadata), table_of(Event)


class Marked(NamedTuple):
    """The session by which a seed is known."""

    custom_data: dict[str, Any]


_MARKED = Query(
    Marked,
    select(_metadata.c.custom_data).where(
        _metadata.c.tenant_id == param("tenant_id", Text), _metadata.c.session_id == param("session_id", Uuid)
    ),
)

_THERE = Query(
    UUID,
    select(_sessions.c.id)
    .where(_sessions.c.tenant_id == param("tenant_id", Text), _sessions.c.id == any_(param("ids", ARRAY(Uuid))))
    .limit(1),
)

_BEGUN = Query(
    UUID,
    select(_events.c.stream_id).where(
        _events.c.tenant_id == param("tenant_id", Text),
        _events.c.stream_id == any_(param("ids", ARRAY(Uuid))),
        _events.c.seq == literal(1, BigInteger),
    ),
)


async def marked(scope: ReadScope, tenant_id: TenantId, session_id: UUID) -> dict[str, Any] | None:
    """What the first session of a seed was filed with; None when it is not there."""
    found = await scope.first(_MARKED, tenant_id=tenant_id, session_id=session_id)
    return found.custom_data if found else None


async def any_there(scope: ReadScope, tenant_id: TenantId, ids: list[UUID]) -> bool:
    """Whether one of these sessions is there."""
    return await scope.first(_THERE, tenant_id=tenant_id, ids=ids) is not None


async def begun(scope: ReadScope, tenant_id: TenantId, ids: list[UUID]) -> set[UUID]:
    """Those of these projects that were there at any time: their events stay when they are deleted."""
    return set(await scope.all(_BEGUN, tenant_id=tenant_id, ids=ids))


async def copy(uow: UnitOfWork, rows: Rows, tables: Mapping[type[Any], type[Base]]) -> None:
    """Copy rows into their tables, whose order is one in which foreign keys hold."""
    for kind, table in tables.items():
        if rows[kind]:
            await uow.copy(table_of(table), kind._fields, rows[kind])
