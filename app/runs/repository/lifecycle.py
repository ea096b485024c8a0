"""Statements that write runs themselves, from being asked for to being worked."""

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Double, Integer, Text, Uuid, exists, func, literal, select, true, update
from sqlalchemy.dialects.postgresql import JSONB, insert

from app.budgets.fragments import bounded_output
from app.core.actor import Actor
from app.core.ids import global_id
from app.db.scopes import ReadScope, UnitOfWork
from app.db.statement import Command, Query, param
from app.events.fragments import event, event_parameters
from app.events.values import EventKind
from app.llm.port import OutputSchema
from app.llm.window import WindowUse
from app.messages.fragments import changed_message
from app.messages.values import MessageStatus
from app.runs.fragments import FACTS, LIVE_RUNS, LIVE_STATUSES, OURS, runs
from app.runs.models import Run
from app.runs.values import NewRun, RunId, RunRef, RunStatus, Terms
from app.sessions.fragments import is_session, owned, sessions, touched
from app.sessions.values import SessionId
from app.toolbox.values import OfferedTool

_IN_SESSION = (runs.c.tenant_id == param("tenant_id"), runs.c.session_id == param("session_id", Uuid))
_BY_REF = Query(Run, select(*FACTS).where(*OURS))

_OWNED = Query(
    Run,
    select(*FACTS)
    .join(sessions, (sessions.c.tenant_id == runs.c.tenant_id) & (sessions.c.id == runs.c.session_id))
    .where(owned(), *OURS),
)
_LOCK = Command(Run, select(*FACTS).where(*OURS).with_for_update(key_share=True))
"""Waits for a flush in flight, which holds the row shared: afterwards every line of the run is committed."""


class _Terms(NamedTuple):
    tools: list[Any]
    output: dict[str, Any] | None


_TERMS = Query(_Terms, select(runs.c.tools, runs.c.output).where(*OURS))

_LOCK_LIVE = Command(
    Run,
    select(*FACTS).where(*_IN_SESSION, LIVE_RUNS).order_by(runs.c.sequence_number).with_for_update(key_share=True),
)


def _queue() -> Command[Run]:
    session = touched(is_session())
    most_output = func.coalesce(
        param("max_output_tokens", Integer), bounded_output(session.c.user_id, param("model", Text))
    )
    row: dict[str, Any] = {
        "tenant_id": session.c.tenant_id, "id": param("run_id", Uuid), "session_id": session.c.id,
        "user_id": session.c.user_id, "message_id": param("message_id", Uuid),
        "prompt_message_id": param("prompt_message_id", Uuid), "sequence_number": param("sequence_number", Integer),
        "retry_of_id": param("retry_of_id", Uuid), "waiting": param("waiting", Boolean), "model": param("model", Text),
        "temperature": param("temperature", Double), "max_output_tokens": most_output,
        "tools": param("tools", JSONB), "output": param("output", JSONB), "on_end": param("on_end", Text),
        "correlation_id": param("correlation_id", Text), "created_at": session.c.updated_at,
    }  # fmt: skip
    queued = insert(runs).from_select(list(row), select(*row.values())).returning(*FACTS).cte("run")
    return Command(Run, select(*queued.c).add_cte(event(EventKind.RUN_QUEUED, stream=session)))


def _begin() -> Command[Run]:
    """Take a run that nobody works on; the caller holds the locks of session and run."""
    session = touched(is_session())
    begun = (
        update(runs)
        .where(*OURS, runs.c.session_id == session.c.id, LIVE_RUNS)
        .values(
            status=RunStatus.RUNNING.value,
            generation=runs.c.generation + 1,
            started_at=func.coalesce(runs.c.started_at, session.c.updated_at),
            prompt_tokens=param("used_tokens", BigInteger),
            window_budget_tokens=param("budget_tokens", Integer),
            window_messages=param("messages", Integer),
            left_out_messages=param("left_out_messages", Integer),
            left_out_tokens=param("left_out_tokens", Integer),
            # A budget may have been set meanwhile.
            max_output_tokens=func.coalesce(runs.c.max_output_tokens, bounded_output(runs.c.user_id, runs.c.model)),
        )
        .returning(*FACTS)
        .cte("run")
    )
    message = changed_message(
        session, select(begun.c.message_id).scalar_subquery(), {"status": MessageStatus.PROCESSING.value}
    )
    started = event(EventKind.RUN_STARTED, stream=session)
    return Command(Run, select(*begun.c).add_cte(message, started))


