"""The rules of the cache: how long, how many, how often it loads, and what it must never keep."""

import asyncio

import pytest

from app.streams.cache import ABSOLUTE_SECONDS, SLIDING_SECONDS, ReadThroughCache

MINUTE = 60.0


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


class Source:
    """Where values come from: each load takes the next, once it may go on."""

    def __init__(self, *values: object, held: bool = False) -> None:
        self._values = list(values)
        self.loads = 0
        self.begun, self.gate = asyncio.Event(), asyncio.Event()
        if not held:
            self.gate.set()

    async def load(self) -> str | None:
        """The next value; raises one that is an exception."""
        value = self._values[self.loads]
        self.loads += 1
        self.begun.set()
        await self.gate.wait()
        if isinstance(value, Exception):
            raise value
        assert value is None or isinstance(value, str)
        return value


async def at_least_two(value: str) -> bool:
    """What fits an asker who knows of version 2."""
    return int(value) >= 2


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(clock: Clock) -> ReadThroughCache[str, str]:
    """A cache of two entries with the times of S1-35."""
    return ReadThroughCache(clock, most=2)


async def test_what_is_read_is_loaded_once(cache: ReadThroughCache[str, str]) -> None:
    source = Source("one")

    first, second = await cache.read("a", source.load), await cache.read("a", source.load)

    assert (first, second, source.loads) == ("one", "one", 1)


def test_times_are_those_that_were_asked_for() -> None:
    assert (SLIDING_SECONDS, ABSOLUTE_SECONDS) == (15 * MINUTE, 60 * MINUTE)


def test_what_nobody_asks_for_is_gone_after_a_quarter_of_an_hour(
    cache: ReadThroughCache[str, str], clock: Clock
) -> None:
    cache.set("a", "one")

    clock.now += 15 * MINUTE - 1
    assert cache.get("a") == "one"
    clock.now += 15 * MINUTE - 1
    assert cache.get("a") == "one"
    clock.now += 15 * MINUTE
    assert cache.get("a") is None


def test_what_is_asked_for_all_the_time_is_gone_after_an_hour(cache: ReadThroughCache[str, str], clock: Clock) -> None:
    cache.set("a", "one")

    for _ in range(5):
        clock.now += 10 * MINUTE
        assert cache.get("a") == "one"
    clock.now += 10 * MINUTE

    assert cache.get("a") is None
    assert len(cache) == 0


def test_the_least_recently_used_makes_room(cache: ReadThroughCache[str, str]) -> None:
    cache.set("a", "one")
    cache.set("b", "two")
    cache.get("a")

    cache.set("c", "three")

    assert (cache.get("a"), cache.get("b"), cache.get("c")) == ("one", None, "three")
    assert len(cache) == 2


def test_what_is_over_leaves_memory_with_the_next_value(cache: ReadThroughCache[str, str], clock: Clock) -> None:
    cache.set("a", "one")
    clock.now += 15 * MINUTE

    cache.set("b", "two")

    assert len(cache) == 1


def test_invalidated_value_is_gone_and_others_stay(cache: ReadThroughCache[str, str]) -> None:
    cache.set("a", "one")
    cache.set("b", "two")

    cache.invalidate("a")
    cache.invalidate("never there")

    assert (cache.get("a"), cache.get("b")) == (None, "two")


def test_clear_really_clears(cache: ReadThroughCache[str, str]) -> None:
    """S1-35."""
    cache.set("a", "one")
    cache.set("b", "two")

    cache.clear()

    assert (cache.get("a"), cache.get("b"), len(cache)) == (None, None, 0)


async def test_many_askers_make_one_load(cache: ReadThroughCache[str, str]) -> None:
    source = Source("one", held=True)
    askers = [asyncio.create_task(cache.read("a", source.load)) for _ in range(100)]
    await source.begun.wait()

    source.gate.set()

    assert await asyncio.gather(*askers) == ["one"] * 100
    assert source.loads == 1


async def test_failing_load_fails_all_who_wait_and_keeps_nothing(cache: ReadThroughCache[str, str]) -> None:
    source = Source(RuntimeError("away"), "one", held=True)
    askers = [asyncio.create_task(cache.read("a", source.load)) for _ in range(3)]
    await source.begun.wait()

    source.gate.set()
    ended = await asyncio.gather(*askers, return_exceptions=True)

    assert [str(error) for error in ended] == ["away"] * 3
    assert (len(cache), source.loads) == (0, 1)
    assert await cache.read("a", source.load) == "one"


async def test_asker_who_is_cancelled_does_not_cancel_the_load_of_others(cache: ReadThroughCache[str, str]) -> None:
    source = Source("one", held=True)
    first = asyncio.create_task(cache.read("a", source.load))
    await source.begun.wait()
    second = asyncio.create_task(cache.read("a", source.load))

    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    source.gate.set()

    assert await second == "one"
    assert source.loads == 1


async def test_load_that_everybody_left_is_kept_all_the_same(cache: ReadThroughCache[str, str]) -> None:
    source = Source("one", held=True)
    alone = asyncio.create_task(cache.read("a", source.load))
    await source.begun.wait()
    alone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await alone

    source.gate.set()

    assert await cache.read("a", source.load) == "one"
    assert source.loads == 1


@pytest.mark.parametrize("how", ["invalidate", "clear"])
async def test_load_begun_before_an_invalidation_is_not_kept(cache: ReadThroughCache[str, str], how: str) -> None:
    old, new = Source("old", held=True), Source("new")
    asker = asyncio.create_task(cache.read("a", old.load))
    await old.begun.wait()

    cache.invalidate("a") if how == "invalidate" else cache.clear()
    after = await cache.read("a", new.load)
    old.gate.set()

    assert (await asker, after) == ("old", "new")
    assert cache.get("a") == "new"


async def test_load_does_not_replace_what_was_set_meanwhile(cache: ReadThroughCache[str, str]) -> None:
    source = Source("old", held=True)
    asker = asyncio.create_task(cache.read("a", source.load))
    await source.begun.wait()

    cache.set("a", "new")
    source.gate.set()

    assert await asker == "old"
    assert cache.get("a") == "new"


async def test_value_that_does_not_fit_is_loaded_anew(cache: ReadThroughCache[str, str]) -> None:
    source = Source("2")
    cache.set("a", "1")

    assert await cache.read("a", source.load, at_least_two) == "2"
    assert cache.get("a") == "2"


async def test_load_under_way_that_brings_what_does_not_fit_is_followed_by_another(
    cache: ReadThroughCache[str, str],
) -> None:
    source = Source("1", "2", held=True)
    before = asyncio.create_task(cache.read("a", source.load))
    await source.begun.wait()
    after = [asyncio.create_task(cache.read("a", source.load, at_least_two)) for _ in range(5)]

    source.gate.set()

    assert await before == "1"
    assert await asyncio.gather(*after) == ["2"] * 5
    assert source.loads == 2


async def test_what_is_not_there_is_not_kept(cache: ReadThroughCache[str, str]) -> None:
    source = Source(None, "one")

    assert await cache.read("a", source.load) is None
    assert await cache.read("a", source.load) == "one"


async def test_closed_cache_leaves_no_load_behind(cache: ReadThroughCache[str, str]) -> None:
    source = Source("one", held=True)
    asker = asyncio.create_task(cache.read("a", source.load))
    await source.begun.wait()

    await cache.close()

    with pytest.raises(asyncio.CancelledError):
        await asker
    assert len(cache) == 0
