"""Leaves a provider alone that is out of order."""

from collections.abc import Callable

from app.llm.errors import FailureReason

OPENS_AFTER = 5
"""Failures in a row: a provider that is up has single failures, hardly five."""

COOL_DOWN_SECONDS = 30.0
"""Until one request may try again: short for a person, long for a server that is coming up."""

_DOWN = frozenset(
    {
        FailureReason.UNAVAILABLE, FailureReason.MALFORMED, FailureReason.DROPPED, FailureReason.CONNECT_TIMEOUT,
        FailureReason.FIRST_TOKEN_TIMEOUT, FailureReason.SILENCE,
    }
)  # fmt: skip
"""What says that the provider is out of order, and not that it minds the request, the key or the pace."""

Clock = Callable[[], float]


class CircuitBreaker:
    """Closed while all is well; open after failures in a row; after a cool-down, one request is let through to see.

    It belongs to one process and one event loop: nothing here waits, so nothing comes in between.
    """

    def __init__(
        self, clock: Clock, *, opens_after: int = OPENS_AFTER, cool_down_seconds: float = COOL_DOWN_SECONDS
    ) -> None:
        self._clock = clock
        self._opens_after = opens_after
        self._cool_down_seconds = cool_down_seconds
        self._failures = 0
        self._opened_at: float | None = None
        self._probing = False

    def wait_seconds(self) -> float | None:
        """None where a request may go out now; else for how long none should be tried."""
        if self._opened_at is None:
            return None
        left = self._opened_at + self._cool_down_seconds - self._clock()
        if left <= 0 and not self._probing:
            return None
        # While a probe is under way nobody knows how long.
        return max(left, 1.0)

    def begin(self) -> None:
        """A request goes out; each must end with exactly one of the calls below."""
        self._probing = self._opened_at is not None

    def succeeded(self) -> None:
        """The provider answers."""
        self._failures = 0
        self._opened_at = None
        self._probing = False

    def failed(self, reason: FailureReason) -> None:
        """The request failed; a reason that lies with the request proves that the provider is there."""
        if reason not in _DOWN:
            # Too many requests is an answer, but no proof that the next one gets through.
            if reason is FailureReason.RATE_LIMITED:
                self.left()
            else:
                self.succeeded()
            return
        self._failures += 1
        if self._probing or self._failures >= self._opens_after:
            self._opened_at = self._clock()
        self._probing = False

    def left(self) -> None:
        """The one who asked went away before anything could be learnt."""
        self._probing = False
