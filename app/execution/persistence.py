"""The third stage: session, messages, run, job and execution in one transaction."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Protocol, TypeVar
from uuid import UUID

import structlog

from app.core.actor import Actor, CorrelationId
from app.core.clock import Stopwatch
from app.core.ids import new_id
from app.db.errors import Duplicate
from app.db.scopes import UnitOfWork
from app.execution import repository
from app.execution.errors import AlreadyStored, ExecutionGone
from app.execution.stages import ExecutionRepository, GeneratedPrompts
from app.execution.values import (
    Conversation,
    ExecutePromptRequest,
    LlmExecutionResult,
    NewExecution,
    PersistenceMetadata,
    PromptExecutionId,
    PromptPersistenceResult,
    SavedExecution,
)
from app.idempotency.service import earlier_subject
from app.prompts.service import hold
from app.runs.pipeline import RunOutcome, RunPipeline
from app.runs.values import Prepared

log = structlog.get_logger("colloquy.execution")

T = TypeVar("T")


class Transactions(Protocol):
    """Runs work in a transaction: the process's database."""

    async def transact(self, work: Callable[[UnitOfWork], Awaitable[T]]) -> T:
        """What comes of the work, once that is committed."""


@dataclass(frozen=True, slots=True)
class WithinTransaction:
    """`Transactions` of which there is only one, a caller's: it commits what comes of the work, or rolls it back.

    After a failure nothing else can be done in it: whoever opened it lets the error through.
    """

    uow: UnitOfWork

    async def transact(self, work: Callable[[UnitOfWork], Awaitable[T]]) -> T:
        """What comes of the work, which is not committed yet, and is not tried again here."""
        return await work(self.uow)


@dataclass(frozen=True, slots=True)
class PromptPersistence:
    """One per request."""

    transactions: Transactions
    actor: Actor
    repository: ExecutionRepository

    async def persist(
        self, request: ExecutePromptRequest, result: LlmExecutionResult, correlation_id: str
    ) -> PromptPersistenceResult:
        """Store a prompt and the run that answers it; on any failure nothing is stored, not even the session (S0-8).

        SessionNotFound, RunActive, TooManyWaiting, TemplateNotFound, KeyReused, AlreadyStored.
        """
        actor = replace(self.actor, correlation_id=CorrelationId(correlation_id))
        new = NewExecution.of(PromptExecutionId(new_id()), request, result)
        watch, attempts = Stopwatch(), 0

        async def work(uow: UnitOfWork) -> PromptPersistenceResult:
            nonlocal attempts
            attempts += 1
            stored = await once(uow)
            # Only then: a caller's transaction goes on, and may still be rolled back.
            uow.after_commit(partial(_noted, stored, correlation_id))
            return stored

        async def once(uow: UnitOfWork) -> PromptPersistenceResult:
            earlier = await earlier_subject(uow, actor, request.key, new.id)
            if earlier is not None:
                return await _as_before(uow, actor, earlier, attempts, watch)
            conversation = await self.repository.ensure_conversation_exists(uow, actor, result.answer)
            saved, outcome = await self.repository.save(uow, actor, result.answer, new, conversation)
            updated_at = await self.repository.update_conversation_timestamp(uow, actor, new)
            done = PersistenceMetadata(
                conversation.created, updated_at, outcome.run.waiting, False, attempts, watch.elapsed_ms()
            )
            return PromptPersistenceResult(saved, saved.session_id, done)

        try:
            return await self.transactions.transact(work)
        except Duplicate:
            raise AlreadyStored from None


@dataclass(frozen=True, slots=True)
class SqlExecutions:
    """The repository over PostgreSQL; without state."""

    runs: RunPipeline
    generated: GeneratedPrompts

    async def ensure_conversation_exists(self, uow: UnitOfWork, actor: Actor, answer: Prepared) -> Conversation:
        """As `ExecutionRepository`."""
        session = await self.runs.session_for(uow, actor, answer)
        return Conversation(session, created=answer.asked.session_id is None)

    async def save(
        self, uow: UnitOfWork, actor: Actor, answer: Prepared, new: NewExecution, conversation: Conversation
    ) -> tuple[SavedExecution, RunOutcome]:
        """As `ExecutionRepository`; the template is held, so that nobody deletes it meanwhile. TemplateNotFound."""
        outcome = await self.runs.take_on(uow, actor, answer, conversation.session)
        if new.template_id is not None:
            await hold(uow, actor, new.template_id)
        if new.generated_id is not None and not await self.generated.hold(uow, actor, new.generated_id):
            # Deleted since it was read: as if it were deleted right after this.
            new = replace(new, generated_id=None)
        return await repository.save(uow, actor, new), outcome

    async def update_conversation_timestamp(self, uow: UnitOfWork, actor: Actor, new: NewExecution) -> datetime:
        """As `ExecutionRepository`."""
        return await repository.touch(uow, actor, new)


async def _noted(stored: PromptPersistenceResult, correlation_id: str) -> None:
    log.info("prompt_executed", execution=str(stored.execution.id), correlation_id=correlation_id)


async def _as_before(
    uow: UnitOfWork, actor: Actor, earlier: UUID, attempts: int, watch: Stopwatch
) -> PromptPersistenceResult:
    """What the same request was answered when it came first. ExecutionGone."""
    saved = await repository.owned_execution(uow, actor, PromptExecutionId(earlier))
    if saved is None:
        raise ExecutionGone
    done = PersistenceMetadata(False, None, False, True, attempts, watch.elapsed_ms())
    return PromptPersistenceResult(saved, saved.session_id, done)
