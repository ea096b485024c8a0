"""What can be asked of statistics, and which answers are kept for the next who asks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar
from uuid import UUID

from app.core.actor import Actor, UserId
from app.core.text import require_range
from app.db.database import Database
from app.graph.loading import Loaders
from app.sessions.loaders import SessionById
from app.sessions.values import SessionId
from app.statistics import buckets
from app.statistics.errors import EmptyRange, RangeTooLong, TooManyPoints
from app.statistics.loaders import stored, usage, users
from app.statistics.loaders.activity import ActiveSessionsOfSpan, Span, ToolsOfSpan
from app.statistics.loaders.paths import PathTotalsOfSession
from app.statistics.loaders.persistence import PersistenceOfActor, PersistenceOfSession
from app.statistics.loaders.sessions import TotalsOfSession
from app.statistics.values import (
    MOST_ACTIVE_SESSIONS,
    MOST_HOURS,
    MOST_POINTS,
    KeyCount,
    MessageGrouping,
    MessagePoint,
    PersistenceStatistics,
    SessionActivity,
    SessionStatistics,
    StatisticsScope,
    Stretch,
    UsageBucket,
    UsageGrouping,
    UsagePoint,
    UserKey,
    UserStatistics,
)
from app.streams.cache import ReadThroughCache

_Grouping = TypeVar("_Grouping", UsageGrouping, MessageGrouping)
_Row = TypeVar("_Row", usage.Used, stored.Stored)


@dataclass(frozen=True, slots=True)
class StatisticsCache:
    """One per process: figures that cost more to add up than to see that they are still true.

    A session's row is not among them: to see that it is the newest one reads it.
    """

    paths: ReadThroughCache[SessionId, SessionStatistics] = field(default_factory=ReadThroughCache)
    """Of the active path; true as long as the session's last event is the same."""
    users: ReadThroughCache[UserKey, UserStatistics] = field(default_factory=ReadThroughCache)
    """True as long as the user's log of events says the same of the time since shortly before they were added up."""

    def heard(self, stream_id: UUID) -> None:
        """A session has changed, here or in another process."""
        self.paths.invalidate(SessionId(stream_id))

    def missed(self) -> None:
        """Any session may have changed."""
        self.paths.clear()

    async def close(self) -> None:
        """Leave nothing behind that is being loaded."""
        await self.paths.close()
        await self.users.close()


async def of_session(
    loaders: Loaders, cache: StatisticsCache, session_id: SessionId, scope: StatisticsScope
) -> SessionStatistics | None:
    """What a session adds up to; None where the actor may not read it."""
    match scope:
        case StatisticsScope.ALL:
            return await loaders.of(TotalsOfSession).load(session_id)
        case StatisticsScope.ACTIVE_PATH:
            return await _of_path(loaders, cache, session_id)


async def _of_path(loaders: Loaders, cache: StatisticsCache, session_id: SessionId) -> SessionStatistics | None:
    session = await loaders.of(SessionById).load(session_id)
    if session is None:
        return None

    async def fits(known: SessionStatistics) -> bool:
        return known.version >= session.last_event

    return await cache.paths.read(session_id, lambda: loaders.of(PathTotalsOfSession).load(session_id), fits)


async def of_user(database: Database, cache: StatisticsCache, actor: Actor, user_id: UserId) -> UserStatistics | None:
    """What the sessions of a user add up to; None for another than the actor, who is no admin."""
    if user_id != actor.user_id and not actor.is_admin:
        return None
    user = UserKey(actor.tenant_id, user_id)

    async def load() -> UserStatistics:
        async with database.read() as scope:
            return await users.totals(scope, user)

    async def fits(known: UserStatistics) -> bool:
        async with database.read() as scope:
            return await users.recent(scope, user, known) == known.recent

    return await cache.users.read(user, load, fits)


async def of_stored(
    loaders: Loaders,
    session_id: SessionId | None,
    hours: int,
    at_from: datetime | None = None,
    at_to: datetime | None = None,
) -> PersistenceStatistics | None:
    """How messages were stored from `at_from`, or so many hours before the end, to `at_to`, or now.

    In one session, or in all of the actor's; None where they may not read it. ValidationError, RangeTooLong.
    """
    require_range(hours, "timeRangeHours", at_least=1, at_most=MOST_HOURS)
    buckets.require_moments(at_from, at_to)
    if at_from is not None:
        _require_short(at_from, at_to or datetime.now(UTC))
    stretch = Stretch(timedelta(hours=hours), at_from, at_to)
    if session_id is None:
        return await loaders.of(PersistenceOfActor).load(stretch)
    return await loaders.of(PersistenceOfSession).load((session_id, stretch))


