"""Followers of a feed get every entry exactly once, in order, however writes, reads and wake-ups fall together."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from typing import NamedTuple
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.db.errors import DatabaseUnavailable
from app.streams.feed import MOST_READ, MOST_REMEMBERED, Feed
from app.streams.values import StreamKey

PATIENCE_SECONDS = 3.0
NEVER_SECONDS = 3_600.0


class Line(NamedTuple):
    """An entry that says nothing but its number."""

    seq: int


class Shelf:
    """The logs as a database keeps them: a read sees what was committed when it began, and takes its time."""

    def __init__(self, turns: int = 0) -> None:
        self.logs: dict[UUID, list[Line]] = {}
        self.reads = 0
        self.failures = 0
        self._turns = turns

    def key(self) -> StreamKey:
        """A new stream without entries."""
        key = StreamKey("acme", uuid4())
        self.logs[key.id] = []
        return key

    def commit(self, key: StreamKey, count: int) -> list[Line]:
        """The next entries of a stream, which readers see from now on."""
        first = len(self.logs[key.id]) + 1
        lines = [Line(seq) for seq in range(first, first + count)]
        self.logs[key.id] += lines
        return lines

    async def read(self, after: Mapping[StreamKey, int]) -> Mapping[UUID, Sequence[Line]]:
        """As `ReadEntries`."""
        self.reads += 1
        if self.failures:
            self.failures -= 1
            raise DatabaseUnavailable
        found = {
            key.id: [line for line in self.logs[key.id] if line.seq > position][:MOST_READ]
            for key, position in after.items()
        }
        for _ in range(self._turns):
            await asyncio.sleep(0)
        return found


class Follower:
    """Reads a stream; a slow one comes back for more only when it is told to."""

    def __init__(self, feed: Feed[Line], key: StreamKey, after: int, *, slow: bool = False) -> None:
        self.seen: list[int] = []
        self.after = after
        self.may_go_on = asyncio.Event()
        if not slow:
            self.may_go_on.set()
        self.task = asyncio.create_task(self._follow(feed, key))

    async def _follow(self, feed: Feed[Line], key: StreamKey) -> None:
        async with aclosing(feed.follow(key, self.after)) as batches:
            async for batch in batches:
                self.seen += [line.seq for line in batch]
                await self.may_go_on.wait()

    async def leave(self) -> None:
        """Stop following."""
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task

    async def has(self, last: int) -> None:
        """Return once it has got everything up to a number; never too much, and never twice."""
        expected = list(range(self.after + 1, last + 1))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                if len(self.seen) >= len(expected):
                    break
                await asyncio.sleep(0)
        assert self.seen == expected


@asynccontextmanager
async def working(feed: Feed[Line]) -> AsyncIterator[None]:
    """While the feed reads what others write."""
    task = asyncio.create_task(feed.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def turns(count: int) -> None:
    """Let the others go on for a while."""
    for _ in range(count):
        await asyncio.sleep(0)


class Step(NamedTuple):
    """Something that happens to one of two streams."""

    what: str
    stream: int
    amount: int


WITH_WAKE_UPS = ("written here", "handed over", "written elsewhere", "followed", "followed slowly", "left", "time")
AMOUNTS = st.one_of(st.integers(1, 3), st.sampled_from([MOST_REMEMBERED - 1, MOST_REMEMBERED + 1, MOST_READ + 1]))


def programs(*what: str) -> st.SearchStrategy[list[Step]]:
    """What happens, one after the other."""
    return st.lists(st.builds(Step, st.sampled_from(what), st.integers(0, 1), AMOUNTS), max_size=25)


class Stage:
    """Two streams, their writers here and elsewhere, and their followers."""

    def __init__(self, shelf: Shelf, feed: Feed[Line]) -> None:
        self.shelf = shelf
        self.feed = feed
        self.keys = [shelf.key(), shelf.key()]
        self.followers: list[tuple[StreamKey, Follower]] = []
        self.on_their_way: list[tuple[StreamKey, Line]] = []

    async def play(self, step: Step) -> None:
        """One step; `amount` is of entries or turns, or chooses."""
        key = self.keys[step.stream]
        match step.what:
            case "written here":
                self.on_their_way += [(key, line) for line in self.shelf.commit(key, step.amount)]
            case "handed over":
                self.hand_over(step.amount)
            case "written elsewhere":
                self.shelf.commit(key, step.amount)
                self.feed.heard(key.id)
            case "written elsewhere, untold":
                self.shelf.commit(key, step.amount)
            case "followed" | "followed slowly":
                after = step.amount % (len(self.shelf.logs[key.id]) + 1)
                self.followers.append((key, Follower(self.feed, key, after, slow=step.what != "followed")))
            case "left":
                if self.followers:
                    await self.followers.pop(step.amount % len(self.followers))[1].leave()
            case _:
                await turns(step.amount % 7 + 1)

    def hand_over(self, count: int) -> None:
        """What was committed here comes to the feed a moment later."""
        gone, self.on_their_way = self.on_their_way[:count], self.on_their_way[count:]
        for key, line in gone:
            self.feed.wrote(key.id, [line])

    async def end(self) -> None:
        """Everybody comes back, has everything, and leaves nothing behind."""
        self.hand_over(len(self.on_their_way))
        for key, follower in self.followers:
            follower.may_go_on.set()
            await follower.has(len(self.shelf.logs[key.id]))
        for _, follower in self.followers:
            await follower.leave()
        assert self.feed.followed == 0


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(program=programs(*WITH_WAKE_UPS), slowness=st.sampled_from([0, 1, 9]))
async def test_followers_get_every_entry_once_by_wake_ups_alone(program: list[Step], slowness: int) -> None:
    shelf = Shelf(slowness)
    feed: Feed[Line] = Feed(shelf.read, NEVER_SECONDS)
    stage = Stage(shelf, feed)

    async with working(feed):
        for step in program:
            await stage.play(step)

        await stage.end()


@settings(max_examples=50, deadline=None, derandomize=True, database=None)
@given(program=programs(*WITH_WAKE_UPS, "written elsewhere, untold"), slowness=st.sampled_from([0, 1, 9]))
async def test_followers_get_every_entry_once_when_wake_ups_are_lost(program: list[Step], slowness: int) -> None:
    shelf = Shelf(slowness)
    feed: Feed[Line] = Feed(shelf.read, poll_seconds=0.001)
    stage = Stage(shelf, feed)

    async with working(feed):
        for step in program:
            await stage.play(step)

        await stage.end()


async def test_what_is_heard_during_the_first_read_is_not_left_to_the_poll() -> None:
    shelf = Shelf(turns=10)
    feed: Feed[Line] = Feed(shelf.read, NEVER_SECONDS)
    key = shelf.key()

    async with working(feed):
        follower = Follower(feed, key, 0)
        await turns(3)
        shelf.commit(key, 1)
        feed.heard(key.id)

        await follower.has(1)
        await follower.leave()


async def test_long_log_is_read_to_its_end_at_once() -> None:
    shelf = Shelf()
    feed: Feed[Line] = Feed(shelf.read, NEVER_SECONDS)
    key = shelf.key()
    shelf.commit(key, 3 * MOST_READ + 1)

    async with working(feed):
        follower = Follower(feed, key, 0)

        await follower.has(3 * MOST_READ + 1)
        await follower.leave()


async def test_what_is_written_here_is_never_read() -> None:
    shelf = Shelf()
    feed: Feed[Line] = Feed(shelf.read, NEVER_SECONDS)
    key = shelf.key()

    async with working(feed):
        followers = [Follower(feed, key, 0) for _ in range(50)]
        await turns(5)
        reads = shelf.reads
        for _ in range(500):
            feed.wrote(key.id, shelf.commit(key, 1))
            await turns(2)
        for follower in followers:
            await follower.has(500)
            await follower.leave()

    assert shelf.reads == reads


async def test_streams_that_grew_elsewhere_are_read_by_one_query() -> None:
    shelf = Shelf()
    feed: Feed[Line] = Feed(shelf.read, NEVER_SECONDS)
    keys = [shelf.key() for _ in range(100)]

    async with working(feed):
        followers = [Follower(feed, key, 0) for key in keys]
        await turns(5)
        reads = shelf.reads
        for key in keys:
            shelf.commit(key, 2)
            feed.heard(key.id)
        for follower in followers:
            await follower.has(2)
            await follower.leave()

    assert shelf.reads == reads + 1


async def test_feed_goes_on_after_the_database_was_away() -> None:
    shelf = Shelf()
    feed: Feed[Line] = Feed(shelf.read, NEVER_SECONDS)
    key = shelf.key()

    async with working(feed):
        follower = Follower(feed, key, 0)
        await turns(5)
        shelf.failures = 1
        shelf.commit(key, 3)
        feed.heard(key.id)

        await follower.has(3)
        await follower.leave()


async def test_follower_waits_for_a_database_that_is_away() -> None:
    shelf = Shelf()
    key = shelf.key()
    shelf.commit(key, 1)
    shelf.failures = 2
    feed: Feed[Line] = Feed(shelf.read, NEVER_SECONDS)

    async with aclosing(feed.follow(key, 0)) as batches:
        assert await anext(batches) == [Line(1)]

    assert feed.followed == 0


async def test_compacted_entries_are_passed_over() -> None:
    shelf = Shelf()
    feed: Feed[Line] = Feed(shelf.read, NEVER_SECONDS)
    key = shelf.key()
    shelf.commit(key, 10)
    del shelf.logs[key.id][:9]

    async with aclosing(feed.follow(key, 3)) as batches:
        assert await anext(batches) == [Line(10)]

    assert feed.followed == 0


async def test_slow_follower_costs_no_memory_beyond_the_ring() -> None:
    shelf = Shelf()
    feed: Feed[Line] = Feed(shelf.read, NEVER_SECONDS)
    key = shelf.key()

    async with working(feed):
        quick, slow = Follower(feed, key, 0), Follower(feed, key, 0, slow=True)
        feed.wrote(key.id, shelf.commit(key, 1))
        await turns(5)
        for _ in range(20 * MOST_REMEMBERED):
            feed.wrote(key.id, shelf.commit(key, 1))
        await quick.has(20 * MOST_REMEMBERED + 1)
        behind = list(slow.seen)
        slow.may_go_on.set()

        await slow.has(20 * MOST_REMEMBERED + 1)
        await slow.leave()
        await quick.leave()

    assert behind == [1]
    assert feed.followed == 0


@pytest.mark.parametrize("moment", range(6))
async def test_feed_ends_when_it_is_told_to_whatever_it_hears_at_that_moment(moment: int) -> None:
    feed: Feed[Line] = Feed(Shelf().read, NEVER_SECONDS)
    task = asyncio.create_task(feed.run())
    await turns(3)

    feed.missed()
    await turns(moment)
    task.cancel()

    await asyncio.wait([task], timeout=PATIENCE_SECONDS)
    assert task.cancelled()
