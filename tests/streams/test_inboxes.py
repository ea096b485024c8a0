"""Followers of an inbox are told of each row once, also when the database does not answer for a while."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from typing import NamedTuple
from uuid import UUID, uuid4

from app.core.actor import Actor
from app.db.errors import DatabaseUnavailable
from app.streams.inboxes import ROWS_AT_ONCE, Inboxes
from tests.conftest import an_actor

PATIENCE_SECONDS = 5.0
NEVER_SECONDS = 3_600.0

ALICE, STRANGER = an_actor("alice"), an_actor("alice", "acme")


class Box(NamedTuple):
    """The inbox of a tenant."""

    tenant_id: str
    id: UUID


class Shelf:
    """What awaits decisions, as a database keeps it."""

    def __init__(self) -> None:
        self.boxes = {actor.tenant_id: Box(actor.tenant_id, uuid4()) for actor in (ALICE, STRANGER)}
        self.awaited: dict[str, list[UUID]] = {tenant: [] for tenant in self.boxes}
        self.reads: list[int] = []
        """Of how many inboxes each read was."""
        self.failures = 0

    def box_of(self, actor: Actor) -> Box:
        """The inbox of the actor's tenant."""
        return self.boxes[actor.tenant_id]

    def ask(self, actor: Actor, count: int = 1) -> list[UUID]:
        """Rows that await a decision from now on."""
        added = [uuid4() for _ in range(count)]
        self.awaited[actor.tenant_id] += added
        return added

    async def read(self, boxes: Collection[Box]) -> Mapping[Box, Sequence[UUID]]:
        """As `ReadAwaited`."""
        self._answer()
        self.reads.append(len(boxes))
        return {box: list(held) for box in boxes if (held := self.awaited[box.tenant_id])}

    async def still(self, actor: Actor, ids: Sequence[UUID]) -> list[UUID]:
        """As `StillAwaiting`: the rows are no more than their ids."""
        self._answer()
        return [row for row in self.awaited[actor.tenant_id] if row in ids]

    def _answer(self) -> None:
        if self.failures:
            self.failures -= 1
            raise DatabaseUnavailable


@asynccontextmanager
async def followed(shelf: Shelf, poll_seconds: float = NEVER_SECONDS) -> AsyncIterator[Inboxes[Box, UUID]]:
    """The inboxes of a process that reads them."""
    inboxes = Inboxes(shelf.box_of, shelf.read, shelf.still, poll_seconds)
    task = asyncio.create_task(inboxes.run())
    yield inboxes
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert inboxes.followed == 0


async def test_followers_wait_while_the_database_does_not_answer() -> None:
    shelf = Shelf()
    first = shelf.ask(ALICE)
    async with followed(shelf) as inboxes, aclosing(inboxes.follow(ALICE)) as told, asyncio.timeout(PATIENCE_SECONDS):
        shelf.failures = 3
        assert await anext(told) == first[0]
        shelf.failures = 3
        [later] = shelf.ask(ALICE)
        inboxes.heard(shelf.box_of(ALICE).id)
        assert await anext(told) == later

    assert shelf.failures == 0


async def test_what_came_unheard_is_told_once_it_is_known_that_something_was_missed() -> None:
    shelf = Shelf()
    async with followed(shelf) as inboxes, aclosing(inboxes.follow(ALICE)) as told, asyncio.timeout(PATIENCE_SECONDS):
        [first] = shelf.ask(ALICE)
        assert await anext(told) == first
        [missed] = shelf.ask(ALICE)
        inboxes.missed()
        assert await anext(told) == missed


async def test_more_than_a_page_is_told_in_its_order() -> None:
    shelf = Shelf()
    asked = shelf.ask(ALICE, 2 * ROWS_AT_ONCE + 1)
    async with followed(shelf) as inboxes, aclosing(inboxes.follow(ALICE)) as told, asyncio.timeout(PATIENCE_SECONDS):
        assert [await anext(told) for _ in asked] == asked


async def test_one_read_is_for_all_inboxes_that_may_have_changed() -> None:
    shelf = Shelf()
    theirs, ours = shelf.ask(STRANGER), shelf.ask(ALICE)
    async with (
        followed(shelf) as inboxes,
        aclosing(inboxes.follow(ALICE)) as one,
        aclosing(inboxes.follow(ALICE)) as another,
        aclosing(inboxes.follow(STRANGER)) as stranger,
        asyncio.timeout(PATIENCE_SECONDS),
    ):
        told = [*await asyncio.gather(anext(one), anext(another), anext(stranger))]
        inboxes.heard(uuid4())
        inboxes.heard(shelf.box_of(ALICE).id)
        [later] = shelf.ask(ALICE)
        assert [*await asyncio.gather(anext(one), anext(another))] == [later, later]

    assert told == [ours[0], ours[0], theirs[0]]
    assert shelf.reads == [2, 1]
