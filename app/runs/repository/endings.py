"""Statements that end runs and their turns: row, message, counters, last line, ledger and event in one."""

from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    Boolean,
    ColumnElement,
    Integer,
    Numeric,
    Text,
    case,
    func,
    literal,
    select,
    update,
)  # fmt: skip
from sqlalchemy.dialects.postgresql import JSONB, insert

from app.core.actor import Actor
from app.db.scopes import UnitOfWork
from app.db.statement import Command, param
from app.events.fragments import event, event_parameters
from app.events.values import EventKind
from app.messages.fragments import changed_message, messages
from app.messages.values import MessageStatus
from app.runs.fragments import FACTS, LINES, LIVE_RUNS, OURS, TURN_MESSAGE, answer_text, ledger, run_events, runs
from app.runs.models import Run
from app.runs.repository.lifecycle import facts_of
from app.runs.values import RunStatus, Spending
from app.sessions.fragments import answer_ended, is_session, tallied, touched
from app.sessions.values import TallyKind

_EVENT_OF = {
    RunStatus.REQUIRES_ACTION: EventKind.RUN_REQUIRES_ACTION,
    RunStatus.COMPLETED: EventKind.RUN_COMPLETED,
    RunStatus.FAILED: EventKind.RUN_FAILED,
    RunStatus.CANCELLED: EventKind.RUN_CANCELLED,
    RunStatus.INTERRUPTED: EventKind.RUN_INTERRUPTED,
}

_MESSAGE_STATUS = {
    RunStatus.REQUIRES_ACTION: MessageStatus.COMPLETED,
    RunStatus.COMPLETED: MessageStatus.COMPLETED,
    RunStatus.FAILED: MessageStatus.FAILED,
    RunStatus.CANCELLED: MessageStatus.CANCELLED,
    # S1-8 has no word for a server that died (C26): the message failed, and its error code says why.
    RunStatus.INTERRUPTED: MessageStatus.FAILED,
}

_AMOUNTS = ("input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")


def _end(status: RunStatus) -> Command[Run]:
    """End the turn that a run is at, and with it the run, unless it is to wait for tools.

    The caller holds the locks of session and run, so that no line can still come.
    """
    message_status = _MESSAGE_STATUS[status]
    counted = answer_ended(
        select(messages.c.created_at)
        .where(messages.c.tenant_id == param("tenant_id"), messages.c.id == TURN_MESSAGE)
        .scalar_subquery(),
        literal(message_status is MessageStatus.COMPLETED, Boolean),
        tokens=param("token_count", BigInteger),
        cost=param("cost", Numeric),
        duration_ms=param("processing_time_ms", BigInteger),
    )
    session = touched(is_session(), changes=counted)
    facts: dict[str, Any] = {
        "error_code": param("error_code", Text), "error_message": param("error_message", Text),
        "error_facts": param("error_facts", JSONB), "stop_reason": param("stop_reason", Text), **_spent_by_now(),
    }  # fmt: skip
    ended = _ended(session, status, facts)
    message = changed_message(
        session,
        select(ended.c.message_id).scalar_subquery(),
        {
            "status": message_status.value,
            "content": select(answer_text()).where(*LINES).scalar_subquery(),
            "model": select(ended.c.model).scalar_subquery(),
            "temperature": select(ended.c.temperature).scalar_subquery(),
            "token_count": param("token_count", BigInteger),
            "token_count_estimated": param("estimated", Boolean),
            "error_code": param("error_code", Text),
            "error_message": param("error_message", Text),
            "processing_time_ms": param("processing_time_ms", BigInteger),
            "streaming": param("streaming", JSONB),
        },
    )
    answered = tallied(session, TallyKind.MODEL, ended.c.model, ended.c.generation > 0)
    written = [message, answered, event(_EVENT_OF[status], stream=session)]
    if status.ended:
        written += _last_words(ended)
    return Command(Run, select(*ended.c).add_cte(*written))


