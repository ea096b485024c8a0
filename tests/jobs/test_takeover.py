"""A process that is killed leaves its jobs to others."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.db.database import Database
from app.db.listening import Listener
from tests.conversations import PATIENCE_SECONDS
from tests.jobs.work import Noted, add, queue_is_empty, working

PROJECT = Path(__file__).parents[2]


@pytest.fixture
async def other_process(dsn: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.jobs.worker_process", dsn, cwd=PROJECT, stdout=asyncio.subprocess.PIPE
    )
    yield process
    if process.returncode is None:
        process.kill()
    await process.communicate()


async def test_jobs_of_a_killed_process_are_run_by_another(
    dsn: str, database: Database, listener: Listener, other_process: asyncio.subprocess.Process
) -> None:
    payloads = {"one", "two", "three"}
    await add(database, *payloads)
    assert other_process.stdout is not None
    async with asyncio.timeout(PATIENCE_SECONDS):
        begun = {(await other_process.stdout.readline()).decode().strip() for _ in payloads}
    assert begun == payloads

    noted = Noted()
    async with working(database, listener, noted):
        # Its leases are renewed: for longer than they last, nobody else takes them.
        await asyncio.sleep(2.0)
        assert noted.begun == []
        other_process.kill()
        await queue_is_empty(dsn)

    assert sorted(noted.ended) == sorted(payloads)
