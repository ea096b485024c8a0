"""Statements that write runs themselves, from being asked for to their end."""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    DateTime,
    Double,
    Integer,
    Numeric,
    Text,
    Uuid,
    exists,
    func,
    literal,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert

from app.core.actor import Actor
from app.core.ids import global_id
from app.db.scopes import ReadScope, UnitOfWork
from app.db.statement import Command, Query, param
from app.events.fragments import event, event_parameters
from app.events.values import EventKind
from app.messages.fragments import changed_message
from app.messages.values import MessageStatus
from app.runs.fragments import LINES, LIVE_RUNS, LIVE_STATUSES, answer_text, ledger, run_events, runs
from app.runs.models import Run
from app.runs.values import NewRun, RunId, RunRef, RunStatus, Spending
from app.sessions.fragments import answer_ended, is_session, owned, sessions, tallied, touched
from app.sessions.values import SessionId, TallyKind

_OURS = (runs.c.tenant_id == param("tenant_id"), runs.c.id == param("run_id", Uuid))
_IN_SESSION = (runs.c.tenant_id == param("tenant_id"), runs.c.session_id == param("session_id", Uuid))
_LINES = (run_events.c.tenant_id == param("tenant_id"), run_events.c.run_id == param("run_id", Uuid))
_BY_REF = Query(Run, select(*runs.c).where(*_OURS))

_OWNED = Query(
    Run,
    select(*runs.c)
    .join(sessions, (sessions.c.tenant_id == runs.c.tenant_id) & (sessions.c.id == runs.c.session_id))
    .where(owned(), *_OURS),
)
_LOCK = Command(Run, select(*runs.c).where(*_OURS).with_for_update(key_share=True))
"""Waits for a flush in flight, which holds the row shared: afterwards every line of the run is committed."""

_LOCK_LIVE = Command(
    Run,
    select(*runs.c).where(*_IN_SESSION, LIVE_RUNS).order_by(runs.c.sequence_number).with_for_update(key_share=True),
)


def _queue() -> Command[Run]:
    session = touched(is_session())
    row: dict[str, Any] = {
        "tenant_id": session.c.tenant_id, "id": param("run_id", Uuid), "session_id": session.c.id,
        "user_id": session.c.user_id, "message_id": param("message_id", Uuid),
        "prompt_message_id": param("prompt_message_id", Uuid), "sequence_number": param("sequence_number", Integer),
        "retry_of_id": param("retry_of_id", Uuid), "waiting": param("waiting", Boolean), "model": param("model", Text),
        "temperature": param("temperature", Double), "max_output_tokens": param("max_output_tokens", Integer),
        "correlation_id": param("correlation_id", Text), "created_at": session.c.updated_at,
    }  # fmt: skip
    queued = insert(runs).from_select(list(row), select(*row.values())).returning(*runs.c).cte("run")
    return Command(Run, select(*queued.c).add_cte(event(EventKind.RUN_QUEUED, stream=session)))


def _begin() -> Command[Run]:
    """Take a run that nobody works on; the caller holds the locks of session and run."""
    session = touched(is_session())
    begun = (
        update(runs)
        .where(*_OURS, runs.c.session_id == session.c.id, LIVE_RUNS)
        .values(
            status=RunStatus.RUNNING.value,
            generation=runs.c.generation + 1,
            started_at=func.coalesce(runs.c.started_at, session.c.updated_at),
            prompt_tokens=param("prompt_tokens", Integer),
        )
        .returning(*runs.c)
        .cte("run")
    )
    message = changed_message(
        session, select(begun.c.message_id).scalar_subquery(), {"status": MessageStatus.PROCESSING.value}
    )
    started = event(EventKind.RUN_STARTED, stream=session)
    return Command(Run, select(*begun.c).add_cte(message, started))