def _call_off() -> Command[Run]:
    """End a run that waits for tools: its message is written, and what it used is counted."""
    session = touched(is_session())
    ended = _ended(session, RunStatus.CANCELLED, {})
    written = event(EventKind.RUN_CANCELLED, stream=session)
    return Command(Run, select(*ended.c).add_cte(written, *_last_words(ended)))


def _ended(session: CTE, status: RunStatus, facts: dict[str, Any]) -> CTE:
    if status.ended:
        last_seq = select(func.coalesce(func.max(run_events.c.seq), 0) + 1).where(*LINES).scalar_subquery()
        facts = {**facts, "finished_at": session.c.updated_at, "last_seq": last_seq}
    return (
        update(runs)
        .where(*OURS, runs.c.session_id == session.c.id, LIVE_RUNS)
        .values(status=status.value, **facts)
        .returning(*FACTS)
        .cte("run")
    )


def _spent_by_now() -> dict[str, ColumnElement[Any]]:
    """What the turns before this one used, and this one. Where a price is not known, the sum is not."""
    cost = param("cost", Numeric)
    return {
        **{name: func.coalesce(runs.c[name], 0) + param(name, Integer) for name in _AMOUNTS},
        "usage_estimated": func.coalesce(runs.c.usage_estimated, False) | param("estimated", Boolean),
        "cost": case((runs.c.turns == literal(1, Integer), cost), else_=runs.c.cost + cost),
    }


def _last_words(ended: CTE) -> list[CTE]:
    """The last line of a run's log, and its entry in the ledger."""
    last = {
        "tenant_id": ended.c.tenant_id, "run_id": ended.c.id, "seq": ended.c.last_seq, "kind": ended.c.status,
        "payload": func.jsonb_build_object(),
    }  # fmt: skip
    line = insert(run_events).from_select(list(last), select(*last.values())).cte("line")
    spent = {
        "tenant_id": ended.c.tenant_id, "run_id": ended.c.id, "session_id": ended.c.session_id,
        "user_id": ended.c.user_id, "model": ended.c.model, "status": ended.c.status,
        **{name: func.coalesce(ended.c[name], 0) for name in _AMOUNTS},
        "estimated": func.coalesce(ended.c.usage_estimated, False), "cost": ended.c.cost, "at": ended.c.finished_at,
    }  # fmt: skip
    # A run that no worker took has spent nothing.
    entry = insert(ledger).from_select(list(spent), select(*spent.values()).where(ended.c.generation > 0)).cte("spent")
    return [line, entry]


_END = {status: _end(status) for status in _EVENT_OF}
_CALL_OFF = _call_off()


async def end(
    uow: UnitOfWork, actor: Actor, run: Run, status: RunStatus, spending: Spending, facts: dict[str, Any]
) -> Run | None:
    """End the turn of a live run, and unless `status` is REQUIRES_ACTION the run: its message with all text of the turn
    that was committed, counters, last line, ledger and event.

    `spending` is this turn's. `facts` are error_code, error_message, error_facts, stop_reason, processing_time_ms and
    streaming. None when it has ended already.
    """
    uow.announce(run.session_id)
    usage = spending.usage
    told: dict[str, object] = {"status": status.name, "tokens": usage.total}
    if facts["error_code"] is not None:
        told["errorCode"] = facts["error_code"]
    return await uow.run_one(
        _END[status],
        run_id=run.id,
        session_id=run.session_id,
        input_tokens=usage.input,
        cached_input_tokens=usage.cached_input,
        cache_write_tokens=usage.cache_write,
        output_tokens=usage.output,
        reasoning_tokens=usage.reasoning,
        estimated=spending.estimated,
        cost=spending.cost,
        token_count=usage.total,
        **facts,
        **actor.as_owner(),
        **event_parameters(actor, facts_of(run, told)),
    )


async def call_off(uow: UnitOfWork, actor: Actor, run: Run) -> Run | None:
    """Cancel a run that waits for tools; None when it has ended already."""
    uow.announce(run.session_id)
    return await uow.run_one(
        _CALL_OFF,
        run_id=run.id,
        session_id=run.session_id,
        **actor.as_owner(),
        **event_parameters(actor, facts_of(run, {"status": RunStatus.CANCELLED.name, "tokens": 0})),
    )
