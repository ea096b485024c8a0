"""Wakes PgQueuer for new jobs, and not once for each of them."""

import asyncio
from collections.abc import Callable

import orjson

MOMENT_SECONDS = 0.01
"""Between two rings. PgQueuer 1.6 keeps every notification and asks the database up to four times for each: a burst of
jobs would have it ask for long after the last one was done."""


class Bell:
    """Rings at the first of the notifications that come close together, and once more for all that follow it."""

    def __init__(self, ring: Callable[[str], None]) -> None:
        self._ring = ring
        self._waiting: str | None = None
        self._quiet: asyncio.TimerHandle | None = None

    def heard(self, payload: str) -> None:
        """A notification came."""
        event = _parsed(payload)
        if event.get("type") != "table_changed_event":
            self._ring(payload)
        elif event.get("operation") == "delete":
            # A job is done: no news for a worker, not even for a full one, which looks at the queue by itself.
            return
        elif self._quiet is not None:
            self._waiting = payload
        else:
            self._ring(payload)
            self._quiet = asyncio.get_running_loop().call_later(MOMENT_SECONDS, self._moment_passed)

    def close(self) -> None:
        """Ring no more."""
        if self._quiet is not None:
            self._quiet.cancel()
        self._waiting = None

    def _moment_passed(self) -> None:
        self._quiet = None
        payload, self._waiting = self._waiting, None
        if payload is not None:
            self.heard(payload)


def _parsed(payload: str) -> dict[str, object]:
    try:
        found = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
