"""Reads of the event log."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    ColumnElement,
    DateTime,
    Select,
    Text,
    Uuid,
    func,
    literal,
    or_,
    select,
    true,
)

from app.core.actor import Actor
from app.core.errors import ValidationError
from app.core.ids import parse_uuid
from app.core.paging import ListName, Page, PageRequest
from app.db.base import table_of
from app.db.database import Database
from app.db.pages import Order, PageShape
from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.events.models import Event
from app.events.values import SHARED, EventFilter, EventKind
from app.graph.loading import Loader
from app.streams.feed import MOST_READ
from app.streams.values import StreamKey

_events = table_of(Event)

_NEWEST_FIRST = Order((_events.c.at, _events.c.stream_id, _events.c.seq), (datetime, UUID, int), descending=True)

_LIST = ListName("auditEvents")

_NUMBER = re.compile(r"[1-9][0-9]{0,17}")

EventKey = tuple[UUID, int]
"""A stream's id and an event's number in it."""


def _readable(*, all_owners: bool) -> ColumnElement[bool]:
    """Events of one owner's streams, or of all the tenant's. Two statements, so that each has its index."""
    tenant = _events.c.tenant_id == param("tenant_id")
    return tenant if all_owners else tenant & (_events.c.owner_id == param("owner_id", Text))


def _owner(actor: Actor, wanted: EventFilter) -> str | None:
    """Whose streams are meant: all of a tenant read a project's, else it is one's own; None for all, which admins read.

    An admin asks as all others for a project's, and so is never shown a session's by its name.
    """
    if wanted.project_id is not None:
        return SHARED
    return None if actor.is_admin else actor.user_id


_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "session_id": _events.c.stream_id == param("session_id", Uuid),
    "project_id": _events.c.stream_id == param("project_id", Uuid),
    "kind": _events.c.kind == param("kind"),
    "actor": _events.c.actor == param("actor"),
    "correlation_id": _events.c.correlation_id == param("correlation_id"),
    "at_from": _events.c.at >= param("at_from", DateTime(timezone=True)),
    "at_to": _events.c.at < param("at_to", DateTime(timezone=True)),
}


def _narrowed(rows: Select[Any], names: frozenset[str], *, all_owners: bool) -> Select[Any]:
    return rows.where(_readable(all_owners=all_owners), *(_CONDITIONS[name] for name in sorted(names)))


@lru_cache(maxsize=256)
def _page(names: frozenset[str], shape: PageShape, all_owners: bool) -> Query[Event]:
    return Query(Event, _NEWEST_FIRST.page(_narrowed(select(*_events.c), names, all_owners=all_owners), shape))


@lru_cache(maxsize=64)
def _count(names: frozenset[str], all_owners: bool) -> Query[int]:
    counted = select(func.count().label("count")).select_from(_events)
    return Query(int, _narrowed(counted, names, all_owners=all_owners))


async def page_of_events(database: Database, actor: Actor, wanted: EventFilter, request: PageRequest) -> Page[Event]:
    """A page of the events of the actor's own streams, of a project's, or an admin's of all; newest first.

    ValidationError for a session and a project at a time.
    """
    wanted.check()
    given = wanted.given()
    names = frozenset(given)
    owner = _owner(actor, wanted)
    values: dict[str, object] = {"tenant_id": actor.tenant_id, **given}
    if owner is not None:
        values["owner_id"] = owner
    position = _NEWEST_FIRST.parameters(request, _LIST)

    async def count() -> int:
        async with database.read() as scope:
            return await scope.first(_count(names, owner is None), **values) or 0

    async with database.read() as scope:
        found = await scope.all(_page(names, PageShape.of(request), owner is None), **values, **position)
    return Page.of(found, request, lambda row: _LIST.encode((row.at, row.stream_id, row.seq)), count)


class EventByKey(Loader[EventKey, Event | None]):
    """Events by stream and number; None for any that the actor may not read."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[EventKey]) -> Sequence[Event | None]:
        """One statement for all keys."""
        rows = await scope.all(
            _BY_KEYS, streams=[key[0] for key in keys], numbers=[key[1] for key in keys], **actor.as_reader()
        )
        found = {(row.stream_id, row.seq): row for row in rows}
        return [found.get(key) for key in keys]

    @staticmethod
    def parse_key(key: str, field: str) -> EventKey:
        """The key inside a global id: `<stream>:<number>`."""
        stream, separator, number = key.partition(":")
        if not separator or not _NUMBER.fullmatch(number):
            raise ValidationError(f"{field} is not a valid id", field=field, hint="pass an id as this API returned it")
        return parse_uuid(stream, field), int(number)


