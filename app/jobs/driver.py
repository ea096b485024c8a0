"""PgQueuer's way to PostgreSQL: our pool for its statements, our listener for its notifications."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from random import uniform
from typing import Any, Self

import asyncpg
import structlog
from pgqueuer.core.tm import TaskManager
from pgqueuer.ports.driver import Driver, NotifyCallback

from app.db.database import Database
from app.db.faults import Fault, fault_of
from app.db.listening import Listener
from app.jobs.bell import Bell

LONGEST_PAUSE_SECONDS = 1.0
"""Between two attempts of a statement: when the database is back, leases must be renewed at once."""

ONCE_GIVEN_UP_SECONDS = 1.0
"""How long a statement may take then: PgQueuer makes a few last attempts to write down how jobs ended."""

_PASSING = ("08", "25", "40", "53", "55", "57", "58")
"""Classes of errors that say nothing about the statement: connections, read-only standbys, conflicts, resources,
locks, an operator at work, the machine."""

log = structlog.get_logger("colloquy.jobs")


class PoolDriver(Driver):
    """Insists: a statement that the database could not run is tried again until it can, or until `give_up`.

    PgQueuer ends its loop, and forgets a job it was about to put back, at the first error from here (1.6). All of its
    statements may run twice.
    """

    def __init__(self, database: Database, listener: Listener) -> None:
        self._database = database
        self._listener = listener
        self._unlisten: list[Callable[[], None]] = []
        self._given_up = asyncio.Event()
        self._shutdown = asyncio.Event()
        self._tasks = TaskManager()
        self._limits: set[asyncio.Timeout] = set()
        self._troubled = False

    def give_up(self) -> None:
        """From now on, what the database cannot do at once is an error; what is under way ends so."""
        self._given_up.set()
        for limit in self._limits:
            limit.reschedule(0)

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        """The rows of a statement."""
        return [dict(row) for row in await self._insist(query, args)]

    async def execute(self, query: str, *args: object) -> str:
        """Run a statement; PgQueuer does not look at what it is told of it."""
        await self._insist(query, args)
        return ""

    async def notify(self, channel: str, payload: str) -> None:
        """Send a notification."""
        await self._insist("SELECT pg_notify($1, $2)", (channel, payload))

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        """Pass notifications on until the manager that asked for them ends. What is missed, the next poll finds."""
        bell = Bell(callback)
        self._unlisten += [self._listener.listen(channel, bell.heard, lambda: None), bell.close]

    @property
    def shutdown(self) -> asyncio.Event:
        """Never set by us."""
        return self._shutdown

    @property
    def tm(self) -> TaskManager:
        """Holds nothing: this driver starts no tasks."""
        return self._tasks

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        while self._unlisten:
            self._unlisten.pop()()

    async def _insist(self, query: str, arguments: tuple[object, ...]) -> list[Any]:
        attempt = 0
        while True:
            try:
                found = await self._run(query, arguments)
            except Exception as error:
                if self._given_up.is_set() or not _passes(error):
                    raise
                self._note_trouble(error)
            else:
                self._note_trouble(None)
                return found
            attempt += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(self._given_up.wait(), _pause_seconds(attempt))

    async def _run(self, query: str, arguments: tuple[object, ...]) -> list[Any]:
        """Once, and no longer than until we give up."""
        async with asyncio.timeout(ONCE_GIVEN_UP_SECONDS if self._given_up.is_set() else None) as limit:
            self._limits.add(limit)
            try:
                return await self._database.run_for_library(query, *arguments)
            finally:
                self._limits.discard(limit)

    def _note_trouble(self, error: Exception | None) -> None:
        if error is not None and not self._troubled:
            log.warning("jobs wait for the database", error=type(error).__name__)
        if error is None and self._troubled:
            log.info("jobs go on")
        self._troubled = error is not None


def _passes(error: Exception) -> bool:
    if fault_of(error, wrote=True) is not Fault.OTHER or isinstance(error, TimeoutError):
        return True
    return isinstance(error, asyncpg.PostgresError) and str(error.sqlstate).startswith(_PASSING)


def _pause_seconds(attempt: int) -> float:
    return uniform(0.5, 1.0) * min(LONGEST_PAUSE_SECONDS, 0.05 * 2.0 ** min(attempt, 10))  # noqa: S311 - no secret
