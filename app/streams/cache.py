"""A cache that is read through: bounded, forgetful, and asked by many at once for the price of one."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from time import monotonic
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

SLIDING_SECONDS = 15 * 60.0
"""What nobody asked for during so long is dropped (S1-35)."""

ABSOLUTE_SECONDS = 60 * 60.0
"""Nothing is kept longer, however often it is asked for (S1-35)."""

MOST_ENTRIES = 4_096
"""Of one cache: a few kilobytes each. Beyond, what was asked for least recently goes."""

Clock = Callable[[], float]
"""Seconds that never go back."""


async def _any_value(_value: object) -> bool:
    return True


@dataclass(slots=True)
class _Entry(Generic[V]):
    value: V
    loaded_at: float
    used_at: float


class ReadThroughCache(Generic[K, V]):
    """One per process and kind of value. What is not there, None, is never kept: it may come.

    It keeps values, not truth: whoever must not be shown an old one passes `fits`, which compares the value's version
    with what it reads now. Then a lost invalidation costs a load, and never a wrong answer.
    """

    def __init__(
        self,
        clock: Clock = monotonic,
        sliding_seconds: float = SLIDING_SECONDS,
        absolute_seconds: float = ABSOLUTE_SECONDS,
        most: int = MOST_ENTRIES,
    ) -> None:
        self._clock = clock
        self._sliding_seconds = sliding_seconds
        self._absolute_seconds = absolute_seconds
        self._most = most
        # In the order of their last use.
        self._entries: OrderedDict[K, _Entry[V]] = OrderedDict()
        self._flights: dict[K, asyncio.Task[V | None]] = {}
        """The latest load of each key that is under way; it belongs to the cache, not to whoever asked first."""
        self._tasks: set[asyncio.Task[V | None]] = set()
        """All loads under way, also those whose key was invalidated since."""

    def __len__(self) -> int:
        """How many values are kept."""
        return len(self._entries)

    def get(self, key: K) -> V | None:
        """The value that is kept, used by this anew; None when there is none, or its time is over."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        now = self._clock()
        if self._over(entry, now):
            del self._entries[key]
            return None
        entry.used_at = now
        self._entries.move_to_end(key)
        return entry.value

    def set(self, key: K, value: V) -> None:
        """Keep a value in place of any other; a load of the key that is under way will not replace it."""
        self._flights.pop(key, None)
        self._keep(key, value)

    def invalidate(self, key: K) -> None:
        """Drop a value; what a load that has begun brings is given to those who wait for it, and not kept."""
        self._entries.pop(key, None)
        self._flights.pop(key, None)

    def clear(self) -> None:
        """Drop everything, with what is still being loaded."""
        self._entries.clear()
        self._flights.clear()

    async def read(
        self, key: K, load: Callable[[], Awaitable[V | None]], fits: Callable[[V], Awaitable[bool]] = _any_value
    ) -> V | None:
        """The value that is kept, where it fits; else what `load` brings, which one asker starts for all.

        A load that was begun before this was asked may bring what does not fit: then another follows. A load that fails
        fails for all who wait for it, and nothing is kept. Who is cancelled leaves; the load goes on for the others.
        """
        kept = self.get(key)
        if kept is not None and await fits(kept):
            return kept
        while True:
            flight = self._flights.get(key)
            ours = flight is None
            if flight is None:
                flight = self._start(key, load)
            # Shielded: the task is the cache's, and others may wait for it.
            value = await asyncio.shield(flight)
            if ours or value is None or await fits(value):
                return value

    async def close(self) -> None:
        """Cancel what is being loaded, and keep nothing more."""
        self.clear()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, key: K, load: Callable[[], Awaitable[V | None]]) -> "asyncio.Task[V | None]":
        async def fly() -> V | None:
            try:
                value = await load()
                # Who invalidated the key meanwhile took the flight away with it.
                if value is not None and self._flights.get(key) is flight:
                    self._keep(key, value)
                return value
            finally:
                if self._flights.get(key) is flight:
                    del self._flights[key]

        flight = asyncio.create_task(fly())
        self._flights[key] = flight
        self._tasks.add(flight)
        flight.add_done_callback(self._landed)
        return flight

    def _landed(self, task: "asyncio.Task[V | None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            # Seen here for the case that all who waited have left.
            task.exception()

    def _keep(self, key: K, value: V) -> None:
        now = self._clock()
        self._entries[key] = _Entry(value, now, now)
        self._entries.move_to_end(key)
        self._drop_idle(now)
        while len(self._entries) > self._most:
            self._entries.popitem(last=False)

    def _drop_idle(self, now: float) -> None:
        while self._entries:
            key, oldest = next(iter(self._entries.items()))
            if not self._over(oldest, now):
                return
            del self._entries[key]

    def _over(self, entry: _Entry[V], now: float) -> bool:
        return now - entry.used_at >= self._sliding_seconds or now - entry.loaded_at >= self._absolute_seconds