_QUEUE = _queue()
_BEGIN = _begin()


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


async def terms_of(scope: ReadScope, run: RunRef) -> Terms:
    """What a run offers to its model, and what the answer is to be; whoever it belongs to."""
    stored = await scope.first(_TERMS, tenant_id=run.tenant_id, run_id=run.id)
    if stored is None:
        return Terms()
    tools = tuple(OfferedTool.from_json(tool) for tool in stored.tools)
    return Terms(tools, OutputSchema.from_json(stored.output) if stored.output is not None else None)


async def owned_run(scope: ReadScope, actor: Actor, run_id: RunId) -> Run | None:
    """The run, where its session is the actor's own."""
    return await scope.first(_OWNED, run_id=run_id, **actor.as_owner())


async def lock(uow: UnitOfWork, run: RunRef) -> Run | None:
    """The run's newest version, locked until the unit of work ends. The session's row must be locked before."""
    return await uow.run_one(_LOCK, tenant_id=run.tenant_id, run_id=run.id)


async def lock_live(uow: UnitOfWork, actor: Actor, session_id: SessionId) -> list[Run]:
    """The session's runs that are not finished, in their order, locked. The session's row must be locked before."""
    return await uow.run(_LOCK_LIVE, tenant_id=actor.tenant_id, session_id=session_id)


async def queue(
    uow: UnitOfWork, actor: Actor, new: NewRun, message_id: UUID, sequence_number: int, bounded_output: int
) -> Run:
    """Store a run that is to write `message_id`, with its event. The session's row must be locked and the actor's.

    It writes at most `bounded_output` tokens where a budget limits it and it names no bound itself.
    """
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
        bounded_output=bounded_output,
        tools=[tool.as_json() for tool in new.wanted.tools],
        output=new.wanted.output and new.wanted.output.as_json(),
        on_end=new.wanted.on_end,
        **actor.as_owner(),
        **event_parameters(actor, {**facts, "model": new.wanted.model}),
    )
    uow.announce(new.session_id)
    assert stored is not None  # noqa: S101 - its session is locked
    return stored


async def begin(uow: UnitOfWork, actor: Actor, run: Run, use: WindowUse, bounded_output: int) -> Run | None:
    """Make the caller the one who may write to a live run; `use` is what its model has in view in this turn.

    `bounded_output` is as of `queue`.
    """
    uow.announce(run.session_id)
    attempt = run.generation + 1 - run.turn_generation
    return await uow.run_one(
        _BEGIN,
        **use._asdict(),
        bounded_output=bounded_output,
        run_id=run.id,
        session_id=run.session_id,
        **actor.as_owner(),
        **event_parameters(actor, facts_of(run, {"turn": run.turns, "attempt": attempt})),
    )


async def promote(uow: UnitOfWork, actor: Actor, session_id: SessionId) -> RunId | None:
    """The run that now has the session's turn, if one waited and nobody had it. The session's row must be locked."""
    found = await uow.run_one(_PROMOTE, tenant_id=actor.tenant_id, session_id=session_id)
    return RunId(found) if found else None


def facts_of(run: Run, more: dict[str, object]) -> dict[str, object]:
    """What an event says of a run."""
    return {
        "runId": global_id(Run.node_type, run.id),
        "messageId": global_id("ChatMessage", run.message_id),
        **more,
    }
