"""What the process's pools of connections are doing: counted by plain attributes, told when somebody asks."""

from collections import Counter as Tally
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter_ns
from weakref import WeakSet

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.telemetry.meters import REGISTRY


@dataclass(eq=False, slots=True, weakref_slot=True)
class PoolUse:
    """One pool. Who borrows counts on it: that costs some attributes, and no lock."""

    name: str
    """Which of the process's pools it is: `requests` or `jobs`."""
    most: int
    """How many connections it may have."""
    size: Callable[[], int]
    """How many it has."""
    idle: Callable[[], int]
    """How many of them nobody has borrowed."""
    waiting: int = 0
    acquired: int = 0
    acquire_ns: int = 0
    refused: int = 0

    def __post_init__(self) -> None:
        _OPEN.add(self)

    def close(self) -> None:
        """It is told of no more."""
        _OPEN.discard(self)

    def took(self, since_ns: int) -> None:
        """A connection was borrowed by somebody who waits since that moment of the monotonic clock."""
        self.acquired += 1
        self.acquire_ns += perf_counter_ns() - since_ns


_OPEN: WeakSet[PoolUse] = WeakSet()

_GAUGES: dict[str, tuple[str, Callable[[PoolUse], int]]] = {
    "colloquy_pool_size": ("Most connections that the pool may have.", lambda pool: pool.most),
    "colloquy_pool_open": ("Connections that are open.", lambda pool: pool.size()),
    "colloquy_pool_in_use": ("Connections that are borrowed.", lambda pool: pool.size() - pool.idle()),
    "colloquy_pool_waiting": ("How many wait for a connection.", lambda pool: pool.waiting),
}
_COUNTERS: dict[str, tuple[str, Callable[[PoolUse], float]]] = {
    "colloquy_pool_acquires": ("Connections that were borrowed.", lambda pool: pool.acquired),
    "colloquy_pool_acquire_seconds": ("How long they were waited for, added up.", lambda pool: pool.acquire_ns / 1e9),
    "colloquy_pool_refusals": ("Waits that ended without a connection.", lambda pool: pool.refused),
}


class PoolCollector(Collector):
    """Tells of the pools that are open; of those with one name together."""

    def collect(self) -> Iterator[Metric]:
        """Called when the metrics are written."""
        pools = list(_OPEN)
        for name, (meaning, told) in _GAUGES.items():
            yield _filled(GaugeMetricFamily(name, meaning, labels=["pool"]), pools, told)
        for name, (meaning, told_) in _COUNTERS.items():
            yield _filled(CounterMetricFamily(name, meaning, labels=["pool"]), pools, told_)


def _filled(
    family: GaugeMetricFamily | CounterMetricFamily, pools: list[PoolUse], told: Callable[[PoolUse], float]
) -> Metric:
    sums: Tally[str] = Tally()
    for pool in pools:
        sums[pool.name] += told(pool)  # type: ignore[assignment]  # they add up floats as well
    for name, value in sums.items():
        family.add_metric([name], value)
    return family


REGISTRY.register(PoolCollector())