_EVENT_OF = {
    RunStatus.COMPLETED: EventKind.RUN_COMPLETED,
    RunStatus.FAILED: EventKind.RUN_FAILED,
    RunStatus.CANCELLED: EventKind.RUN_CANCELLED,
    RunStatus.INTERRUPTED: EventKind.RUN_INTERRUPTED,
}

_MESSAGE_STATUS = {
    RunStatus.COMPLETED: MessageStatus.COMPLETED,
    RunStatus.FAILED: MessageStatus.FAILED,
    RunStatus.CANCELLED: MessageStatus.CANCELLED,
    # S1-8 has no word for a server that died (C26): the message failed, and its error code says why.
    RunStatus.INTERRUPTED: MessageStatus.FAILED,
}

_AMOUNTS = ("input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")


def _end(status: RunStatus) -> Command[Run]:
    """End a run that is live; the caller holds the locks of session and run, so that no line can still come."""
    message_status = _MESSAGE_STATUS[status]
    counted = answer_ended(
        param("begun_at", DateTime(timezone=True)),
        literal(message_status is MessageStatus.COMPLETED, Boolean),
        tokens=param("token_count", BigInteger),
        cost=param("cost", Numeric),
        duration_ms=param("processing_time_ms", BigInteger),
    )
    session = touched(is_session(), changes=counted)
    last_seq = select(func.coalesce(func.max(run_events.c.seq), 0) + 1).where(*LINES).scalar_subquery()
    facts: dict[str, Any] = {
        "error_code": param("error_code", Text), "error_message": param("error_message", Text),
        "error_facts": param("error_facts", JSONB), "stop_reason": param("stop_reason", Text),
        "usage_estimated": param("estimated", Boolean), "cost": param("cost", Numeric),
        **{name: param(name, Integer) for name in _AMOUNTS},
    }  # fmt: skip
    ended = (
        update(runs)
        .where(*_OURS, runs.c.session_id == session.c.id, LIVE_RUNS)
        .values(status=status.value, finished_at=session.c.updated_at, last_seq=last_seq, **facts)
        .returning(*runs.c)
        .cte("run")
    )
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
    last = {
        "tenant_id": ended.c.tenant_id, "run_id": ended.c.id, "seq": ended.c.last_seq,
        "kind": literal(status.value, Text), "payload": func.jsonb_build_object(),
    }  # fmt: skip
    line = insert(run_events).from_select(list(last), select(*last.values())).cte("line")
    spent = {
        "tenant_id": ended.c.tenant_id, "run_id": ended.c.id, "session_id": ended.c.session_id,
        "user_id": ended.c.user_id, "model": ended.c.model, "status": ended.c.status,
        **{name: func.coalesce(ended.c[name], 0) for name in _AMOUNTS},
        "estimated": func.coalesce(ended.c.usage_estimated, False), "cost": ended.c.cost, "at": ended.c.finished_at,
    }  # fmt: skip
    # A run that no worker took has spent nothing.
    taken = ended.c.generation > 0
    entry = insert(ledger).from_select(list(spent), select(*spent.values()).where(taken)).cte("spent")
    answered = tallied(session, TallyKind.MODEL, ended.c.model, taken)
    written = event(_EVENT_OF[status], stream=session)
    return Command(Run, select(*ended.c).add_cte(message, line, entry, answered, written))


_QUEUE = _queue()
_BEGIN = _begin()
_END = {status: _end(status) for status in _EVENT_OF}


def _promote() -> Command[UUID]:
    """Give the session's turn to the first run that waits for it, where nobody has it."""
    rivals = runs.alias("rivals")
    active = exists(
        select(rivals.c.id).where(
            rivals.c.tenant_id == param("tenant_id"),
            rivals.c.session_id == param("session_id", Uuid),
            rivals.c.status.in_(LIVE_STATUSES).is_(true()),
            ~rivals.c.waiting,
        )
    )
    first = (
        select(runs.c.id)
        .where(
            *_IN_SESSION, (runs.c.status == literal(RunStatus.QUEUED.value, Text)).is_(true()), runs.c.waiting, ~active
        )
        .order_by(runs.c.sequence_number)
        .limit(1)
        .scalar_subquery()
    )
    return Command(
        UUID,
        update(runs).where(runs.c.tenant_id == param("tenant_id"), runs.c.id == first).values(waiting=False)
        .returning(runs.c.id),
    )  # fmt: skip


