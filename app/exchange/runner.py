"""Reads files and stores their conversations, several side by side; writes files of sessions."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO

from app.core.actor import Actor, CorrelationId, TenantId, UserId
from app.core.errors import AppError, ValidationError
from app.db.database import Database
from app.exchange.display import shown
from app.exchange.errors import ImportStopped
from app.exchange.export import exported
from app.exchange.files.room import Room
from app.exchange.files.sources import Part
from app.exchange.formats import Unread, conversations_of
from app.exchange.formats.names import ExportFormat, ImportFormat
from app.exchange.loaders import OwnedSession, SessionReading
from app.exchange.pipeline import ConversationPipeline
from app.exchange.values import Conversation, ConversationKeys, Ownership, Totals
from app.identity.values import USER_ROLES
from app.messages.pipeline import MessagePipeline
from app.sessions.errors import SessionNotFound
from app.sessions.values import SessionId

SIDE_BY_SIDE = 8
"""Conversations that are stored at once: their commits share the writes of the disk."""


MOST_BYTES = 256 * 1024 * 1024
"""Of the conversations that are stored at once, as the files have them; one that is larger is stored alone. One more
waits for its turn."""


async def export_sessions(
    database: Database,
    target: IO[bytes],
    format_: ExportFormat,
    wanted: AsyncIterator[OwnedSession],
    correlation: CorrelationId,
) -> int:
    """Write sessions one after the other; how many. One that is deleted on the way is left out, or ends too early."""
    written = 0
    async for found in wanted:
        owner = Actor(TenantId(found.tenant_id), UserId(found.user_id), USER_ROLES, correlation)
        try:
            reading = await SessionReading.of(database, owner, SessionId(found.id))
            async for piece in exported(reading, format_):
                target.write(piece)
        except SessionNotFound:
            continue
        written += 1
    return written


async def import_parts(
    database: Database,
    messages: MessagePipeline,
    parts: Sequence[Part],
    ownership: Ownership,
    format_: ImportFormat = ImportFormat.OPENAI_JSONL,
    most_bytes: int = MOST_BYTES,
) -> Totals:
    """Store what is not there yet of some files, and tell what became of them; how far it is shows on standard error.

    UnusableFile, ImportStopped. What cannot be taken is among the refusals of the answer, and the others go on.
    """
    totals = Totals(unit=format_.unit)
    pipeline = ConversationPipeline(database, messages, totals)
    work = _Import(pipeline, ownership, _unread(parts, format_, totals), Room(most_bytes))
    async with shown(totals, sum(part.size_bytes for part in parts)):
        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(SIDE_BY_SIDE):
                    workers.create_task(work.run())
        except ExceptionGroup as failed:
            # One is enough to tell: the others were about to fail the same way, or were cancelled.
            raise failed.exceptions[0] from failed.exceptions[0].__cause__
    return totals


def _unread(parts: Sequence[Part], format_: ImportFormat, totals: Totals) -> Iterator[tuple[str, Unread]]:
    """Every conversation of every part, with the part's name where there are several."""
    before = 0
    for part in parts:
        with part.opened() as file:
            for unread in conversations_of(file, format_):
                totals.read_bytes = before + unread.end_offset
                yield part.name if len(parts) > 1 else "", unread
        before += part.size_bytes


@dataclass(slots=True)
class _Import:
    """What the workers share. Files are read and understood between two awaits: in their order, one at a time."""

    pipeline: ConversationPipeline
    ownership: Ownership
    unread: Iterator[tuple[str, Unread]]
    room: Room
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Of whoever reads the next conversation: only one at a time has read what there may be no room for."""
    occurrences: Counter[bytes] = field(default_factory=Counter)
    """By the first 8 bytes of the digest, to hold a hundred bytes a line: of two that share them the second counts as
    the second occurrence, in every run of the file."""

    async def run(self) -> None:
        """Store one conversation after the other until there are no more."""
        while (found := await self._next()) is not None:
            file, unread = found
            try:
                await self._take(file, unread)
            finally:
                unread.close()
                self.room.give_back(unread.held_bytes)

    async def _next(self) -> tuple[str, Unread] | None:
        """The next conversation, once there is room for it."""
        async with self.turn:
            found = next(self.unread, None)
            if found is not None:
                try:
                    await self.room.take(found[1].held_bytes)
                except asyncio.CancelledError:
                    found[1].close()
                    raise
            return found

    async def _take(self, file: str, unread: Unread) -> None:
        totals = self.pipeline.totals
        try:
            conversation = unread.read()
            actor = self.ownership.actor_of(conversation)
        except ValidationError as error:
            totals.refuse(unread.number, error.message, file)
            # A file of nothing but such lines must not keep the others from their answers.
            await asyncio.sleep(0)
            return
        try:
            await self.pipeline.store(actor, ConversationKeys(conversation, self._occurrence(conversation)))
        except SessionNotFound:
            reason = "an earlier run began to store it, and what it stored was deleted since"
            totals.refuse(unread.number, reason, file)
        except AppError as error:
            if error.retryable:
                raise ImportStopped(totals.messages.new) from error
            totals.refuse(unread.number, error.message, file)

    def _occurrence(self, conversation: Conversation) -> int:
        if conversation.has_id:
            return 1
        self.occurrences[conversation.digest[:8]] += 1
        return self.occurrences[conversation.digest[:8]]
