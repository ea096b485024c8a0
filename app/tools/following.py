"""Following what a user is asked to approve: all that awaits it, then each new one as it comes, on any process."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from uuid import UUID

import structlog

from app.core.actor import Actor
from app.core.errors import AppError
from app.db.database import Database
from app.streams.feed import POLL_SECONDS, RETRY_SECONDS
from app.tools.approvals import MOST_AWAITED, read_awaited, still_awaiting
from app.tools.models import ToolExecution
from app.tools.values import Inbox

log = structlog.get_logger("colloquy.tools")

ROWS_AT_ONCE = 100
"""Of what is told to one follower: a page."""


class _Followed:
    """What is known of one inbox that has followers."""

    def __init__(self, inbox: Inbox) -> None:
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


class Approvals:
    """One per process: the inboxes that are followed here; `run` reads them.

    An inbox is a set and no numbered stream: requests of several sessions are committed in any order, and a number of
    their own would make all sessions of a user wait for each other. So it is read as a whole, which its partial index
    makes cheap, by one statement for all that may have changed; a follower keeps which of it he was told of.
    """

    def __init__(self, database: Database, poll_seconds: float = POLL_SECONDS) -> None:
        self._database = database
        self._poll_seconds = poll_seconds
        self._followed: dict[UUID, _Followed] = {}
        self._stale = asyncio.Event()

    @property
    def followed(self) -> int:
        """How many inboxes have followers."""
        return len(self._followed)

    async def follow(self, actor: Actor) -> AsyncGenerator[ToolExecution, None]:
        """What awaits the actor's approval, oldest first, then what comes, each execution once, for ever.

        One that is decided before its turn to be told is passed over.
        """
        told: set[UUID] = set()
        with self._following(Inbox(actor.tenant_id, actor.user_id)) as followed:
            while True:
                fresh = await followed.beyond(told)
                for execution in await self._rows(actor, fresh):
                    yield execution
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
            found = await read_awaited(self._database, [followed.inbox for followed in stale])
        except AppError as error:
            log.warning("approvals_not_read", reason=error.message)
            for followed in stale:
                followed.stale = True
            self._stale.set()
            await asyncio.sleep(RETRY_SECONDS)
            return
        for followed in stale:
            followed.holds(found.get(followed.inbox, []))

    async def _rows(self, actor: Actor, ids: Sequence[UUID]) -> list[ToolExecution]:
        """What is to be told; while the database does not answer, the follower waits as for something new."""
        while True:
            try:
                return await still_awaiting(self._database, actor, ids)
            except AppError as error:
                log.warning("approvals_not_read", reason=error.message)
                await asyncio.sleep(RETRY_SECONDS)

    @contextmanager
    def _following(self, inbox: Inbox) -> Iterator[_Followed]:
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
