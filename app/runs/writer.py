"""The writer: stores the pieces of all answers that this process generates, one statement a tick."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic

import structlog

from app.core.errors import AppError
from app.db.database import Database
from app.runs import repository
from app.runs.values import Claim, EntryKind, RunEntry
from app.streams.feed import Feed
from app.streams.wakeups import WakeUps

log = structlog.get_logger("colloquy.runs")

TICK_SECONDS = 0.025
"""Pieces are stored in batches: each batch is a write. What comes at a pace of its own is shown at multiples of this:
a model's 20 pieces a second come 50 or 75 ms after each other; with 40 ms, many would come after 80."""

RETRY_SECONDS = 0.25
"""After the database did not answer; the pieces wait."""


class ClaimLost(Exception):
    """Somebody else has ended the run, or claimed it after us: nothing more of ours is stored."""


class AnswerLog:
    """Takes the pieces of one answer. What is taken is stored in order, or the claim is lost."""

    def __init__(self, writer: "AnswerWriter", claim: Claim, after: int, on_lost: Callable[[], object]) -> None:
        self.claim = claim
        self.lost = False
        self._after = after
        self._writer = writer
        self._on_lost = on_lost
        self._pending: list[str] = []
        self._in_flight: RunEntry | None = None
        self._next_seq = after + 1
        self._progress = asyncio.Event()

    @property
    def begun(self) -> bool:
        """Whether a piece was sent to the database."""
        return self._next_seq > self._after + 1

    def write(self, text: str) -> None:
        """Take a piece; it is stored at once when it is the first, else with the next tick."""
        self._pending.append(text)
        self._writer.want(self, at_once=not self.begun)

    async def flushed(self) -> None:
        """Return when everything that was taken is committed; ClaimLost when it never will be."""
        while self._pending or self._in_flight:
            if self.lost:
                raise ClaimLost
            self._writer.want(self, at_once=True)
            await self._progress.wait()
        if self.lost:
            raise ClaimLost

    async def add(self, store: Callable[[int], Awaitable[RunEntry | None]]) -> None:
        """Store a line that is no text, after all that was taken before it; ClaimLost when that cannot be.

        `store` is given its number, and gives the line once it is committed, or None for a lost claim.
        """
        await self.flushed()
        line = await store(self._next_seq)
        if line is None:
            self.give_up()
            raise ClaimLost
        self._next_seq += 1
        self._writer.wrote(self.claim, line)

    def next_piece(self) -> RunEntry | None:
        """What is to be stored next: the piece whose fate is unknown, else all that was taken since."""
        if self._in_flight is None and self._pending:
            self._in_flight = RunEntry(self._next_seq, EntryKind.DELTA, {"text": "".join(self._pending)})
            self._pending.clear()
            self._next_seq += 1
        return self._in_flight

    def stored(self) -> bool:
        """The piece is committed; whether there is more."""
        self._in_flight = None
        self._moved()
        return bool(self._pending)

    def give_up(self) -> None:
        """The claim is lost."""
        self.lost = True
        self._moved()
        self._on_lost()

    def _moved(self) -> None:
        self._progress.set()
        self._progress.clear()


class AnswerWriter:
    """One per process; `run` works it. It holds no connection between two ticks."""

    def __init__(self, database: Database, feed: Feed[RunEntry], wakeups: WakeUps) -> None:
        self._database = database
        self._feed = feed
        self._wakeups = wakeups
        self._dirty: set[AnswerLog] = set()
        self._unsure = False
        """Whether pieces may be stored of which the answer was lost."""
        self._wanted = asyncio.Event()
        self._at_once = asyncio.Event()

    def open(self, claim: Claim, after: int, on_lost: Callable[[], object]) -> AnswerLog:
        """The log of an answer of which nothing is stored yet, behind a line of its run's log.

        `on_lost` is called when the claim turns out to be lost.
        """
        return AnswerLog(self, claim, after, on_lost)

    def want(self, answer: AnswerLog, *, at_once: bool) -> None:
        """Have a log's pieces stored."""
        self._dirty.add(answer)
        self._wanted.set()
        if at_once:
            self._at_once.set()

    def wrote(self, claim: Claim, line: RunEntry) -> None:
        """Tell of a line that is committed."""
        self._feed.wrote(claim.run.id, [line])
        self._wakeups.tell_others([claim.run.id])

    async def run(self) -> None:
        """Store pieces, until cancelled."""
        last = 0.0
        while True:
            await self._wanted.wait()
            with suppress(TimeoutError):
                # Not wait_for: until Python 3.12 it loses a cancellation that comes just after the event.
                async with asyncio.timeout(max(0.0, last + TICK_SECONDS - monotonic())):
                    await self._at_once.wait()
            self._wanted.clear()
            self._at_once.clear()
            last = monotonic()
            await self._store()

    async def _store(self) -> None:
        answers, self._dirty = self._dirty, set()
        pieces = [(answer, piece) for answer in answers if not answer.lost and (piece := answer.next_piece())]
        if not pieces:
            return
        try:
            async with self._database.single_statement(replayable=self._unsure) as uow:
                claimed = [(answer.claim, piece) for answer, piece in pieces]
                kept = await repository.append(uow, claimed, again=self._unsure)
        except AppError as error:
            self._unsure = True
            log.warning("pieces_not_stored", answers=len(pieces), reason=error.message)
            for answer, _ in pieces:
                self.want(answer, at_once=False)
            await asyncio.sleep(RETRY_SECONDS)
            return
        self._unsure = False
        for answer, piece in pieces:
            if answer.claim.run.id in kept:
                self._feed.wrote(answer.claim.run.id, [piece])
                if answer.stored():
                    self.want(answer, at_once=False)
            else:
                answer.give_up()
        if kept:
            self._wakeups.tell_others(kept)
