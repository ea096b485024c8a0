"""What happens to a run, one step each. Callers hold a transaction; the session is locked first, then the run."""

from dataclasses import dataclass
from typing import Any

import orjson

from app.core.actor import Actor, CorrelationId, TenantId, UserId
from app.core.errors import ErrorCode
from app.core.ids import new_id, parse_uuid
from app.db.scopes import ReadScope, UnitOfWork
from app.identity.values import USER_ROLES
from app.jobs.queue import enqueue
from app.jobs.values import JobKind
from app.llm.port import ToolCallRequested
from app.messages.values import MessageId
from app.runs import repository
from app.runs.accounts import Accounts
from app.runs.errors import RunActive, RunNotFound, TooManyWaiting
from app.runs.models import Run
from app.runs.values import (
    MOST_WAITING,
    Claim,
    Ending,
    EntryKind,
    Failure,
    OnBusy,
    RunEntry,
    RunId,
    RunRef,
    RunStatus,
)
from app.sessions.service import lock as lock_session
from app.sessions.values import SessionId
from app.tools.service import add as add_call
from app.tools.values import NewToolCall, ToolCallId

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
"""Workers that take a run and die before it shows anything: what kills them may be the run."""


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
    """The payload of the job that works a run."""
    return orjson.dumps([run.tenant_id, str(run.id)])


def run_of(payload: bytes) -> RunRef:
    """The run that a job is to work."""
    tenant_id, run_id = orjson.loads(payload)
    return RunRef(TenantId(tenant_id), RunId(parse_uuid(run_id)))


def owner_of(run: Run) -> Actor:
    """On whose behalf a worker acts: who asked, under the request that asked."""
    return Actor(TenantId(run.tenant_id), UserId(run.user_id), USER_ROLES, CorrelationId(run.correlation_id))


async def schedule(uow: UnitOfWork, run: RunRef) -> None:
    """Have a run worked once the transaction is committed; once more is no harm."""
    await enqueue(uow, RUN_JOB, job_of(run), key=str(run.id))


async def locked(uow: UnitOfWork, found: Run) -> Run | None:
    """The newest version of a run, locked with its session; None when the session was deleted."""
    if await lock_session(uow, owner_of(found), SessionId(found.session_id)) is None:
        return None
    return await repository.lock(uow, ref_of(found))


async def required(scope: ReadScope, actor: Actor, run_id: RunId) -> Run:
    """The actor's run; RunNotFound. An admin may read what others started; changing it is answered as for anybody."""
    found = await repository.owned_run(scope, actor, run_id)
    if found is None:
        raise RunNotFound
    return found


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


async def claim(uow: UnitOfWork, accounts: Accounts, ref: RunRef, prompt_tokens: int) -> Claimed | None:
    """Take a run to work it, also from a worker that has died; None when there is nothing to be done.

    One that had shown something is ended as INTERRUPTED: a model cannot go on in the middle. One that had not is begun
    again, and the worker before us can write to it no more; after MOST_ATTEMPTS workers, it is given up too.
    """
    found = await repository.by_ref(uow, ref)
    run = await locked(uow, found) if found else None
    if run is None or run.waiting:
        return None
    actor = owner_of(run)
    if RunStatus(run.status).ended:
        # Whoever ended it was no worker: the one who waits behind it is still to be told.
        await next_turn(uow, actor, SessionId(run.session_id))
        return None
    shown = run.generation and (await repository.written(uow, ref)).last_seq
    if shown or run.generation >= MOST_ATTEMPTS:
        await end(uow, actor, accounts, run, INTERRUPTED)
        await next_turn(uow, actor, SessionId(run.session_id))
        return None
    begun = await repository.begin(uow, actor, run, prompt_tokens)
    return Claimed(begun, actor) if begun else None


async def end(uow: UnitOfWork, actor: Actor, accounts: Accounts, run: Run, ending: Ending) -> Run | None:
    """End a live run that is locked with its session: with all text that was committed, and what it spent."""
    answer = await repository.written(uow, ref_of(run)) if run.generation else repository.Written("", 0, 0)
    spending = accounts.of(run, ending.usage, answer.text)
    ended = await repository.end(uow, actor, run, ending.status, spending, _facts(ending))
    uow.announce(run.id)
    return ended


async def finish(uow: UnitOfWork, accounts: Accounts, claimed: Claimed, ending: Ending) -> Run | None:
    """End a run that this worker has claimed, and give its session's turn on; None when the claim was lost."""
    run = await locked(uow, claimed.run)
    if run is None or run.generation != claimed.run.generation:
        return None
    # Where others have ended it, one who waits behind it may still have to be told.
    ended = None if RunStatus(run.status).ended else await end(uow, claimed.actor, accounts, run, ending)
    await next_turn(uow, claimed.actor, SessionId(run.session_id))
    return ended


async def give_turn_on(uow: UnitOfWork, claimed: Claimed) -> None:
    """See to it that who waits behind a run that others have ended is not forgotten: not all of them do."""
    session_id = SessionId(claimed.run.session_id)
    if await lock_session(uow, claimed.actor, session_id) is not None:
        await next_turn(uow, claimed.actor, session_id)


async def remind(uow: UnitOfWork, ref: RunRef) -> None:
    """Give a run its turn, where nobody has it, and a job, where it has none."""
    found = await repository.by_ref(uow, ref)
    run = await locked(uow, found) if found else None
    if run is None or RunStatus(run.status).ended:
        return
    if run.waiting:
        await next_turn(uow, owner_of(run), SessionId(run.session_id))
    else:
        await schedule(uow, ref)


async def call_tool(uow: UnitOfWork, claimed: Claimed, requested: ToolCallRequested, seq: int) -> RunEntry | None:
    """Add a call to the message of a claimed run, and to its log as line `seq`; None when the claim was lost."""
    run = await locked(uow, claimed.run)
    if run is None or run.generation != claimed.run.generation or RunStatus(run.status).ended:
        return None
    new = NewToolCall(
        ToolCallId(new_id()), MessageId(run.message_id), requested.name, requested.arguments, requested.call_id
    )
    added = await add_call(uow, claimed.actor, new, None)
    line = RunEntry(seq, EntryKind.TOOL_CALL, {"toolCallId": str(added.tool_call.id)})
    await repository.call_tool(uow, claimed.claim, line)
    return line


async def next_turn(uow: UnitOfWork, actor: Actor, session_id: SessionId) -> None:
    """Give the turn of a locked session to the run that waits the longest, where nobody has it."""
    promoted = await repository.promote(uow, actor, session_id)
    if promoted is not None:
        await schedule(uow, RunRef(actor.tenant_id, promoted))


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
