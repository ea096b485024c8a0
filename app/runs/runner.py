"""Works runs: takes one from its job, streams the model's answer into its log, and ends it."""

import asyncio
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import assert_never
from uuid import UUID

import structlog

from app.budgets.errors import BudgetExceeded
from app.core.actor import CorrelationId
from app.core.clock import Stopwatch
from app.core.errors import AppError, ErrorCode
from app.core.logging import correlate
from app.db.database import Database
from app.db.scopes import UnitOfWork
from app.graph.loading import Loaders
from app.jobs.values import GiveBack
from app.llm.port import ModelRequest, Stopped, StopReason, TextDelta, ToolCallRequested, Usage, UsageReported
from app.llm.registry import Models
from app.messages.values import LONGEST_CONTENT
from app.runs import repository, service
from app.runs.conversation import Question, load_question
from app.runs.errors import TooManyTurns
from app.runs.service import Claimed
from app.runs.turns import Turns, looked_at
from app.runs.values import MOST_TURNS, Ending, Failure, RunEntry, RunId, RunRef, RunStatus
from app.runs.writer import AnswerLog, AnswerWriter, ClaimLost
from app.telemetry.meters import FIRST_TOKEN
from app.toolbox.values import OfferedTool

log = structlog.get_logger("colloquy.runs")

LONGEST_PAUSE_SECONDS = 5.0
"""Between two attempts to store an end while the database does not answer."""

MASKED = Failure(
    ErrorCode.INTERNAL_SERVER_ERROR, "something went wrong on the server; the correlation id finds it in the log"
)


class _WentOn(Exception):
    """A run is at another turn than the one that was read."""


@dataclass(slots=True)
class _Answer:
    """What comes of one run in this process."""

    claimed: Claimed
    log: AnswerLog
    tools: tuple[OfferedTool, ...] = ()
    calls: int = 0
    doubted: asyncio.Event = field(default_factory=asyncio.Event)
    """Somebody else has written to the run: perhaps it is no longer ours."""
    watch: Stopwatch = field(default_factory=Stopwatch)
    length: int = 0
    chunks: int = 0
    first_token_ms: float | None = None
    usage: Usage | None = None
    stop_reason: StopReason | None = None

    def write(self, text: str) -> bool:
        """Take a piece; whether there is room for more."""
        room = LONGEST_CONTENT - self.length
        if self.first_token_ms is None:
            self.first_token_ms = self.watch.elapsed_ms()
            FIRST_TOKEN.labels(self.claimed.run.model.partition(":")[0]).observe(self.first_token_ms / 1000)
        self.chunks += 1
        self.length += min(len(text), room)
        self.log.write(text[:room])
        return self.length < LONGEST_CONTENT

    def ended(self, status: RunStatus, failure: Failure | None = None) -> Ending:
        """How it ends, with what is known of it by now."""
        elapsed = self.watch.elapsed_ms()
        streaming: dict[str, object] = {"chunkCount": self.chunks}
        if self.first_token_ms is not None:
            streaming["firstTokenMs"] = round(self.first_token_ms)
            streaming["durationMs"] = round(elapsed - self.first_token_ms)
        return Ending(
            status, failure, self.usage, self.stop_reason and self.stop_reason.value, round(elapsed), streaming
        )


