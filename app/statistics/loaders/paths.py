"""What the active path of a session adds up to: walked from its leaf to the first message."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    DateTime,
    Numeric,
    Text,
    Uuid,
    any_,
    cast,
    func,
    literal,
    null,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by, distinct_on

from app.core.actor import Actor
from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.events.fragments import events
from app.graph.loading import Loader
from app.messages.fragments import messages
from app.messages.models import ChatMessage
from app.messages.values import MessageRole, MessageStatus
from app.runs.fragments import ledger, runs
from app.sessions.fragments import sessions
from app.sessions.values import SessionId
from app.statistics.values import MOST_NAMES, SessionStatistics, counts, ranked
from app.tools.fragments import calls, executions


class _Figures(NamedTuple):
    session_id: UUID
    version: int
    messages: int
    tokens: int
    duration_ms: int
    cost: Decimal
    executions: int
    answered: int
    answer_ms: int
    roles: dict[str, int]
    tools: list[list[Any]]


def _path(wanted: CTE) -> CTE:
    """The messages on the active path of each session. Columns: session_id, and what is asked of a message."""
    columns = ("tenant_id", "id", "parent_message_id", "role", "token_count", "processing_time_ms", "created_at")
    leaf = (
        select(wanted.c.id.label("session_id"), *(messages.c[name] for name in columns))
        .join(messages, (messages.c.tenant_id == wanted.c.tenant_id) & (messages.c.id == wanted.c.active_leaf_id))
        .cte("path", recursive=True)
    )
    before = messages.alias("before")
    return leaf.union_all(
        select(leaf.c.session_id, *(before.c[name] for name in columns)).join(
            leaf, (before.c.tenant_id == leaf.c.tenant_id) & (before.c.id == leaf.c.parent_message_id)
        )
    )


def _sums(path: CTE) -> Any:
    """Messages, tokens, time and roles of each path."""
    roles = [
        part
        for role in MessageRole
        for part in (
            literal(role.name, Text),
            func.count().filter(path.c.role == literal(role.value, Text)),
        )
    ]
    return (
        select(
            path.c.session_id,
            func.count().label("messages"),
            cast(func.sum(path.c.token_count), BigInteger).label("tokens"),
            cast(func.coalesce(func.sum(path.c.processing_time_ms), 0), BigInteger).label("duration_ms"),
            func.jsonb_build_object(*roles).label("roles"),
        )
        .group_by(path.c.session_id)
        .cte("sums")
    )


def _costs(path: CTE) -> Any:
    """What the runs cost that wrote a path's messages, as far as prices are known."""
    return (
        select(path.c.session_id, func.sum(ledger.c.cost).label("cost"))
        .join(runs, (runs.c.tenant_id == path.c.tenant_id) & (runs.c.message_id == path.c.id))
        .join(ledger, (ledger.c.tenant_id == runs.c.tenant_id) & (ledger.c.run_id == runs.c.id))
        .group_by(path.c.session_id)
        .cte("costs")
    )


def _tools(path: CTE) -> Any:
    """The calls of a path's messages by the tool's name: those that are there, as a path is what is there."""
    by_name = (
        select(path.c.session_id, calls.c.name, func.count().label("times"))
        .join(calls, (calls.c.tenant_id == path.c.tenant_id) & (calls.c.message_id == path.c.id))
        .group_by(path.c.session_id, calls.c.name)
        .cte("by_name")
    )
    order = by_name.c.times.desc(), by_name.c.name.collate("C")
    pair = func.jsonb_build_array(by_name.c.name, by_name.c.times)
    return (
        select(
            by_name.c.session_id,
            func.jsonb_agg(aggregate_order_by(pair, *order)).label("tools"),
        )
        .group_by(by_name.c.session_id)
        .cte("tools")
    )


def _executions(path: CTE) -> Any:
    """The executions of a path's messages: those that are there."""
    return (
        select(path.c.session_id, func.count().label("executions"))
        .join(calls, (calls.c.tenant_id == path.c.tenant_id) & (calls.c.message_id == path.c.id))
        .join(executions, (executions.c.tenant_id == calls.c.tenant_id) & (executions.c.tool_call_id == calls.c.id))
        .group_by(path.c.session_id)
        .cte("executed")
    )