def _by_keys() -> Query[Event]:
    keys = func.unnest(param("streams", ARRAY(Uuid)), param("numbers", ARRAY(_events.c.seq.type)))
    wanted = keys.table_valued("stream", "number").render_derived(name="wanted")
    shared = _events.c.owner_id == literal(SHARED, Text)
    readable = or_(_events.c.owner_id == param("user_id"), shared, param("is_admin", Boolean))
    return Query(
        Event,
        select(*_events.c)
        .join(wanted, (wanted.c.stream == _events.c.stream_id) & (wanted.c.number == _events.c.seq))
        .where(_events.c.tenant_id == param("tenant_id"), readable),
    )


_BY_KEYS = _by_keys()


_LAST = Query(
    int,
    select(func.coalesce(func.max(_events.c.seq), 0).label("last")).where(
        _events.c.tenant_id == param("tenant_id"), _events.c.stream_id == param("stream_id", Uuid)
    ),
)


async def last_number(scope: ReadScope, actor: Actor, stream_id: UUID) -> int:
    """The number of the last event of a stream that the actor may read; 0 when there is none."""
    return await scope.first(_LAST, tenant_id=actor.tenant_id, stream_id=stream_id) or 0


def _after() -> Query[Event]:
    wanted = (
        func.unnest(param("tenants", ARRAY(Text)), param("streams", ARRAY(Uuid)), param("positions", ARRAY(BigInteger)))
        .table_valued("tenant_id", "stream_id", "position")
        .render_derived(name="wanted")
    )
    each = (
        select(*_events.c)
        .where(
            _events.c.tenant_id == wanted.c.tenant_id,
            _events.c.stream_id == wanted.c.stream_id,
            _events.c.seq > wanted.c.position,
        )
        .order_by(_events.c.seq)
        .limit(literal(MOST_READ, BigInteger))
        .correlate(wanted)
        .lateral("each")
    )
    there = select(*each.c).select_from(wanted.join(each, true()))
    # A stream without any event was erased, a session's: whoever follows it must not wait for ever.
    erased = (
        select(
            wanted.c.tenant_id, wanted.c.stream_id, (wanted.c.position + 1).label("seq"),
            literal(EventKind.SESSION_DELETED.value, Text).label("kind"), func.jsonb_build_object().label("payload"),
            literal("", Text).label("actor"), literal("", Text).label("owner_id"),
            literal("", Text).label("correlation_id"), func.statement_timestamp().label("at"),
        )
        .select_from(wanted)
        .where(
            ~select(_events.c.seq)
            .where(_events.c.tenant_id == wanted.c.tenant_id, _events.c.stream_id == wanted.c.stream_id)
            .correlate(wanted)
            .exists()
        )
    )  # fmt: skip
    found = there.union_all(erased).subquery("found")
    return Query(Event, select(*found.c).order_by(found.c.stream_id, found.c.seq))


_AFTER = _after()


async def read_events(database: Database, after: Mapping[StreamKey, int]) -> Mapping[UUID, list[Event]]:
    """What follows a number in each of many streams, in order; one statement. For a feed."""
    async with database.read() as scope:
        rows = await scope.all(
            _AFTER,
            tenants=[key.tenant_id for key in after],
            streams=[key.id for key in after],
            positions=list(after.values()),
        )
    found: dict[UUID, list[Event]] = defaultdict(list)
    for row in rows:
        found[row.stream_id].append(row)
    return found
