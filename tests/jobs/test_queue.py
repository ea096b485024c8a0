"""Jobs are added with the transaction they belong to, and run by one of the workers."""

import asyncio

from app.db.database import Database
from app.db.listening import Listener
from app.jobs.queue import enqueue
from app.jobs.values import JobKind
from app.jobs.worker import JobWorker

ECHO = JobKind("echo")


async def test_smoke(dsn: str, database: Database) -> None:
    got: asyncio.Queue[bytes] = asyncio.Queue()

    async with Listener(dsn) as listener:
        worker = JobWorker(database, listener)

        async def handler(payload: bytes) -> None:
            got.put_nowait(payload)

        worker.handle(ECHO, handler)
        await worker.start()
        async with database.unit_of_work() as uow:
            await enqueue(uow, ECHO, b"hello")
        assert await asyncio.wait_for(got.get(), 20) == b"hello"
        await worker.stop(1)
