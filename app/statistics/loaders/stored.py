"""What was stored over time, from the messages."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, BigInteger, DateTime, Double, Integer, Text, cast, func, literal, null, select

from app.core.actor import Actor
from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.messages.fragments import messages
from app.sessions.values import SessionId
from app.statistics.fragments import FAILED, of_sessions, of_user, stored_of
from app.statistics.values import MOST_POINTS, MessageGrouping, Stretch


class Stored(NamedTuple):
    """What was stored in one bucket, of one key."""

    bucket: int
    """1 for the first."""
    key: str | None
    messages: int
    failed_messages: int
    tokens: int
    processing: list[int] | None
    """Half and 95 of 100 of the answers took at most so long."""


def _key(grouping: MessageGrouping) -> Any:
    match grouping:
        case MessageGrouping.NONE:
            return cast(null(), Text)
        case MessageGrouping.MODEL:
            return messages.c.model
        case MessageGrouping.ROLE:
            return func.upper(messages.c.role)
        case MessageGrouping.INTENT:
            return messages.c.intent_name


@lru_cache(maxsize=8)
def _series(grouping: MessageGrouping, of_session: bool) -> Query[Stored]:
    moments = param("bounds", ARRAY(DateTime(timezone=True)))
    found = stored_of(
        of_sessions() if of_session else of_user(),
        # By thresholds that the calendar gave: PostgreSQL need not know the time zone.
        func.width_bucket(messages.c.created_at, moments, type_=Integer).label("bucket"),
        _key(grouping).label("name"),
        messages.c.token_count,
        messages.c.processing_time_ms,
        FAILED.label("failed"),
    )
    halves = literal([0.5, 0.95], ARRAY(Double))
    statement = select(
        found.c.bucket,
        found.c.name.label("key"),
        func.count().label("messages"),
        func.count().filter(found.c.failed).label("failed_messages"),
        cast(func.sum(found.c.token_count), BigInteger).label("tokens"),
        func.percentile_disc(halves).within_group(found.c.processing_time_ms).label("processing"),
    )
    if grouping is not MessageGrouping.NONE:
        statement = statement.where(found.c.name.is_not(None))
    return Query(
        Stored,
        statement.group_by(found.c.bucket, found.c.name)
        .order_by(found.c.bucket, found.c.name.collate("C"))
        .limit(MOST_POINTS + 1),
    )


async def stored(
    scope: ReadScope,
    actor: Actor,
    bounds: Sequence[datetime],
    grouping: MessageGrouping,
    session_id: SessionId | None,
) -> list[Stored]:
    """What was stored between each two of the `bounds`, by key: in one session the actor may read, or all of theirs.

    Only buckets and keys with messages; at most one more than MOST_POINTS.
    """
    whose: dict[str, Any] = {"ids": [session_id], **actor.as_reader()} if session_id else {**actor.as_owner()}
    return await scope.all(
        _series(grouping, session_id is not None),
        bounds=list(bounds[:-1]), **Stretch(timedelta(), bounds[0], bounds[-1])._asdict(), **whose,
    )  # fmt: skip
