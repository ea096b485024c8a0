"""A connection that the server ends while nobody uses it."""

import asyncio
from threading import Thread

import pytest

from app.db.database import Database, PoolSettings
from tests.conftest import execute


@pytest.mark.parametrize("steps", range(6))
async def test_a_statement_finds_another_connection_when_the_server_has_just_ended_its_own(
    dsn: str, steps: int
) -> None:
    database = await Database.connect(dsn, PoolSettings(size=1))
    await database.ping()

    # The loop is held up until the backend is gone: its last words and the end of the connection are both there then.
    ender = Thread(target=lambda: asyncio.run(execute(dsn, _END_ALL_OTHERS)))
    ender.start()
    ender.join()
    # The loop reads one of the two at each step: every moment before, between and after them has its turn.
    for _ in range(steps):
        await asyncio.sleep(0)

    await database.ping()
    await database.close()


_END_ALL_OTHERS = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
