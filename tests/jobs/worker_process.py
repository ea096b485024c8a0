"""A process that takes jobs from the database at ADDRESS, prints each payload and never ends one."""

import asyncio
import sys

from app.db.database import Database
from app.db.listening import Listener
from app.jobs.worker import JobWorker
from tests.jobs.work import ECHO, QUICK


async def work(address: str) -> None:
    async def hold(payload: bytes) -> None:
        print(payload.decode(), flush=True)
        await asyncio.Event().wait()

    database = await Database.connect(address)
    async with Listener(address) as listener:
        worker = JobWorker(database, listener, QUICK)
        worker.handle(ECHO, hold)
        await worker.start()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1]))
