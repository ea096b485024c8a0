"""Reads a file and stores its conversations, several side by side."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, assert_never

from app.core.errors import AppError, ValidationError
from app.db.database import Database
from app.exchange.display import shown
from app.exchange.errors import ImportStopped
from app.exchange.lines import Line, lines_of, size_of
from app.exchange.openai_jsonl import read_conversation
from app.exchange.pipeline import ConversationPipeline
from app.exchange.values import Conversation, ConversationKeys, ImportFormat, Ownership, Totals
from app.messages.pipeline import MessagePipeline
from app.sessions.errors import SessionNotFound

SIDE_BY_SIDE = 8
"""Conversations that are stored at once: their commits share the writes of the disk."""


async def import_file(
    database: Database,
    messages: MessagePipeline,
    file: BinaryIO,
    ownership: Ownership,
    format_: ImportFormat = ImportFormat.OPENAI_JSONL,
) -> Totals:
    """Store what is not there yet of a file, and tell what became of it; how far it is shows on standard error.

    UnusableFile, ImportStopped. A line that cannot be taken is among the refusals of the answer, and the others go on.
    """
    totals = Totals()
    work = _Import(ConversationPipeline(database, messages, totals), ownership, format_, lines_of(file))
    async with shown(totals, size_of(file)):
        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(SIDE_BY_SIDE):
                    workers.create_task(work.run())
        except ExceptionGroup as failed:
            # One is enough to tell: the others were about to fail the same way, or were cancelled.
            raise failed.exceptions[0] from failed.exceptions[0].__cause__
    return totals


@dataclass(slots=True)
class _Import:
    """What the workers share. Lines are read and understood between two awaits: in the file's order, one at a time."""

    pipeline: ConversationPipeline
    ownership: Ownership
    format: ImportFormat
    lines: Iterator[Line]
    occurrences: Counter[bytes] = field(default_factory=Counter)
    """By the first 8 bytes of the digest, to hold a hundred bytes a line: of two that share them the second counts as
    the second occurrence, in every run of the file."""

    async def run(self) -> None:
        """Store one conversation after the other until there are no more lines."""
        for line in self.lines:
            await self._take(line)

    async def _take(self, line: Line) -> None:
        totals = self.pipeline.totals
        totals.read_bytes = line.end_offset
        try:
            conversation = self._read(line)
            actor = self.ownership.actor_of(conversation)
        except ValidationError as error:
            totals.refuse(line.number, error.message)
            # A file of nothing but such lines must not keep the others from their answers.
            await asyncio.sleep(0)
            return
        self.occurrences[conversation.digest[:8]] += 1
        keys = ConversationKeys(conversation, self.occurrences[conversation.digest[:8]])
        try:
            await self.pipeline.store(actor, keys)
        except SessionNotFound:
            totals.refuse(line.number, "an earlier run began to store it, and what it stored was deleted since")
        except AppError as error:
            if error.retryable:
                raise ImportStopped(totals.messages.new) from error
            totals.refuse(line.number, error.message)

    def _read(self, line: Line) -> Conversation:
        match self.format:
            case ImportFormat.OPENAI_JSONL:
                return read_conversation(line)
            case _:
                assert_never(self.format)
