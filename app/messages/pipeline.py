"""How a message becomes part of its session: check, understand, count, store."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from app.core.actor import Actor
from app.core.clock import Stopwatch
from app.core.errors import AppError, ValidationError
from app.core.ids import new_id
from app.db.database import Database
from app.db.scopes import UnitOfWork
from app.idempotency.service import first_subject
from app.idempotency.values import ClientKey
from app.llm.tokens import TokenCount
from app.messages import repository, service
from app.messages.errors import MessageDeleted, MessageNotFound, OtherRole
from app.messages.service import MessageOutcome
from app.messages.values import (
    Completion,
    Draft,
    Edit,
    Generation,
    Intent,
    MessageId,
    MessageRole,
    NewMessage,
    PastMessage,
    PipelineWarning,
)
from app.sessions.errors import SessionNotFound
from app.sessions.service import find_owned
from app.sessions.values import SessionId

VERSION = "1"
"""Stored with every message: raise it when the same text would be understood or counted differently."""

LONGEST_COUNTED_AT_ONCE = 50_000
"""Characters. Up to here counting takes a few milliseconds; a longer text is counted in a thread, slice by slice, so
that a million characters (1.3 s at worst) do not stop everybody else's requests."""

log = structlog.get_logger("colloquy.messages")


class Detector(Protocol):
    """Recognises what a user wants."""

    def detect(self, content: str) -> Intent | None:
        """The intent, or None when it is not known."""


TokenCounter = Callable[[str, str | None], TokenCount]
"""Counts the tokens of a text for a model."""


@dataclass(frozen=True, slots=True)
class MessagePipeline:
    """One per process, without state: everything it knows of a message is in the draft or in the database (S3-22)."""

    detector: Detector
    count_tokens: TokenCounter

    async def persist(self, database: Database, actor: Actor, draft: Draft, key: ClientKey | None) -> MessageOutcome:
        """Store a message in one statement on one connection (S3-18). Errors as of `append`."""
        async with database.single_statement(replayable=key is not None) as uow:
            return await self.append(uow, actor, draft, key)

    async def append(self, uow: UnitOfWork, actor: Actor, draft: Draft, key: ClientKey | None) -> MessageOutcome:
        """Store a message inside the caller's unit of work.

        ValidationError for what cannot be stored, SessionNotFound, KeyReused. A collaborator that fails becomes a
        warning of the message (S3-14). The session's row stays locked until the unit of work ends.
        """
        return await self.store(uow, actor, await self.prepare(actor, draft), key)

    async def edit(self, database: Database, actor: Actor, edit: Edit, key: ClientKey | None) -> MessageOutcome:
        """Store another version beside a message, in one statement; that one stays, with all that answers it.

        It has the role of the other, and answers what that answers; it becomes the active leaf. MessageNotFound,
        MessageDeleted, and as of `append`.
        """
        async with database.single_statement(replayable=key is not None) as uow:
            found = await service.find_owned(uow, actor, edit.message_id)
            if found is None:
                raise MessageNotFound
            draft = Draft(
                SessionId(found.session_id),
                MessageRole(found.role),
                edit.content,
                context_items=edit.context_items,
                metadata=edit.metadata,
                tool_call_id=found.tool_call_id,
                beside=edit.message_id,
            )
            return await self.append(uow, actor, draft, key)

    async def store(self, uow: UnitOfWork, actor: Actor, new: NewMessage, key: ClientKey | None) -> MessageOutcome:
        """Store a prepared message inside the caller's unit of work. SessionNotFound, KeyReused, ValidationError."""
        stored = await repository.append(uow, actor, new, key)
        return MessageOutcome(stored) if stored is not None else await _why_not(uow, actor, new, key)

    async def take_over(
        self, database: Database, actor: Actor, past: PastMessage, key: ClientKey | None
    ) -> MessageOutcome:
        """Store a prepared message that was written elsewhere, in one statement. Errors as of `store`."""
        async with database.single_statement(replayable=key is not None) as uow:
            stored = await repository.take_over(uow, actor, past, key)
            return MessageOutcome(stored) if stored is not None else await _why_not(uow, actor, past.new, key)

    async def complete(
        self, database: Database, actor: Actor, completion: Completion, key: ClientKey | None
    ) -> MessageOutcome:
        """End an answer that was stored before it was all there, in one statement. Errors as of `end`."""
        async with database.single_statement(replayable=key is not None) as uow:
            return await self.end(uow, actor, completion, key)

    async def end(self, uow: UnitOfWork, actor: Actor, completion: Completion, key: ClientKey | None) -> MessageOutcome:
        """The same inside the caller's unit of work; the session's row is locked, then the message's, until it ends.

        Its tokens are counted as in `append`; for that the message is read first, unless they are reported.
        ValidationError for what cannot be stored, MessageNotFound, MessageDeleted, InvalidTransition, KeyReused.
        """
        watch = Stopwatch()
        completion.check()
        warnings: list[PipelineWarning] = []
        tokens = await self._tokens_of_answer(uow, actor, completion, warnings)
        return await service.end(uow, actor, completion, tokens, _facts(watch, warnings), key)

    async def _tokens_of_answer(
        self, uow: UnitOfWork, actor: Actor, completion: Completion, warnings: list[PipelineWarning]
    ) -> TokenCount:
        content, generation = completion.content or "", Generation(tokens_used=completion.tokens_used)
        if completion.tokens_used is None:
            found = await service.find_owned(uow, actor, completion.message_id)
            # Where there is none, the statement finds none either, and tells why.
            if found is not None:
                content = found.content if completion.content is None else content
                generation = Generation(model=found.model)
        return await self._tokens(actor, content, generation, warnings)

    async def prepare(self, actor: Actor, draft: Draft) -> NewMessage:
        """Check, understand and count a message: what takes time, before anything is locked. ValidationError."""
        watch = Stopwatch()
        draft.check()
        warnings: list[PipelineWarning] = []
        intent = self._intent(actor, draft, warnings)
        tokens = await self._tokens(actor, draft.content, draft.generation, warnings)
        facts = _facts(watch, warnings)
        return NewMessage(MessageId(new_id()), draft, tokens.tokens, tokens.estimated, intent, facts)

    def _intent(self, actor: Actor, draft: Draft, warnings: list[PipelineWarning]) -> Intent | None:
        if draft.role is not MessageRole.USER:
            return draft.generation.intent
        try:
            return self.detector.detect(draft.content)
        except Exception:
            warnings.append(_failed("INTENT_UNAVAILABLE", actor))
            return None

    async def _tokens(
        self, actor: Actor, content: str, generation: Generation, warnings: list[PipelineWarning]
    ) -> TokenCount:
        if generation.tokens_used is not None:
            return TokenCount(generation.tokens_used, estimated=False)
        try:
            if len(content) <= LONGEST_COUNTED_AT_ONCE:
                return self.count_tokens(content, generation.model)
            return await asyncio.to_thread(self.count_tokens, content, generation.model)
        except Exception:
            warnings.append(_failed("TOKENS_UNAVAILABLE", actor))
            return TokenCount(0, estimated=True)