def _happened(wanted: CTE, path: CTE) -> CTE:
    """When each question of a path was asked, and each of its answers complete, by the number of the event."""
    # Messages and events are grouped by the message and never joined: the planner takes a path for short, and would
    # look through all events for each message of it.
    name = func.concat(literal(f"{ChatMessage.node_type}:", Text), cast(path.c.id, Text))
    on_path = select(
        path.c.session_id,
        # As events name it: by its global id, which is too short for a line break.
        func.encode(func.convert_to(name, literal("UTF8", Text)), literal("base64", Text)).label("message"),
        path.c.role,
        path.c.created_at.label("begun_at"),
        cast(null(), BigInteger).label("seq"),
        cast(null(), DateTime(timezone=True)).label("at"),
    ).where(path.c.role.in_([literal(role.value, Text) for role in (MessageRole.USER, MessageRole.ASSISTANT)]))
    asked = events.c.payload["role"].astext == MessageRole.USER.name
    complete = events.c.payload["status"].astext == MessageStatus.COMPLETED.name
    told = (
        select(
            wanted.c.id, events.c.payload["messageId"].astext, cast(null(), Text),
            cast(null(), DateTime(timezone=True)), events.c.seq, events.c.at,
        )
        .join(events, (events.c.tenant_id == param("tenant_id")) & (events.c.stream_id == wanted.c.id))
        .where(or_(asked, complete))
    )  # fmt: skip
    both = on_path.union_all(told).subquery("both")
    role = func.max(both.c.role)
    return (
        select(
            both.c.session_id,
            # Of several the first: numbers and times rise together.
            func.min(both.c.seq).label("seq"),
            func.min(both.c.at).label("at"),
            (role == MessageRole.USER.value).label("asks"),
            func.max(both.c.begun_at).label("begun_at"),
        )
        .group_by(both.c.session_id, both.c.message)
        .having(role.is_not(None), func.min(both.c.seq).is_not(None))
        .cte("happened")
    )


def _answers(happened: CTE) -> Any:
    """Of every question on a path the time to the first complete answer that was begun after it, and how many.

    The rule of `answer_counted`, by which the session counts, over the messages of the path (S1-27).
    """
    so_far: dict[str, Any] = {"partition_by": happened.c.session_id, "order_by": happened.c.seq}
    steps = select(
        *happened.c,
        func.max(happened.c.seq).filter(happened.c.asks).over(**so_far).label("question"),
        func.max(happened.c.at).filter(happened.c.asks).over(**so_far).label("asked_at"),
    ).cte("steps")
    first = (
        select(steps.c.session_id, steps.c.question, steps.c.asked_at, steps.c.at)
        .ext(distinct_on(steps.c.session_id, steps.c.question))
        .where(~steps.c.asks, steps.c.asked_at <= steps.c.begun_at)
        .order_by(steps.c.session_id, steps.c.question, steps.c.seq)
        .cte("first")
    )
    waited = cast(func.extract("epoch", first.c.at - first.c.asked_at) * 1000, BigInteger)
    return (
        select(
            first.c.session_id,
            func.count().label("answered"),
            cast(func.sum(waited), BigInteger).label("answer_ms"),
        )
        .group_by(first.c.session_id)
        .cte("answers")
    )


def _figures() -> Query[_Figures]:
    wanted = (
        select(sessions.c.tenant_id, sessions.c.id, sessions.c.last_event, sessions.c.active_leaf_id)
        .where(sessions.c.tenant_id == param("tenant_id"), sessions.c.id == any_(param("ids", ARRAY(Uuid))))
        .cte("wanted")
    )
    path = _path(wanted)
    sums, costs, tools, executed = _sums(path), _costs(path), _tools(path), _executions(path)
    answers = _answers(_happened(wanted, path))
    nothing = cast(0, BigInteger)
    found: dict[str, Any] = {
        "session_id": wanted.c.id,
        "version": wanted.c.last_event,
        "messages": func.coalesce(sums.c.messages, nothing),
        "tokens": func.coalesce(sums.c.tokens, nothing),
        "duration_ms": func.coalesce(sums.c.duration_ms, nothing),
        "cost": func.coalesce(costs.c.cost, cast(0, Numeric)),
        "executions": func.coalesce(executed.c.executions, nothing),
        "answered": func.coalesce(answers.c.answered, nothing),
        "answer_ms": func.coalesce(answers.c.answer_ms, nothing),
        "roles": func.coalesce(sums.c.roles, func.jsonb_build_object()),
        "tools": func.coalesce(tools.c.tools, func.jsonb_build_array()),
    }
    rows: Any = wanted
    for part in (sums, costs, tools, executed, answers):
        rows = rows.outerjoin(part, part.c.session_id == wanted.c.id)
    return Query(_Figures, select(*(value.label(name) for name, value in found.items())).select_from(rows))


_FIGURES = _figures()


class PathTotalsOfSession(Loader[SessionId, SessionStatistics | None]):
    """What the active paths of sessions add up to; whoever has read the session may read it."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[SessionId]) -> Sequence[SessionStatistics | None]:
        """One statement for all sessions."""
        rows = await scope.all(_FIGURES, tenant_id=actor.tenant_id, ids=keys)
        found = {row.session_id: _statistics(row) for row in rows}
        return [found.get(key) for key in keys]


def _statistics(row: _Figures) -> SessionStatistics:
    return SessionStatistics(
        version=row.version,
        total_messages=row.messages,
        total_tokens=row.tokens,
        estimated_cost=row.cost,
        duration_ms=row.duration_ms,
        tool_executions=row.executions,
        average_response_time_ms=row.answer_ms / row.answered if row.answered else 0.0,
        messages_by_role=ranked(row.roles),
        tool_usage_count=counts(row.tools[:MOST_NAMES]),
    )