def _require_short(start: datetime, end: datetime) -> None:
    if start >= end:
        raise EmptyRange
    if end - start > timedelta(hours=MOST_HOURS):
        raise RangeTooLong


async def tools_of(loaders: Loaders, found: PersistenceStatistics) -> tuple[KeyCount, ...]:
    """The tools that the messages called which these figures are of."""
    return await loaders.of(ToolsOfSpan).load(Span(found.session_id, found.since, found.until))


async def most_active_sessions(
    loaders: Loaders, found: PersistenceStatistics, first: int
) -> tuple[SessionActivity, ...]:
    """The sessions with the most of the messages which these figures are of; ValidationError."""
    require_range(first, "first", at_least=1, at_most=MOST_ACTIVE_SESSIONS)
    active = await loaders.of(ActiveSessionsOfSpan).load(Span(found.session_id, found.since, found.until))
    return active[:first]


@dataclass(frozen=True, slots=True)
class WantedSeries(Generic[_Grouping]):
    """Which points of what."""

    at_from: datetime
    at_to: datetime
    bucket: UsageBucket
    grouping: _Grouping
    time_zone: str
    session_id: SessionId | None

    def bounds(self) -> list[datetime]:
        """Where its buckets begin, and where the last ends; ValidationError and its kinds."""
        return buckets.bounds(self.at_from, self.at_to, self.bucket, buckets.zone_of(self.time_zone))


async def usage_series(loaders: Loaders, wanted: WantedSeries[UsageGrouping]) -> list[UsagePoint] | None:
    """What runs used in each bucket, by key, empty ones too; None where the actor may not read the session.

    By start, then by key. ValidationError, UnknownTimeZone, EmptyRange, TooManyBuckets, TooManyPoints.
    """
    bounds = wanted.bounds()
    actor, owner = loaders.actor, loaders.actor.user_id
    if wanted.session_id is not None:
        session = await loaders.of(SessionById).load(wanted.session_id)
        if session is None:
            return None
        owner = UserId(session.user_id)
    async with loaders.database.read() as scope:
        used = await usage.used(scope, UserKey(actor.tenant_id, owner), bounds, wanted.grouping, wanted.session_id)
    return [_used(*place) for place in _filled(used, bounds, wanted.grouping is UsageGrouping.NONE)]


async def message_series(loaders: Loaders, wanted: WantedSeries[MessageGrouping]) -> list[MessagePoint] | None:
    """What was stored in each bucket, by key, empty ones too; None where the actor may not read the session.

    By start, then by key. ValidationError, UnknownTimeZone, EmptyRange, RangeTooLong, TooManyBuckets, TooManyPoints.
    """
    bounds = wanted.bounds()
    _require_short(bounds[0], bounds[-1])
    if wanted.session_id is not None and await loaders.of(SessionById).load(wanted.session_id) is None:
        return None
    async with loaders.database.read() as scope:
        found = await stored.stored(scope, loaders.actor, bounds, wanted.grouping, wanted.session_id)
    return [_stored(*place) for place in _filled(found, bounds, wanted.grouping is MessageGrouping.NONE)]


def _filled(
    rows: Sequence[_Row], bounds: list[datetime], alone: bool
) -> list[tuple[datetime, datetime, str | None, _Row | None]]:
    """A place for every bucket and key, with the row that is there; `alone` is one without keys."""
    spans = buckets.between(bounds)
    keys = [None] if alone else sorted({row.key for row in rows if row.key is not None})
    if len(keys) * len(spans) > MOST_POINTS:
        raise TooManyPoints(len(keys), len(spans))
    known = {(row.bucket, row.key): row for row in rows}
    return [(start, end, key, known.get((number, key))) for number, (start, end) in enumerate(spans, 1) for key in keys]


def _used(start: datetime, end: datetime, key: str | None, row: usage.Used | None) -> UsagePoint:
    if row is None:
        return UsagePoint(start, end, key)
    return UsagePoint(start, end, key, **{name: value for name, value in row._asdict().items() if name in _FIGURES})


_FIGURES = frozenset(usage.Used._fields) - {"bucket", "key"}


def _stored(start: datetime, end: datetime, key: str | None, row: stored.Stored | None) -> MessagePoint:
    if row is None:
        return MessagePoint(start, end, key)
    half, most = row.processing or (None, None)
    return MessagePoint(start, end, key, row.messages, row.failed_messages, row.tokens, half, most)
