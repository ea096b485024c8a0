"""What was done in a stretch of time: which tools were called, and in which sessions the most was said."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import BigInteger, Integer, cast, func, select

from app.core.actor import Actor
from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.graph.loading import Loader
from app.messages.fragments import messages
from app.sessions.values import SessionId
from app.statistics.fragments import FAILED, of_sessions, of_user, stored_of
from app.statistics.values import MOST_ACTIVE_SESSIONS, MOST_NAMES, KeyCount, SessionActivity, Stretch
from app.tools.fragments import calls


class Span(NamedTuple):
    """From one moment to another, in one session or in all of the actor's own."""

    session_id: SessionId | None
    since: datetime
    until: datetime


class _Called(NamedTuple):
    key: str
    name: str
    times: int


class _Active(NamedTuple):
    key: str
    session_id: UUID
    messages: int
    failed: int
    tokens: int


_Row = TypeVar("_Row", _Called, _Active)


def _tools(of_session: bool) -> Query[_Called]:
    """The calls of the messages in the stretch, by the tool's name: those that are there."""
    stored = stored_of(of_sessions() if of_session else of_user(), messages.c.id)
    times = func.count()
    order = times.desc(), calls.c.name.collate("C")
    place = func.row_number().over(partition_by=stored.c.key, order_by=order)
    placed = (
        select(stored.c.key, calls.c.name, times.label("times"), place.label("place"))
        .join(calls, (calls.c.tenant_id == param("tenant_id")) & (calls.c.message_id == stored.c.id))
        .group_by(stored.c.key, calls.c.name)
        .subquery("placed")
    )
    return Query(_Called, _first(placed, ("key", "name", "times"), MOST_NAMES))


def _sessions(of_session: bool) -> Query[_Active]:
    """The sessions with the most messages in the stretch."""
    stored = stored_of(of_sessions() if of_session else of_user(), messages.c.token_count, FAILED.label("failed"))
    counted = func.count()
    place = func.row_number().over(partition_by=stored.c.key, order_by=(counted.desc(), stored.c.session_id))
    placed = (
        select(
            stored.c.key,
            stored.c.session_id,
            counted.label("messages"),
            func.count().filter(stored.c.failed).label("failed"),
            cast(func.sum(stored.c.token_count), BigInteger).label("tokens"),
            place.label("place"),
        )
        .group_by(stored.c.key, stored.c.session_id)
        .subquery("placed")
    )
    return Query(_Active, _first(placed, _Active._fields, MOST_ACTIVE_SESSIONS))


def _first(placed: Any, columns: Sequence[str], most: int) -> Any:
    """So many rows of each key, in their order."""
    return (
        select(*(placed.c[name] for name in columns))
        .where(placed.c.place <= cast(most, Integer))
        .order_by(placed.c.key, placed.c.place)
    )


_TOOLS_OF_SESSIONS, _TOOLS_OF_USER = _tools(True), _tools(False)
_ACTIVE_OF_SESSIONS, _ACTIVE_OF_USER = _sessions(True), _sessions(False)


async def _rows(
    scope: ReadScope, actor: Actor, spans: Sequence[Span], in_sessions: Query[_Row], of_all: Query[_Row]
) -> dict[Span, list[_Row]]:
    """What each span has: one statement for all sessions of the same moments, and one for all of the actor's own."""
    wanted: dict[tuple[datetime, datetime], list[SessionId | None]] = defaultdict(list)
    for span in spans:
        wanted[span.since, span.until].append(span.session_id)
    found: dict[Span, list[_Row]] = defaultdict(list)
    for (since, until), ids in wanted.items():
        moments = Stretch(timedelta(), since, until)._asdict()
        named = [session_id for session_id in ids if session_id is not None]
        if named:
            for row in await scope.all(in_sessions, ids=named, **moments, **actor.as_reader()):
                found[Span(SessionId(UUID(row.key)), since, until)].append(row)
        if None in ids:
            found[Span(None, since, until)] = await scope.all(of_all, **moments, **actor.as_owner())
    return found


class ToolsOfSpan(Loader[Span, tuple[KeyCount, ...]]):
    """The tools that were called, the highest count first; nothing in a session that the actor may not read."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[Span]) -> Sequence[tuple[KeyCount, ...]]:
        """One statement for all sessions of the same moments, and one for all of the actor's own."""
        found = await _rows(scope, actor, keys, _TOOLS_OF_SESSIONS, _TOOLS_OF_USER)
        return [tuple(KeyCount(row.name, row.times) for row in found.get(key, ())) for key in keys]


class ActiveSessionsOfSpan(Loader[Span, tuple[SessionActivity, ...]]):
    """The sessions with messages, those with the most first; nothing of one that the actor may not read."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[Span]) -> Sequence[tuple[SessionActivity, ...]]:
        """One statement for all sessions of the same moments, and one for all of the actor's own."""
        found = await _rows(scope, actor, keys, _ACTIVE_OF_SESSIONS, _ACTIVE_OF_USER)
        return [tuple(_activity(row) for row in found.get(key, ())) for key in keys]


def _activity(row: _Active) -> SessionActivity:
    return SessionActivity(SessionId(row.session_id), row.messages, row.failed, row.tokens)