def _facts(watch: Stopwatch, warnings: list[PipelineWarning]) -> dict[str, object]:
    """What is stored of the pipeline's own work."""
    facts: dict[str, object] = {"version": VERSION, "processingTimeMs": watch.elapsed_ms()}
    if warnings:
        facts["warnings"] = [{"code": warning.code, "message": warning.message} for warning in warnings]
    return facts


def _failed(code: str, actor: Actor) -> PipelineWarning:
    """What a collaborator's failure becomes: the message matters more than what we find out about it (S3-14)."""
    log.exception("collaborator_failed", code=code, correlation_id=actor.correlation_id)
    return PipelineWarning(code, _WARNINGS[code])


_WARNINGS = {
    "INTENT_UNAVAILABLE": "the intent could not be detected; the message was stored without one",
    "TOKENS_UNAVAILABLE": "the tokens could not be counted; the message was stored with a count of 0",
}


async def _why_not(uow: UnitOfWork, actor: Actor, new: NewMessage, key: ClientKey | None) -> MessageOutcome:
    """What an append that stored nothing means: sent before, no such session, or nothing in it to hang it on."""
    subject = await first_subject(uow, actor, key)
    if subject is not None:
        found = await repository.owned_message(uow, actor, MessageId(subject))
        if found is None:
            raise SessionNotFound
        # Our own id: the statement was sent again after its first answer was lost.
        return MessageOutcome(found, deduplicated=subject != new.id)
    if await find_owned(uow, actor, new.draft.session_id) is None:
        raise SessionNotFound
    if new.draft.beside is not None:
        raise await _why_not_beside(uow, actor, new.draft, new.draft.beside)
    raise ValidationError(
        "parentMessageId names no message of this session",
        field="parentMessageId",
        hint="leave it out to answer the latest message",
    )


async def _why_not_beside(uow: UnitOfWork, actor: Actor, draft: Draft, beside: MessageId) -> AppError:
    found = await repository.owned_message(uow, actor, beside)
    if found is None or found.session_id != draft.session_id:
        return MessageNotFound(draft.beside_place)
    if found.deleted_at is not None:
        return MessageDeleted(draft.beside_place)
    return OtherRole(found.role, draft.role, draft.beside_place)
