"""What a session adds up to, from the counters in its row: the price of a row, whatever the number of messages."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, any_, func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from app.core.actor import Actor
from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.graph.loading import Loader
from app.messages.values import MessageRole
from app.sessions.fragments import readable, sessions, tallies
from app.sessions.values import SessionId, TallyKind
from app.statistics.values import MOST_NAMES, SessionStatistics, counts, ranked


class _Totals(NamedTuple):
    id: UUID
    last_event: int
    last_sequence: int
    total_tokens_used: int
    estimated_cost: Decimal
    total_duration_ms: int
    tool_executions: int
    answered: int
    answer_ms: int
    user_messages: int
    assistant_messages: int
    system_messages: int
    tool_messages: int
    tools: list[list[Any]]


def _tools() -> Any:
    """The tools of a session that were called most, as pairs in their order."""
    most = (
        select(tallies.c.name, tallies.c.times)
        .where(
            tallies.c.tenant_id == sessions.c.tenant_id,
            tallies.c.session_id == sessions.c.id,
            tallies.c.kind == literal(TallyKind.TOOL.value, Text),
        )
        .order_by(tallies.c.times.desc(), tallies.c.name.collate("C"))
        .limit(MOST_NAMES)
        .correlate(sessions)
        .subquery("most")
    )
    pair = func.jsonb_build_array(most.c.name, most.c.times)
    in_order = aggregate_order_by(pair, most.c.times.desc(), most.c.name.collate("C"))
    return select(func.coalesce(func.jsonb_agg(in_order), func.jsonb_build_array())).scalar_subquery()


_TOTALS = Query(
    _Totals,
    select(
        *(sessions.c[name] for name in _Totals._fields if name != "tools"),
        _tools().label("tools"),
    ).where(readable(), sessions.c.id == any_(param("ids", ARRAY(Uuid)))),
)


class TotalsOfSession(Loader[SessionId, SessionStatistics | None]):
    """What all messages of sessions add up to that the actor may read; None for any other id."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[SessionId]) -> Sequence[SessionStatistics | None]:
        """One statement for all ids."""
        found = {row.id: _statistics(row) for row in await scope.all(_TOTALS, ids=keys, **actor.as_reader())}
        return [found.get(key) for key in keys]


def _statistics(row: _Totals) -> SessionStatistics:
    return SessionStatistics(
        version=row.last_event,
        total_messages=row.last_sequence,
        total_tokens=row.total_tokens_used,
        estimated_cost=row.estimated_cost,
        duration_ms=row.total_duration_ms,
        tool_executions=row.tool_executions,
        average_response_time_ms=row.answer_ms / row.answered if row.answered else 0.0,
        messages_by_role=ranked({role.name: getattr(row, f"{role}_messages") for role in MessageRole}),
        tool_usage_count=counts(row.tools),
    )
