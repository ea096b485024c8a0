"""What happens to a run, one step each. Callers hold a transaction; the session is locked first, then the run."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import orjson

from app.budgets.service import book
from app.budgets.values import Amount, Entry
from app.core.actor import Actor, CorrelationId, TenantId, UserId
from app.core.errors import AppError, ErrorCode
from app.core.ids import parse_uuid
from app.db.scopes import ReadScope, UnitOfWork
from app.identity.values import USER_ROLES
from app.jobs.queue import enqueue
from app.jobs.values import JobKind
from app.llm.window import WindowUse
from app.messages.values import MessageId
from app.runs import repository
from app.runs.accounts import Accounts
from app.runs.errors import RunActive, RunNotFound, TooManyWaiting
from app.runs.models import Run
from app.runs.values import (
    MOST_WAITING,
    Claim,
    Ending,
    Failure,
    OnBusy,
    RunId,
    RunRef,
    RunStatus,
)
from app.sessions.service import lock as lock_session
from app.sessions.values import SessionId
from app.telemetry.meters import RUNS_ENDED
from app.tools.service import cancel_for

RUN_JOB = JobKind("run")
"""The job that works a run; its payload names it."""

INTERRUPTED = Ending(
    RunStatus.INTERRUPTED,
    Failure(
        ErrorCode.INTERRUPTED, "the server stopped in the middle of the answer; what was there is kept",
        hint="try it again with retryRun", retryable=True,
    ),
)  # fmt: skip

CANCELLED = Ending(RunStatus.CANCELLED)

MOST_ATTEMPTS = 4
"""Workers that take a turn of a run and die before it shows anything: what kills them may be the run."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A run that this worker may write to."""

    run: Run
    actor: Actor
    """The owner, on whose behalf the worker acts."""

    @property
    def claim(self) -> Claim:
        """What the writer is fenced by."""
        return Claim(ref_of(self.run), self.run.generation)


def ref_of(run: Run) -> RunRef:
    """The run's name in statements."""
    return RunRef(TenantId(run.tenant_id), RunId(run.id))


def job_of(run: RunRef) -> bytes:
    """The payload of the job that works a run, and of the one that is added when it ends."""
    return orjson.dumps([run.tenant_id, str(run.id)])


def run_of(payload: bytes) -> RunRef:
    """The run that a job is about."""
    tenant_id, run_id = orjson.loads(payload)
    return RunRef(TenantId(tenant_id), RunId(parse_uuid(run_id)))


def owner_of(run: Run) -> Actor:
    """On whose behalf a worker acts: who asked, under the request that asked."""
    return Actor(TenantId(run.tenant_id), UserId(run.user_id), USER_ROLES, CorrelationId(run.correlation_id))


def reservation(accounts: Accounts, run: Run, prompt_tokens: int) -> Entry:
    """What a turn of a run may spend that reads so much, as its budgets are told."""
    return replace(_entry(run), reserved=accounts.bound(run, prompt_tokens))


async def schedule(uow: UnitOfWork, run: RunRef, turn: int) -> None:
    """Have a turn of a run worked once the transaction is committed; once more is no harm."""
    # Named by its turn: the job of the one before may still be ending, and would stand for this one.
    await enqueue(uow, RUN_JOB, job_of(run), key=f"{run.id}:{turn}")


async def locked(uow: UnitOfWork, found: Run) -> Run | None:
    """The newest version of a run, locked with its session; None when the session was deleted."""
    if await lock_session(uow, owner_of(found), SessionId(found.session_id)) is None:
        return None
    return await repository.lock(uow, ref_of(found))


async def held(uow: UnitOfWork, claimed: Claimed) -> Run | None:
    """A claimed run, locked with its session; None when the claim was lost, or the turn has ended."""
    run = await locked(uow, claimed.run)
    return run if holds(run, claimed) else None


def holds(run: Run | None, claimed: Claimed) -> bool:
    """Whether a worker may still write to the run that it claimed, by what is stored of it now."""
    return run is not None and run.generation == claimed.run.generation and run.status == RunStatus.RUNNING


async def required(scope: ReadScope, actor: Actor, run_id: RunId) -> Run:
    """The actor's run; RunNotFound. An admin may read what others started; changing it is answered as for anybody."""
    found = await repository.owned_run(scope, actor, run_id)
    if found is None:
        raise RunNotFound
    return found


async def find_any(scope: ReadScope, run: RunRef) -> Run | None:
    """A run, whoever it belongs to: for workers."""
    return await repository.by_ref(scope, run)


async def make_way(uow: UnitOfWork, actor: Actor, accounts: Accounts, session_id: SessionId, on_busy: OnBusy) -> bool:
    """Do what `on_busy` says about the runs that a locked session has; whether a new one must wait for its turn.

    RunActive, TooManyWaiting.
    """
    live = await repository.lock_live(uow, actor, session_id)
    if not live:
        return False
    match on_busy:
        case OnBusy.REJECT:
            raise RunActive(RunId(live[0].id))
        case OnBusy.ENQUEUE:
            if len(live) > MOST_WAITING:
                raise TooManyWaiting(MOST_WAITING)
            return True
        case OnBusy.INTERRUPT:
            for run in live:
                await end(uow, actor, accounts, run, CANCELLED)
            return False


