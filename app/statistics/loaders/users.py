"""What the sessions of a user add up to."""

from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Interval, Numeric, Text, cast, func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.events.fragments import events
from app.sessions.fragments import sessions, tallies
from app.sessions.values import TallyKind
from app.statistics.values import LONGEST_WRITE, MOST_NAMES, MOST_USED_TOOLS, Recent, UserKey, UserStatistics, counts


class _Totals(NamedTuple):
    since: datetime
    recent_events: int
    recent_at: datetime | None
    newest_session: UUID | None
    sessions: int
    messages: int
    tokens: int
    cost: Decimal
    first_at: datetime | None
    last_at: datetime | None
    models: list[list[Any]]
    tools: list[list[Any]]


_MINE = (sessions.c.tenant_id == param("tenant_id"), sessions.c.user_id == param("user_id", Text))
_LOGGED = (events.c.tenant_id == param("tenant_id"), events.c.owner_id == param("user_id", Text))


def _newest() -> Any:
    """The id of the session that was created last."""
    newest = select(sessions.c.id).where(*_MINE).order_by(sessions.c.created_at.desc(), sessions.c.id.desc()).limit(1)
    return newest.scalar_subquery().label("newest_session")


def _totals() -> Query[_Totals]:
    since = func.statement_timestamp() - param("grace", Interval)
    log = select(func.count().label("events"), func.max(events.c.at).label("last_at")).where(
        *_LOGGED, events.c.at > since
    )
    recent = log.cte("recent")
    nothing = cast(0, BigInteger)
    sums = (
        select(
            func.count().label("sessions"),
            func.coalesce(cast(func.sum(sessions.c.last_sequence), BigInteger), nothing).label("messages"),
            func.coalesce(cast(func.sum(sessions.c.total_tokens_used), BigInteger), nothing).label("tokens"),
            func.coalesce(func.sum(sessions.c.estimated_cost), cast(0, Numeric)).label("cost"),
            func.min(sessions.c.created_at).label("first_at"),
            func.max(sessions.c.created_at).label("last_at"),
        )
        .where(*_MINE)
        .cte("sums")
    )
    used = (
        select(tallies.c.kind, tallies.c.name, cast(func.sum(tallies.c.times), BigInteger).label("times"))
        .join(sessions, (sessions.c.tenant_id == tallies.c.tenant_id) & (sessions.c.id == tallies.c.session_id))
        .where(*_MINE, tallies.c.tenant_id == param("tenant_id"))
        .group_by(tallies.c.kind, tallies.c.name)
        .cte("used")
    )
    return Query(
        _Totals,
        select(
            since.label("since"),
            recent.c.events.label("recent_events"),
            recent.c.last_at.label("recent_at"),
            _newest(),
            *(sums.c[name] for name in ("sessions", "messages", "tokens", "cost", "first_at", "last_at")),
            _most(used, TallyKind.MODEL, MOST_NAMES).label("models"),
            _most(used, TallyKind.TOOL, MOST_USED_TOOLS).label("tools"),
        ).select_from(sums.join(recent, literal(1) == literal(1))),
    )


def _most(used: Any, kind: TallyKind, most: int) -> Any:
    """The names of a kind with the highest counts, as pairs in their order."""
    first = (
        select(used.c.name, used.c.times)
        .where(used.c.kind == literal(kind.value, Text))
        .order_by(used.c.times.desc(), used.c.name.collate("C"))
        .limit(most)
        .subquery(f"most_{kind}")
    )
    pair = func.jsonb_build_array(first.c.name, first.c.times)
    in_order = aggregate_order_by(pair, first.c.times.desc(), first.c.name.collate("C"))
    return select(func.coalesce(func.jsonb_agg(in_order), func.jsonb_build_array())).scalar_subquery()


_TOTALS = _totals()


def _recent() -> Query[Recent]:
    at = (
        select(events.c.at)
        .where(*_LOGGED, events.c.at > param("since", DateTime(timezone=True)))
        .order_by(events.c.at)
        .limit(param("most", BigInteger))
        .subquery("at")
    )
    told = func.count().label("events"), func.max(at.c.at).label("last_at")
    return Query(Recent, select(*told, _newest()).select_from(at))


_RECENT = _recent()


async def totals(scope: ReadScope, user: UserKey) -> UserStatistics:
    """What the sessions of a user add up to: one statement, which reads their rows."""
    row = await scope.first(_TOTALS, grace=LONGEST_WRITE, **user._asdict())
    assert row is not None  # noqa: S101 - sums are a row even of nothing
    return UserStatistics(
        since=row.since,
        recent=Recent(row.recent_events, row.recent_at, row.newest_session),
        total_sessions=row.sessions,
        total_messages=row.messages,
        total_tokens_used=row.tokens,
        total_cost=row.cost,
        first_session_date=row.first_at,
        last_session_date=row.last_at,
        model_usage=counts(row.models),
        most_used_tools=counts(row.tools),
    )


async def recent(scope: ReadScope, user: UserKey, known: UserStatistics) -> Recent:
    """What tells whether `known` is still true; of the log it reads no more lines than there were, and one."""
    found = await scope.first(_RECENT, since=known.since, most=known.recent.events + 1, **user._asdict())
    assert found is not None  # noqa: S101 - a count is a row even of nothing
    return found
