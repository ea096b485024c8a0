"""What can be asked of statistics, and which answers are kept for the next who asks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from app.core.actor import Actor, UserId
from app.core.text import require_range
from app.db.database import Database
from app.graph.loading import Loaders
from app.sessions.loaders import SessionById
from app.sessions.values import SessionId
from app.statistics import buckets
from app.statistics.errors import TooManyPoints
from app.statistics.loaders import usage, users
from app.statistics.loaders.paths import PathTotalsOfSession
from app.statistics.loaders.persistence import PersistenceOfActor, PersistenceOfSession
from app.statistics.loaders.sessions import TotalsOfSession
from app.statistics.values import (
    MOST_HOURS,
    MOST_POINTS,
    PersistenceStatistics,
    SessionStatistics,
    StatisticsScope,
    UsageBucket,
    UsageGrouping,
    UsagePoint,
    UserKey,
    UserStatistics,
)
from app.streams.cache import ReadThroughCache


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


async def of_stored(loaders: Loaders, session_id: SessionId | None, hours: int) -> PersistenceStatistics | None:
    """How messages were stored in the last hours: a session's, or all of the actor's.

    None where the actor may not read the session. ValidationError.
    """
    require_range(hours, "timeRangeHours", at_least=1, at_most=MOST_HOURS)
    stretch = timedelta(hours=hours)
    if session_id is None:
        return await loaders.of(PersistenceOfActor).load(stretch)
    return await loaders.of(PersistenceOfSession).load((session_id, stretch))


@dataclass(frozen=True, slots=True)
class WantedSeries:
    """Which points of whose usage."""

    at_from: datetime
    at_to: datetime
    bucket: UsageBucket
    grouping: UsageGrouping
    time_zone: str
    session_id: SessionId | None


async def usage_series(loaders: Loaders, wanted: WantedSeries) -> list[UsagePoint] | None:
    """What runs used in each bucket, by key, empty ones too; None where the actor may not read the session.

    By start, then by key. ValidationError, UnknownTimeZone, EmptyRange, TooManyBuckets, TooManyPoints.
    """
    bounds = buckets.bounds(wanted.at_from, wanted.at_to, wanted.bucket, buckets.zone_of(wanted.time_zone))
    actor, owner = loaders.actor, loaders.actor.user_id
    if wanted.session_id is not None:
        session = await loaders.of(SessionById).load(wanted.session_id)
        if session is None:
            return None
        owner = UserId(session.user_id)
    async with loaders.database.read() as scope:
        used = await usage.used(scope, UserKey(actor.tenant_id, owner), bounds, wanted.grouping, wanted.session_id)
    return _filled(used, buckets.between(bounds), wanted.grouping)


def _filled(
    used: Sequence[usage.Used], spans: Sequence[tuple[datetime, datetime]], grouping: UsageGrouping
) -> list[UsagePoint]:
    """A point for every bucket and key: of what was used, and of what was not."""
    keys = [None] if grouping is UsageGrouping.NONE else sorted({row.key for row in used if row.key is not None})
    if len(keys) * len(spans) > MOST_POINTS:
        raise TooManyPoints(len(keys), len(spans))
    known = {(row.bucket, row.key): row for row in used}
    return [
        _point(start, end, key, known.get((number, key)))
        for number, (start, end) in enumerate(spans, 1)
        for key in keys
    ]


def _point(start: datetime, end: datetime, key: str | None, row: usage.Used | None) -> UsagePoint:
    if row is None:
        return UsagePoint(start, end, key)
    return UsagePoint(start, end, key, **{name: value for name, value in row._asdict().items() if name in _FIGURES})


_FIGURES = frozenset(usage.Used._fields) - {"bucket", "key"}
