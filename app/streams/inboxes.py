"""Following what awaits people's decisions: all that does already, then each new one as it comes, on any process."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Generic, Protocol, TypeVar
from uuid import UUID

import structlog

from app.core.actor import Actor
from app.core.errors import AppError
from app.streams.feed import POLL_SECONDS, RETRY_SECONDS

log = structlog.get_logger("colloquy.streams")

MOST_AWAITED = 1_000
"""Of one inbox by one read: of those that follow one hears when the older ones are decided."""

ROWS_AT_ONCE = 100
"""Of what is told to one follower: a page."""


class Inbox(Hashable, Protocol):
    """Whom something is asked of: a user, or all of a tenant."""

    @property
    def id(self) -> UUID:
        """The id under which its followers are told of something new; unique over all tenants and kinds of stream."""


B = TypeVar("B", bound=Inbox)
R = TypeVar("R")

ReadAwaited = Callable[[Collection[B]], Awaitable[Mapping[B, Sequence[UUID]]]]
"""Reads the ids of what many inboxes hold, oldest first, at most MOST_AWAITED of each, by one statement."""

StillAwaiting = Callable[[Actor, Sequence[UUID]], Awaitable[Sequence[R]]]
"""Reads those of some rows that still await a decision of the actor's, oldest first."""


class _Followed(Generic[B]):
    """What is known of one inbox that has followers."""

    def __init__(self, inbox: B) -> None:
        self.inbox = inbox
        self.followers = 0
        self.stale = True
        self.awaited: Sequence[UUID] | None = None
        """What it held at the last read, oldest first; None before the first."""
        self._changed = asyncio.Event()

    def holds(self, awaited: Sequence[UUID]) -> None:
        """It was read."""
        if awaited != self.awaited:
            self.awaited = awaited
            self._changed.set()
            self._changed.clear()

    async def beyond(self, told: Collection[UUID]) -> list[UUID]:
        """Some of what it holds beside what a follower was told of, oldest first; waits until there is one."""
        while True:
            fresh = (found for found in self.awaited or () if found not in told)
            if some := list(islice(fresh, ROWS_AT_ONCE)):
                return some
            await self._changed.wait()


class Inboxes(Generic[B, R]):
    """One per process and kind of inbox: those that are followed here; `run` reads them.

    An inbox is a set and no numbered stream: what it holds is committed by transactions that know nothing of each
    other, in any order, and a number of their own would make them wait for each other. So it is read as a whole, which
    a partial index makes cheap, by one statement for all that may have changed; a follower keeps which of it he was
    told of. What was decided never awaits a decision again.
    """

    def __init__(
        self,
        inbox_of: Callable[[Actor], B],
        read_awaited: ReadAwaited[B],
        still_awaiting: StillAwaiting[R],
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._inbox_of = inbox_of
        self._read_awaited = read_awaited
        self._still_awaiting = still_awaiting
        self._poll_seconds = poll_seconds
        self._followed: dict[UUID, _Followed[B]] = {}
        self._stale = asyncio.Event()

    @property
    def followed(self) -> int:
        """How many inboxes have followers."""
        return len(self._followed)

    async def follow(self, actor: Actor) -> AsyncGenerator[R, None]:
        """What awaits a decision of the actor's, oldest first, then what comes, each row once, for ever.

        One that is decided before its turn to be told is passed over.
        """
        told: set[UUID] = set()
        with self._following(self._inbox_of(actor)) as followed:
            while True:
                fresh = await followed.beyond(told)
                for row in await self._rows(actor, fresh):
                    yield row
                awaited = followed.awaited or ()
                if len(awaited) < MOST_AWAITED:
                    # What has left the inbox never comes back. Of a longer one it is not known what has left it.
                    told.intersection_update(awaited)
                told.update(fresh)

    def heard(self, stream_id: UUID) -> None:
        """An inbox has got something new."""
        followed = self._followed.get(stream_id)
        if followed is not None:
            followed.stale = True
            self._stale.set()

    def missed(self) -> None:
        """Any inbox may have: wake-ups were lost."""
        for followed in self._followed.values():
            followed.stale = True
        self._stale.set()

    async def run(self) -> None:
        """Read what was heard of, until cancelled; and all that is followed, once a second besides."""
        while True:
            try:
                # Not wait_for, as in Feed.run.
                async with asyncio.timeout(self._poll_seconds):
                    await self._stale.wait()
            except TimeoutError:
                self.missed()
            self._stale.clear()
            await self._read()

    async def _read(self) -> None:
        """One statement for all inboxes that may have changed."""
        stale = [followed for followed in self._followed.values() if followed.stale]
        if not stale:
            return
        for followed in stale:
            followed.stale = False
        try:
            found = await self._read_awaited([followed.inbox for followed in stale])
        except AppError as error:
            log.warning("inboxes_not_read", reason=error.message)
            for followed in stale:
                followed.stale = True
            self._stale.set()
            await asyncio.sleep(RETRY_SECONDS)
            return
        for followed in stale:
            followed.holds(found.get(followed.inbox, []))

    async def _rows(self, actor: Actor, ids: Sequence[UUID]) -> Sequence[R]:
        """What is to be told; while the database does not answer, the follower waits as for something new."""
        while True:
            try:
                return await self._still_awaiting(actor, ids)
            except AppError as error:
                log.warning("inboxes_not_read", reason=error.message)
                await asyncio.sleep(RETRY_SECONDS)

    @contextmanager
    def _following(self, inbox: B) -> Iterator[_Followed[B]]:
        followed = self._followed.get(inbox.id)
        if followed is None:
            followed = self._followed[inbox.id] = _Followed(inbox)
            self._stale.set()
        followed.followers += 1
        try:
            yield followed
        finally:
            followed.followers -= 1
            if not followed.followers:
                del self._followed[inbox.id]
