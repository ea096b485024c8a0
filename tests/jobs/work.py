"""Jobs to add, handlers that note what they are given, and a look at the queue."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.db.database import Database
from app.db.listening import Listener
from app.jobs.queue import enqueue
from app.jobs.values import Handler, JobKind, JobSettings
from app.jobs.worker import JobWorker
from tests.conversations import PATIENCE_SECONDS, eventually, rows, value

ECHO = JobKind("echo")
QUICK = JobSettings(lease_seconds=1.0, poll_seconds=0.2, most_attempts=3, first_pause_seconds=0.05, unwind_seconds=2.0)


class Noted:
    """A handler that notes payloads and, where it is told to, does not end before it is let go."""

    def __init__(self, *, holds: bool = False) -> None:
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.let_go = asyncio.Event()
        self._begun: asyncio.Queue[str] = asyncio.Queue()
        if not holds:
            self.let_go.set()

    async def __call__(self, payload: bytes) -> None:
        self.begun.append(payload.decode())
        self._begun.put_nowait(payload.decode())
        await self.let_go.wait()
        self.ended.append(payload.decode())

    async def next(self) -> str:
        """The payload of the next job that began."""
        return await asyncio.wait_for(self._begun.get(), PATIENCE_SECONDS)


async def add(database: Database, *payloads: str, kind: JobKind = ECHO) -> None:
    """One job for each payload, in one transaction."""
    async with database.unit_of_work() as uow:
        for payload in payloads:
            await enqueue(uow, kind, payload.encode())


@asynccontextmanager
async def working(
    database: Database, listener: Listener, handler: Handler, settings: JobSettings = QUICK
) -> AsyncIterator[JobWorker]:
    """A worker that runs jobs of the kind ECHO."""
    worker = JobWorker(database, listener, settings)
    worker.handle(ECHO, handler)
    await worker.start()
    try:
        yield worker
    finally:
        await worker.stop(0)


async def queue_is_empty(dsn: str) -> None:
    """Return when every job is done."""
    await eventually(lambda: value(dsn, "SELECT count(*) FROM pgqueuer"), 0)


async def queued(dsn: str) -> list[tuple[str, str, int]]:
    """Payload, status and failed attempts of the jobs in the queue."""
    found = await rows(dsn, "SELECT payload, status::text, attempts FROM pgqueuer ORDER BY id")
    return [(row["payload"].decode(), row["status"], row["attempts"]) for row in found]
