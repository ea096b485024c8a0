"""Elapsed time."""

from time import perf_counter_ns


class Stopwatch:
    """Measures elapsed milliseconds on the monotonic clock, from the moment it is made."""

    __slots__ = ("_started_ns",)

    def __init__(self) -> None:
        self._started_ns = perf_counter_ns()

    def elapsed_ms(self) -> float:
        """Milliseconds since the stopwatch was made, to the microsecond."""
        return (perf_counter_ns() - self._started_ns) // 1000 / 1000