async def claim(uow: UnitOfWork, accounts: Accounts, ref: RunRef, use: WindowUse) -> Claimed | None:
    """Take a run to work it, also from a worker that has died; None when there is nothing to be done.

    One that had shown something in its turn is ended as INTERRUPTED: a model cannot go on in the middle. One that had
    not is begun again, and the worker before us can write to it no more; after MOST_ATTEMPTS workers, it is given up
    too. BudgetExceeded at the end of the unit of work, where there is no room for what this turn may spend.
    """
    found = await repository.by_ref(uow, ref)
    run = await locked(uow, found) if found else None
    if run is None or run.waiting:
        return None
    actor, status = owner_of(run), RunStatus(run.status)
    if status.ended:
        # Whoever ended it was no worker: the one who waits behind it is still to be told.
        await next_turn(uow, actor, SessionId(run.session_id))
        return None
    if status is RunStatus.REQUIRES_ACTION:
        return None
    attempts = run.generation - run.turn_generation
    shown = attempts and (await repository.written(uow, ref)).last_seq > run.turn_seq
    if shown or attempts >= MOST_ATTEMPTS:
        await end(uow, actor, accounts, run, INTERRUPTED)
        await next_turn(uow, actor, SessionId(run.session_id))
        return None
    begun = await repository.begin(uow, actor, run, use, accounts.bounded_output)
    if begun is None:
        return None
    book(uow, reservation(accounts, begun, use.used_tokens))
    return Claimed(begun, actor)


async def refuse(uow: UnitOfWork, accounts: Accounts, ref: RunRef, generation: int, refused: AppError) -> None:
    """End a run of which a worker was refused the turn that it wanted to begin; what earlier turns wrote is kept.

    Not where another worker has taken it since, for whom there was room; `generation` is the run's before.
    """
    found = await repository.by_ref(uow, ref)
    run = await locked(uow, found) if found else None
    if run is None or run.waiting or run.generation != generation:
        return
    if run.status not in (RunStatus.QUEUED, RunStatus.RUNNING):
        return
    actor = owner_of(run)
    await end(uow, actor, accounts, run, Ending(RunStatus.FAILED, Failure.of(refused)))
    await next_turn(uow, actor, SessionId(run.session_id))


async def end(uow: UnitOfWork, actor: Actor, accounts: Accounts, run: Run, ending: Ending) -> Run | None:
    """End a live run that is locked with its session, or only its turn, where the ending is REQUIRES_ACTION.

    With all text of the turn that was committed, and what it spent. What is still to be executed for it is called off.
    Where somebody is to go on from its end, the job for that is added.
    """
    if run.status == RunStatus.REQUIRES_ACTION:
        ended = await repository.call_off(uow, actor, run)
    else:
        text = (await repository.written(uow, ref_of(run))).text if run.generation else ""
        begun = bool(text) or ending.status is RunStatus.REQUIRES_ACTION
        spending = accounts.of(run, ending.usage, text, begun=begun)
        ended = await repository.end(uow, actor, run, ending.status, spending, _facts(ending))
        if ended is not None:
            book(uow, replace(_entry(run), spent=Amount(spending.usage.total, spending.cost)))
    if ending.status.ended:
        uow.announce(run.id)
        if ended is not None:
            uow.after_commit(partial(_count, ending.status))
        if ending.status is not RunStatus.COMPLETED:
            await cancel_for(uow, actor, MessageId(run.message_id))
        if ended is not None and run.on_end is not None:
            await enqueue(uow, JobKind(run.on_end), job_of(ref_of(run)), key=f"{run.id}")
    return ended


async def _count(status: RunStatus) -> None:
    RUNS_ENDED.labels(status.value).inc()


async def finish(uow: UnitOfWork, accounts: Accounts, claimed: Claimed, ending: Ending) -> Run | None:
    """End a run that this worker has claimed, and give its session's turn on; None when the claim was lost."""
    run = await locked(uow, claimed.run)
    if run is None or run.generation != claimed.run.generation:
        return None
    # Where others have ended it, one who waits behind it may still have to be told.
    ended = await end(uow, claimed.actor, accounts, run, ending) if run.status == RunStatus.RUNNING else None
    await next_turn(uow, claimed.actor, SessionId(run.session_id))
    return ended


async def give_turn_on(uow: UnitOfWork, claimed: Claimed) -> None:
    """See to it that who waits behind a run that others have ended is not forgotten: not all of them do."""
    session_id = SessionId(claimed.run.session_id)
    if await lock_session(uow, claimed.actor, session_id) is not None:
        await next_turn(uow, claimed.actor, session_id)


async def next_turn(uow: UnitOfWork, actor: Actor, session_id: SessionId) -> None:
    """Give the turn of a locked session to the run that waits the longest, where nobody has it."""
    promoted = await repository.promote(uow, actor, session_id)
    if promoted is not None:
        await schedule(uow, RunRef(actor.tenant_id, promoted), turn=1)


def _entry(run: Run) -> Entry:
    return Entry(run.tenant_id, run.id, run.user_id, run.model)


def _facts(ending: Ending) -> dict[str, Any]:
    failure = ending.failure
    return {
        "error_code": failure and failure.code,
        "error_message": failure and failure.message,
        "error_facts": failure and failure.facts(),
        "stop_reason": ending.stop_reason,
        "processing_time_ms": ending.processing_time_ms,
        "streaming": ending.streaming,
    }
