"""The three stages of an execution, and what sequences them (S0-1)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.core.actor import Actor
from app.db.scopes import ReadScope, UnitOfWork
from app.execution.values import (
    Conversation,
    ExecutePromptRequest,
    GeneratedPromptId,
    LlmExecutionResult,
    NewExecution,
    PreparedPrompt,
    PromptPersistenceResult,
    SavedExecution,
)
from app.runs.pipeline import RunOutcome
from app.runs.values import Prepared


class GeneratedPrompts(Protocol):
    """The prompts that a project came to; a room above this one has them."""

    async def text_of(self, scope: ReadScope, actor: Actor, generated_id: GeneratedPromptId) -> str:
        """What an approved prompt says. Errors name `promptGenerationId`: NOT_FOUND, and INVALID_TRANSITION where it is
        not approved.
        """

    async def hold(self, uow: UnitOfWork, actor: Actor, generated_id: GeneratedPromptId) -> bool:
        """Keep a prompt from being deleted until the end; False where it is gone. Taken behind the session's lock."""


class Preparation(Protocol):
    """The first stage: what is asked becomes a text, and what is needed of the conversation is looked at."""

    async def prepare(self, request: ExecutePromptRequest) -> PreparedPrompt:
        """The prompt; no transaction is held. Errors name the field of the input that is wrong."""


class Execution(Protocol):
    """The second stage: a model is to answer the prompt."""

    async def execute(self, prepared: PreparedPrompt, request: ExecutePromptRequest) -> LlmExecutionResult:
        """The run that will answer. The model is asked by a worker, once the third stage has committed."""


class Persistence(Protocol):
    """The third stage: all of it is stored, or nothing."""

    async def persist(
        self, request: ExecutePromptRequest, result: LlmExecutionResult, correlation_id: str
    ) -> PromptPersistenceResult:
        """What was stored, in one transaction."""


class ExecutionRepository(Protocol):
    """What the third stage asks of the database (S0-9); each within the caller's transaction."""

    async def ensure_conversation_exists(self, uow: UnitOfWork, actor: Actor, answer: Prepared) -> Conversation:
        """The session, locked where one was named, else created. SessionNotFound."""

    async def save(
        self, uow: UnitOfWork, actor: Actor, answer: Prepared, new: NewExecution, conversation: Conversation
    ) -> tuple[SavedExecution, RunOutcome]:
        """Store the person's message, the one that will answer it, the run with its job, and the execution."""

    async def update_conversation_timestamp(self, uow: UnitOfWork, actor: Actor, new: NewExecution) -> datetime:
        """Bump the session, with the event that tells of the execution; its new time."""


@dataclass(frozen=True, slots=True)
class PromptExecutor:
    """One per request; it sequences the stages, and knows nothing of what they do."""

    preparation: Preparation
    execution: Execution
    persistence: Persistence

    async def execute_prompt(self, request: ExecutePromptRequest, correlation_id: str) -> PromptPersistenceResult:
        """Take a prompt through its three stages. What one of them raises goes through, and nothing is stored."""
        prepared = await self.preparation.prepare(request)
        result = await self.execution.execute(prepared, request)
        return await self.persistence.persist(request, result, correlation_id)
