"""A feed: gives the streams that are followed in this process to their followers, live and without a gap.

Whoever writes to a stream here hands over what was committed, so that its followers here never read the database. What
other processes write is read by one query for all streams at once, when they tell of it and once a second besides.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from time import perf_counter_ns
from typing import Any, Generic, TypeVar
from uuid import UUID

import structlog

from app.core.errors import AppError
from app.streams.values import Entry, StreamKey
from app.telemetry.meters import STREAM_LAG

E = TypeVar("E", bound=Entry)

log = structlog.get_logger("colloquy.streams")

POLL_SECONDS = 1.0
"""The safety net under wake-ups, which may be lost with a connection."""

RETRY_SECONDS = 0.25
"""After the database did not answer."""

MOST_REMEMBERED = 256
"""Entries of one stream, whatever the number of its followers: ten seconds of an answer. Who is behind that reads."""

MOST_READ = 1_000
"""Entries of one stream by one read; more are read by the next."""

ReadEntries = Callable[[Mapping[StreamKey, int]], Awaitable[Mapping[UUID, Sequence[E]]]]
"""Reads what follows a position in each of many streams, in order, at most MOST_READ each, by one query."""


class Shared(list[E]):
    """Entries in a row: one object for all followers who stand at the same place, and so never changed."""

    made: Any = None
    """What the first of them made of it, for the others."""


class _Stream(Generic[E]):
    """What is known of one stream that has followers."""

    def __init__(self, key: StreamKey) -> None:
        self.key = key
        self.followers = 0
        self.stale = False
        self.tail: int | None = None
        """The last entry known to be committed; None before the first read."""
        self.known_ns: int | None = None
        """When it became known that there is more than `tail`; None while there is not."""
        self.taken_ns = 0
        """When it became known what was taken last."""
        self._recent: deque[E] = deque(maxlen=MOST_REMEMBERED)
        self._given: tuple[int, Shared[E]] | None = None
        """What was given last, and to whom: who followed so far. Dropped when there is more."""
        self._changed = asyncio.Event()

    def take(self, entries: Sequence[E]) -> None:
        """Remember entries in a row. Those that are known are passed over; after a gap only the new ones are kept."""
        fresh = [entry for entry in entries if self.tail is None or entry.seq > self.tail]
        if not fresh:
            return
        if self._recent and fresh[0].seq != self._recent[-1].seq + 1:
            self._recent.clear()
        self._recent.extend(fresh)
        self.tail = fresh[-1].seq
        self._given = None
        self.taken_ns = perf_counter_ns() if self.known_ns is None else self.known_ns
        self.known_ns = None
        # Wakes those who wait now, and nobody later; a new Event for each entry would cost more than waking does.
        self._changed.set()
        self._changed.clear()

    def reached(self, position: int) -> None:
        """Everything up to a position was seen."""
        self.tail = max(self.tail or 0, position)
        self._given = None

    def after(self, position: int) -> list[E] | None:
        """What follows a position; None when that is not in memory."""
        if self.tail is None:
            return None
        if position >= self.tail:
            return []
        if self._given is not None and self._given[0] == position:
            return self._given[1]
        if not self._recent or self._recent[0].seq > position + 1:
            return None
        if position == self.tail - 1:
            batch = [self._recent[-1]]
        else:
            # From the end, where most followers are: numbers have no gaps.
            batch = list(islice(reversed(self._recent), self.tail - position))[::-1]
        if self.followers == 1:
            return batch
        self._given = (position, Shared(batch))
        return self._given[1]

    async def grows(self, position: int) -> None:
        """Return when something follows a position."""
        while self.tail is not None and self.tail <= position:
            await self._changed.wait()


class Feed(Generic[E]):
    """One per process and kind of stream; `run` works it."""

    def __init__(self, read: ReadEntries[E], poll_seconds: float = POLL_SECONDS) -> None:
        self._read = read
        self._poll_seconds = poll_seconds
        self._streams: dict[UUID, _Stream[E]] = {}
        self._stale = asyncio.Event()

    @property
    def followed(self) -> int:
        """How many streams have followers."""
        return len(self._streams)

    async def follow(self, key: StreamKey, after: int) -> AsyncGenerator[list[E], None]:
        """What follows a position, in order, each entry once: first what is there, then what comes, for ever.

        Nothing is kept for a follower but its position: one that does not come back for more costs no memory, and reads
        what it missed when it does. Several who stand at the same place may be given one object (`Shared`). A first
        entry that does not follow `after` means that entries were compacted away.
        """
        position, waited = after, False
        with self._followed(key) as stream:
            while True:
                batch = stream.after(position)
                if batch is None:
                    known = stream.tail or position
                    batch = await self._read_one(key, position)
                    stream.take(batch)
                    stream.reached(batch[-1].seq if batch else position)
                    if stream.stale or len(batch) >= MOST_READ:
                        # Heard of while nothing was known of it, and so maybe after this read began; or there is more.
                        self._again([stream])
                    # Entries that are known and not there were removed with the whole stream.
                    position = position if batch else known
                if batch:
                    if waited:
                        # Who waited has it as soon as anybody; who reads what was there before is late by its own will.
                        STREAM_LAG.observe((perf_counter_ns() - stream.taken_ns) / 1e9)
                    yield batch
                    position, waited = batch[-1].seq, False
                else:
                    await stream.grows(position)
                    waited = True

    def wrote(self, stream_id: UUID, entries: Sequence[E]) -> None:
        """Hand over entries that this process has committed."""
        stream = self._streams.get(stream_id)
        if stream is None:
            return
        if stream.tail is not None and entries[0].seq > stream.tail + 1:
            # Somebody else wrote in between: the read brings both.
            self.heard(stream_id)
        else:
            stream.take(entries)

    def heard(self, stream_id: UUID) -> None:
        """A stream has grown, elsewhere."""
        stream = self._streams.get(stream_id)
        if stream is not None:
            if stream.known_ns is None:
                stream.known_ns = perf_counter_ns()
            stream.stale = True
            self._stale.set()

    def missed(self) -> None:
        """Any stream may have grown: wake-ups were lost."""
        for stream in self._streams.values():
            stream.stale = True
        self._stale.set()

    async def run(self) -> None:
        """Read what others wrote, until cancelled."""
        while True:
            try:
                # Not wait_for: until Python 3.12 it loses a cancellation that comes just after the event.
                async with asyncio.timeout(self._poll_seconds):
                    await self._stale.wait()
            except TimeoutError:
                self.missed()
            self._stale.clear()
            await self._catch_up()

    async def _read_one(self, key: StreamKey, position: int) -> list[E]:
        """What follows a position; while the database does not answer, the follower waits as for something new."""
        while True:
            try:
                return list((await self._read({key: position})).get(key.id, ()))
            except AppError as error:
                log.warning("catch_up_failed", reason=error.message)
                await asyncio.sleep(RETRY_SECONDS)

    async def _catch_up(self) -> None:
        """One query for all streams that may have grown."""
        behind = [stream for stream in self._streams.values() if stream.stale and stream.tail is not None]
        if not behind:
            return
        for stream in behind:
            stream.stale = False
        try:
            found = await self._read({stream.key: stream.tail or 0 for stream in behind})
        except AppError as error:
            log.warning("catch_up_failed", reason=error.message)
            self._again(behind)
            await asyncio.sleep(RETRY_SECONDS)
            return
        for stream in behind:
            entries = found.get(stream.key.id, ())
            if not entries:
                # What it was told of, it has: its own entries, or somebody else's who follows another stream.
                stream.known_ns = None
            stream.take(entries)
            if len(entries) >= MOST_READ:
                self._again([stream])

    def _again(self, streams: Sequence[_Stream[E]]) -> None:
        for stream in streams:
            stream.stale = True
        self._stale.set()

    @contextmanager
    def _followed(self, key: StreamKey) -> Iterator[_Stream[E]]:
        stream = self._streams.get(key.id)
        if stream is None:
            stream = self._streams[key.id] = _Stream(key)
        stream.followers += 1
        try:
            yield stream
        finally:
            stream.followers -= 1
            if not stream.followers:
                del self._streams[key.id]
