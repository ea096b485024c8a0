"""How much a caller may ask for in a time: buckets of points that fill again, in the memory of one process."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from app.core.actor import Actor, TenantId, UserId
from app.core.errors import LimitExceeded
from app.core.settings.limits import LimitSettings
from app.telemetry.meters import REFUSALS

MOST_BUCKETS = 100_000
"""That are remembered: some 20 MB. Beyond that the one that was longest not used is forgotten, as if it were full."""

ROUNDING = 1e-6
"""Of a point."""

K = TypeVar("K", bound=Hashable)

Clock = Callable[[], float]
"""Seconds that never go backwards."""


class RateExceeded(LimitExceeded):
    """More than the caller may ask for in this time."""

    retryable = True

    def __init__(self, message: str, seconds: float, hint: str) -> None:
        seconds = round(seconds, 3)
        super().__init__(message, hint=hint, details={"retryAfterSeconds": seconds})
        self.retry_after_seconds = seconds


class Buckets(Generic[K]):
    """A bucket of points for each key: it fills at an even pace, and what is asked for is taken out.

    A bucket is the moment at which it is full again: one number, and one that has passed need not be kept.
    """

    def __init__(self, per_minute: int, capacity: int, clock: Clock = time.monotonic, most: int = MOST_BUCKETS) -> None:
        self._points_per_second = per_minute / 60
        self._capacity = capacity
        self._clock = clock
        self._most = most
        self._full_at: OrderedDict[K, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def left(self, key: K) -> int:
        """The points in a bucket, rounded down."""
        now = self._clock()
        missing = max(self._full_at.get(key, now) - now, 0.0) * self._points_per_second
        return int(self._capacity - missing + ROUNDING)

    def wait_for(self, key: K, points: int) -> float:
        """The seconds until so many points are there; 0 where they are."""
        now = self._clock()
        return self._wait(now, self._full_at.get(key, now), points)

    def spend(self, key: K, points: int) -> float:
        """Take points out; the seconds until that may be done where they are not there, and then none is taken."""
        now = self._clock()
        full_at = self._full_at.get(key, now)
        wait = self._wait(now, full_at, points)
        if not wait:
            self._full_at[key] = max(full_at, now) + points / self._points_per_second
            self._full_at.move_to_end(key)
            self._forget(now)
        return wait

    def _wait(self, now: float, full_at: float, points: int) -> float:
        wait = max(full_at - now, 0.0) + (points - self._capacity) / self._points_per_second
        # Points are whole: what is off by less than that is the rounding of seconds.
        return wait if wait * self._points_per_second > ROUNDING else 0.0

    def _forget(self, now: float) -> None:
        """Drop the full ones among those that were longest not used; two for each that is added, so that they go."""
        for _ in range(2):
            oldest = next(iter(self._full_at))
            if self._full_at[oldest] > now and len(self._full_at) <= self._most:
                return
            del self._full_at[oldest]


class Rates:
    """What users may spend, tenant and user being the key; nothing is counted where there is no limit."""

    def __init__(self, buckets: Buckets[tuple[TenantId, UserId]] | None) -> None:
        self._buckets = buckets

    @classmethod
    def none(cls) -> "Rates":
        """No limit."""
        return cls(None)

    @classmethod
    def of(cls, limits: LimitSettings, clock: Clock = time.monotonic) -> "Rates":
        """As the operator chose."""
        if not limits.rate_points_per_minute:
            return cls.none()
        return cls(Buckets(limits.rate_points_per_minute, limits.rate_capacity, clock))

    def spend(self, actor: Actor, points: int) -> None:
        """Take the points of a request; RateExceeded where they are not there."""
        if self._buckets is None or not points:
            return
        seconds = self._buckets.spend((actor.tenant_id, actor.user_id), points)
        if seconds:
            REFUSALS.labels("points").inc()
            raise RateExceeded("too much was asked for in the last minute", seconds, "ask again later, or for less")

    def left(self, actor: Actor) -> int | None:
        """What the actor may spend now; None where there is no limit."""
        return None if self._buckets is None else self._buckets.left((actor.tenant_id, actor.user_id))
