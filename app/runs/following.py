"""Following an answer: what a subscriber is told, from any position, on any process, each character once."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar
from uuid import UUID

from app.core.actor import Actor
from app.core.text import require_range
from app.db.database import Database
from app.db.errors import DatabaseUnavailable
from app.graph.executor.sharing import SharedRow
from app.graph.loading import Loaders
from app.messages.loaders import MessageById
from app.messages.values import MessageId
from app.runs import repository, service
from app.runs.errors import RunNotFound, UnknownPosition
from app.runs.loaders import RunById
from app.runs.models import Run
from app.runs.values import EntryKind, RunEntry, RunId, RunStatus
from app.streams.feed import RETRY_SECONDS, Feed, Shared
from app.streams.values import StreamKey
from app.tools.values import ToolCallId


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All of a message up to a position: of the one that the run was writing there."""

    seq: int
    text: str
    message_id: MessageId
    node_type: ClassVar[str] = "CompletionSnapshot"


@dataclass(frozen=True, slots=True)
class Delta(SharedRow):
    """Text to append to what one has."""

    seq: int
    text: str
    node_type: ClassVar[str] = "CompletionDelta"


@dataclass(frozen=True, slots=True)
class NewTurn(SharedRow):
    """The run goes on with another message."""

    seq: int
    message_id: MessageId
    node_type: ClassVar[str] = "CompletionTurn"


@dataclass(frozen=True, slots=True)
class CalledTool(SharedRow):
    """The model asks for a tool."""

    seq: int
    tool_call_id: ToolCallId
    node_type: ClassVar[str] = "CompletionToolCall"


@dataclass(frozen=True, slots=True)
class Ended:
    """The last event of a run."""

    seq: int
    run: Run
    node_type: str


MOST_READS = 120
"""Of a run that has ended, while the database does not answer: half a minute."""

Told = Snapshot | Delta | CalledTool | NewTurn | Ended

_WITHIN = frozenset(kind.value for kind in EntryKind if not kind.last)

_ENDS = {
    RunStatus.COMPLETED: "CompletionFinished",
    RunStatus.FAILED: "CompletionFailed",
    RunStatus.CANCELLED: "CompletionCancelled",
    RunStatus.INTERRUPTED: "CompletionInterrupted",
}


@dataclass(frozen=True, slots=True)
class Completions:
    """One per process: the answers that are followed here."""

    database: Database
    feed: Feed[RunEntry]

    async def follow(self, actor: Actor, run_id: RunId, after: int | None) -> AsyncGenerator[Told, None]:
        """Tell of a run from a position on, until its end; without a position, begin with the message that it is at.

        Positions are those of the run's log. Pieces that are stored together, or were missed, come as one delta; where
        they were compacted away, a snapshot replaces what one has. RunNotFound; UnknownPosition, ValidationError.
        """
        require_range(after, "after", at_least=0, at_most=2**31 - 1)
        run = await self._run(actor, run_id)
        position = after
        if position is None:
            snapshot = await self._snapshot(actor, run)
            yield snapshot
            position = snapshot.seq
        elif position > (last := await self._last(run)):
            raise UnknownPosition(last)
        if RunStatus(run.status).ended and position == run.last_seq:
            return
        async with aclosing(self.feed.follow(StreamKey(run.tenant_id, run.id), position)) as batches:
            async for batch in batches:
                if batch[0].seq != position + 1:
                    # The pieces in between were given up since: the message has them all.
                    yield await self._compacted(actor, run_id, batch[0].seq - 1)
                for told in _told(batch):
                    yield told
                position = batch[-1].seq
                if batch[-1].kind not in _WITHIN:
                    yield await self._end(actor, run_id, batch[-1])
                    return

    async def _run(self, actor: Actor, run_id: RunId) -> Run:
        found = await Loaders(self.database, actor).of(RunById).load(run_id)
        if found is None:
            raise RunNotFound
        return found

    async def _last(self, run: Run) -> int:
        if RunStatus(run.status).ended:
            return run.last_seq
        async with self.database.read() as scope:
            return (await repository.written(scope, service.ref_of(run))).last_seq

    async def _snapshot(self, actor: Actor, run: Run) -> Snapshot:
        """All there is. Of a run that ended, its end is still to come."""
        if run.compacted_at is not None:
            return await self._compacted(actor, RunId(run.id), run.last_seq - 1)
        async with self.database.read() as scope:
            found = await repository.written(scope, service.ref_of(run))
        return Snapshot(found.last_piece, found.text, MessageId(found.message_id or run.message_id))

    async def _compacted(self, actor: Actor, run_id: RunId, position: int) -> Snapshot:
        loaders = Loaders(self.database, actor)
        run = await loaders.of(RunById).load(run_id)
        if run is None:
            raise RunNotFound
        message_id = MessageId(run.message_id)
        message = await loaders.of(MessageById).load(message_id)
        return Snapshot(position, message.content if message else "", message_id)

    async def _end(self, actor: Actor, run_id: RunId, line: RunEntry) -> Ended:
        """The end, with the run as it is then. The end was stored: while the database is away it can be waited for."""
        if line.kind == EntryKind.GONE:
            raise RunNotFound
        for _ in range(MOST_READS):
            try:
                run = await self._run(actor, run_id)
            except DatabaseUnavailable:
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return Ended(line.seq, run, _ENDS[RunStatus(run.status)])
        raise DatabaseUnavailable


def _alone() -> None:
    """Nothing is kept for others."""


def _told(batch: list[RunEntry]) -> Iterable[Told]:
    """The events of a batch, which are the same objects for all who are given it."""
    if not isinstance(batch, Shared):
        return _merged(batch)
    if batch.made is None:
        batch.made = tuple(_merged(batch, dict))
    made: Iterable[Told] = batch.made
    return made


def _merged(batch: Sequence[RunEntry], encoded: Callable[[], dict[str, bytes] | None] = _alone) -> Iterator[Told]:
    """The lines of a batch save its end, deltas in a row as one."""
    if len(batch) == 1 and batch[0].kind == EntryKind.DELTA:
        # What a live follower is told, thousands of times a second.
        yield Delta(batch[0].seq, batch[0].payload["text"], encoded=encoded())
        return
    for kind, lines in groupby(batch, key=lambda line: line.kind):
        match EntryKind(kind):
            case EntryKind.DELTA:
                pieces = list(lines)
                yield Delta(pieces[-1].seq, "".join(piece.payload["text"] for piece in pieces), encoded=encoded())
            case EntryKind.TOOL_CALL:
                for line in lines:
                    yield CalledTool(line.seq, ToolCallId(UUID(line.payload["toolCallId"])), encoded=encoded())
            case EntryKind.TURN:
                for line in lines:
                    yield NewTurn(line.seq, MessageId(UUID(line.payload["messageId"])), encoded=encoded())
            case _:
                pass
