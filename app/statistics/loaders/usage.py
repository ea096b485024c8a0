"""What runs used over time, from the ledger."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, DateTime, Integer, Text, Uuid, cast, func, literal, null, select

from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.runs.fragments import ledger
from app.runs.values import RunStatus
from app.statistics.values import MOST_POINTS, UsageGrouping, UserKey

_KINDS = ("input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
_FAILED = [literal(status.value, Text) for status in (RunStatus.FAILED, RunStatus.INTERRUPTED)]


class Used(NamedTuple):
    """What the runs of one key that ended in one bucket used."""

    bucket: int
    """1 for the first."""
    key: str | None
    runs: int
    errors: int
    input_tokens: int
    cached_input_tokens: int
    cache_write_tokens: int
    output_tokens: int
    reasoning_tokens: int
    estimated_runs: int
    unpriced_runs: int
    cost: Decimal | None


def _key(grouping: UsageGrouping) -> Any:
    match grouping:
        case UsageGrouping.NONE:
            return cast(null(), Text)
        case UsageGrouping.MODEL:
            return ledger.c.model
        case UsageGrouping.PROVIDER:
            return func.split_part(ledger.c.model, literal(":", Text), literal(1, Integer))


@lru_cache(maxsize=8)
def _series(grouping: UsageGrouping, of_session: bool) -> Query[Used]:
    moment = DateTime(timezone=True)
    found = (
        select(
            # By thresholds that the calendar gave: PostgreSQL need not know the time zone.
            func.width_bucket(ledger.c.at, param("bounds", ARRAY(moment)), type_=Integer).label("bucket"),
            _key(grouping).label("key"),
            ledger,
        )
        .where(
            ledger.c.tenant_id == param("tenant_id"),
            ledger.c.user_id == param("user_id"),
            ledger.c.at >= param("at_from", moment),
            ledger.c.at < param("at_to", moment),
            *([ledger.c.session_id == param("session_id", Uuid)] if of_session else []),
        )
        .subquery("found")
    )
    return Query(
        Used,
        select(
            found.c.bucket,
            found.c.key,
            func.count().label("runs"),
            func.count().filter(found.c.status.in_(_FAILED)).label("errors"),
            *(cast(func.sum(found.c[kind]), BigInteger).label(kind) for kind in _KINDS),
            func.count().filter(found.c.estimated).label("estimated_runs"),
            func.count().filter(found.c.cost.is_(None)).label("unpriced_runs"),
            func.sum(found.c.cost).label("cost"),
        )
        .group_by(found.c.bucket, found.c.key)
        .order_by(found.c.bucket, found.c.key)
        .limit(MOST_POINTS + 1),
    )


async def used(
    scope: ReadScope, user: UserKey, bounds: Sequence[datetime], grouping: UsageGrouping, session_id: UUID | None
) -> list[Used]:
    """What the runs of a user, or of one session of theirs, used between each two of the `bounds`, by key.

    Only buckets and keys with runs; at most one more than MOST_POINTS.
    """
    of_session: dict[str, object] = {} if session_id is None else {"session_id": session_id}
    return await scope.all(
        _series(grouping, session_id is not None),
        bounds=list(bounds[:-1]), at_from=bounds[0], at_to=bounds[-1], **user._asdict(), **of_session,
    )  # fmt: skip