_PROMOTE = _promote()


async def by_ref(scope: ReadScope, run: RunRef) -> Run | None:
    """A run, whoever it belongs to: for workers."""
    return await scope.first(_BY_REF, tenant_id=run.tenant_id, run_id=run.id)


async def owned_run(scope: ReadScope, actor: Actor, run_id: RunId) -> Run | None:
    """The run, where its session is the actor's own."""
    return await scope.first(_OWNED, run_id=run_id, **actor.as_owner())


async def lock(uow: UnitOfWork, run: RunRef) -> Run | None:
    """The run's newest version, locked until the unit of work ends. The session's row must be locked before."""
    return await uow.run_one(_LOCK, tenant_id=run.tenant_id, run_id=run.id)


async def lock_live(uow: UnitOfWork, actor: Actor, session_id: SessionId) -> list[Run]:
    """The session's runs that are not finished, in their order, locked. The session's row must be locked before."""
    return await uow.run(_LOCK_LIVE, tenant_id=actor.tenant_id, session_id=session_id)


async def queue(uow: UnitOfWork, actor: Actor, new: NewRun, message_id: UUID, sequence_number: int) -> Run:
    """Store a run that is to write `message_id`, with its event. The session's row must be locked and the actor's."""
    facts = {"runId": global_id(Run.node_type, new.id), "messageId": global_id("ChatMessage", message_id)}
    stored = await uow.run_one(
        _QUEUE,
        run_id=new.id,
        session_id=new.session_id,
        message_id=message_id,
        prompt_message_id=new.prompt_message_id,
        sequence_number=sequence_number,
        retry_of_id=new.retry_of_id,
        waiting=new.waiting,
        model=new.wanted.model,
        temperature=new.wanted.temperature,
        max_output_tokens=new.wanted.max_output_tokens,
        **actor.as_owner(),
        **event_parameters(actor, {**facts, "model": new.wanted.model}),
    )
    uow.announce(new.session_id)
    assert stored is not None  # noqa: S101 - its session is locked
    return stored


async def begin(uow: UnitOfWork, actor: Actor, run: Run, prompt_tokens: int) -> Run | None:
    """Make the caller the one who may write to a live run; `prompt_tokens` is an estimate of what the model reads."""
    uow.announce(run.session_id)
    return await uow.run_one(
        _BEGIN,
        prompt_tokens=prompt_tokens,
        run_id=run.id,
        session_id=run.session_id,
        **actor.as_owner(),
        **event_parameters(actor, _facts(run, {"attempt": run.generation + 1})),
    )


async def end(
    uow: UnitOfWork, actor: Actor, run: Run, status: RunStatus, spending: Spending, facts: dict[str, Any]
) -> Run | None:
    """End a live run: its row, its message with all text that was committed, counters, last line, ledger and event.

    `facts` are error_code, error_message, error_facts, stop_reason, processing_time_ms and streaming. None when it has
    ended already.
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
        begun_at=run.created_at,
        **facts,
        **actor.as_owner(),
        **event_parameters(actor, _facts(run, told)),
    )


async def promote(uow: UnitOfWork, actor: Actor, session_id: SessionId) -> RunId | None:
    """The run that now has the session's turn, if one waited and nobody had it. The session's row must be locked."""
    found = await uow.run_one(_PROMOTE, tenant_id=actor.tenant_id, session_id=session_id)
    return RunId(found) if found else None


def _facts(run: Run, more: dict[str, object]) -> dict[str, object]:
    return {
        "runId": global_id(Run.node_type, run.id),
        "messageId": global_id("ChatMessage", run.message_id),
        **more,
    }