class RunRunner:
    """One per process; its state is the runs that it works at the moment."""

    def __init__(self, database: Database, models: Models, turns: Turns, writer: AnswerWriter) -> None:
        self._database = database
        self._models = models
        self._turns = turns
        self._accounts = turns.accounts
        self._writer = writer
        self._working: dict[UUID, _Answer] = {}
        self._writing: dict[UUID, _Answer] = {}
        """The same by their messages."""

    @property
    def working(self) -> int:
        """How many runs are worked here."""
        return len(self._working)

    def heard(self, id_: UUID) -> None:
        """Somebody has written to a run, or deleted a message: if it is worked here, it may have been ended, or taken.

        Or it is only news of the turn before.
        """
        working = self._working.get(id_) or self._writing.get(id_)
        if working is not None:
            working.doubted.set()

    async def work(self, payload: bytes) -> None:
        """Work the run that a job names, as far as there is something to do. Cancelled, it gives the job back."""
        ref = service.run_of(payload)
        found = await self._claimed(ref)
        if found is None:
            return
        await self._answer(*found)

    async def _claimed(self, ref: RunRef) -> tuple[Claimed, Question] | None:
        """A run, taken, with what it asks its model in that turn; None where there is nothing to be done."""
        while (question := await self._question(ref)) is not None:
            try:
                claimed = await self._database.transact(partial(self._take, ref, question))
            except _WentOn:
                continue
            except BudgetExceeded as refused:
                # In a transaction of its own: what was refused is rolled back with the claim.
                refuse = partial(service.refuse, accounts=self._accounts, ref=ref, generation=question.generation)
                await self._database.transact(partial(refuse, refused=refused))
                return None
            return (claimed, question) if claimed is not None else None
        return None

    async def _take(self, ref: RunRef, question: Question, uow: UnitOfWork) -> Claimed | None:
        claimed = await service.claim(uow, self._accounts, ref, question.view.use)
        if claimed is not None and claimed.run.message_id != question.message_id:
            # It went on to its next turn in between: there is more to read, and something else to note.
            raise _WentOn
        return claimed

    async def _question(self, ref: RunRef) -> Question | None:
        """What a run is to ask its model now; None when there is none."""
        async with self._database.read() as scope:
            run = await repository.by_ref(scope, ref)
            if run is None:
                return None
            correlate(CorrelationId(run.correlation_id))
            terms = await repository.terms_of(scope, ref)
            return await load_question(
                scope, Loaders(self._database, service.owner_of(run)), run, terms, self._models.windows
            )

    async def _answer(self, claimed: Claimed, question: Question) -> None:
        generating: asyncio.Task[Ending] | None = None
        log_of_it = self._writer.open(claimed.claim, claimed.run.turn_seq, lambda: generating and generating.cancel())
        answer = _Answer(claimed, log_of_it, question.terms.tools)
        generating = asyncio.create_task(self._generate(answer, question))
        doubting = asyncio.create_task(self._doubt(answer))
        run_id = RunId(claimed.run.id)
        self._working[run_id] = self._writing[claimed.run.message_id] = answer
        try:
            await asyncio.wait([generating])
            if answer.log.lost:
                log.info("run_ended_elsewhere", run=str(run_id))
                await self._database.transact(lambda uow: service.give_turn_on(uow, claimed))
                return
            await self._store_end(answer, generating.result())
        except asyncio.CancelledError:
            whole = generating.done() and not generating.cancelled()
            generating.cancel()
            await asyncio.wait([generating])
            if whole and not answer.log.lost:
                await self._store_end(answer, generating.result())
            else:
                await self._let_go(answer)
            raise
        finally:
            doubting.cancel()
            await asyncio.wait([doubting])
            del self._writing[claimed.run.message_id]
            # Its next turn may have begun here.
            if self._working.get(run_id) is answer:
                del self._working[run_id]

    async def _doubt(self, answer: _Answer) -> None:
        """Give an answer up once somebody else has ended its run, or taken it; until cancelled."""
        while not answer.log.lost:
            await answer.doubted.wait()
            answer.doubted.clear()
            with suppress(AppError):
                # Where the database does not answer, the next piece tells.
                async with self._database.read() as scope:
                    run = await repository.by_ref(scope, answer.claimed.claim.run)
                if not service.holds(run, answer.claimed):
                    answer.log.give_up()

    async def _generate(self, answer: _Answer, question: Question) -> Ending:
        """Stream the answer into its log; whatever happens, an ending comes of it."""
        try:
            await self._stream(answer, question.request_of(answer.claimed.run))
            await answer.log.flushed()
        except ClaimLost:
            return answer.ended(RunStatus.INTERRUPTED)
        except AppError as error:
            log.info("run_failed", code=error.code, reason=error.message)
            return await self._failed(answer, Failure.of(error))
        except Exception:
            log.exception("run_failed")
            return await self._failed(answer, MASKED)
        return answer.ended(RunStatus.COMPLETED)

    async def _failed(self, answer: _Answer, failure: Failure) -> Ending:
        with suppress(ClaimLost):
            await answer.log.flushed()
        return answer.ended(RunStatus.FAILED, failure)

    async def _stream(self, answer: _Answer, request: ModelRequest) -> None:
        async with aclosing(self._models.stream(answer.claimed.run.model, request)) as events:
            async for event in events:
                match event:
                    case TextDelta(text):
                        if not answer.write(text):
                            answer.stop_reason = StopReason.LENGTH
                            return
                    case ToolCallRequested():
                        await self._call_tool(answer, event)
                    case UsageReported(usage):
                        answer.usage = usage
                    case Stopped(reason):
                        answer.stop_reason = reason
                    case _:
                        assert_never(event)

    async def _call_tool(self, answer: _Answer, requested: ToolCallRequested) -> None:
        if answer.claimed.run.turns >= MOST_TURNS:
            raise TooManyTurns
        call = looked_at(answer.tools, requested)

        async def store(seq: int) -> RunEntry | None:
            return await self._database.transact(lambda uow: self._turns.call_tool(uow, answer.claimed, call, seq))

        await answer.log.add(store)
        answer.calls += 1

    async def _store_end(self, answer: _Answer, ending: Ending) -> None:
        """Store how a run ended; while the database does not answer, again and again: the answer was there."""
        pause = 0.25
        while True:
            try:
                await self._database.transact(
                    lambda uow: self._turns.finish(uow, answer.claimed, ending, called=answer.calls > 0)
                )
            except AppError as error:
                log.warning("end_not_stored", run=str(answer.claimed.run.id), reason=error.message)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            else:
                return

    async def _let_go(self, answer: _Answer) -> None:
        """The process stops: what has shown nothing is begun anew by another, what has ends as INTERRUPTED."""
        if answer.log.lost:
            return
        if not answer.log.begun:
            raise GiveBack
        ending = replace(service.INTERRUPTED, usage=answer.usage, streaming={"chunkCount": answer.chunks})
        with suppress(ClaimLost, TimeoutError):
            await asyncio.wait_for(answer.log.flushed(), LONGEST_PAUSE_SECONDS)
        await self._store_end(answer, ending)
