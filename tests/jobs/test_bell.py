"""A burst of notifications wakes the worker a few times, and what else is said goes through at once."""

import asyncio

from app.db.database import Database
from app.db.listening import Listener
from app.jobs.bell import Bell
from app.jobs.driver import PoolDriver
from tests.conftest import execute
from tests.conversations import PATIENCE_SECONDS
from tests.jobs.work import queue_is_empty

BURST = """
INSERT INTO pgqueuer (priority, status, entrypoint, payload)
SELECT 0, 'queued', 'echo', ''::bytea FROM generate_series(1, 20)
"""


async def test_burst_rings_at_once_and_once_more() -> None:
    rung: list[str] = []
    twice = asyncio.Event()

    def ring(payload: str) -> None:
        rung.append(payload)
        if len(rung) == 2:
            twice.set()

    bell = Bell(ring)
    for number in range(100):
        bell.heard(_changed(number))
    assert rung == [_changed(0)]

    await asyncio.wait_for(twice.wait(), PATIENCE_SECONDS)
    assert rung == [_changed(0), _changed(99)]
    bell.close()


async def test_only_news_of_the_table_is_held_back() -> None:
    rung: list[str] = []
    bell = Bell(rung.append)
    others = ['{"type":"health_check_event"}', '{"type":"cancellation_event"}', "no json", "[]"]

    for payload in (_changed(0), *others):
        bell.heard(payload)
    bell.heard('{"type":"table_changed_event","operation":"delete"}')
    bell.close()

    assert rung == [_changed(0), *others]


async def test_what_the_trigger_says_is_understood(dsn: str, database: Database, listener: Listener) -> None:
    rung: asyncio.Queue[str | bytes | bytearray] = asyncio.Queue()
    begun = asyncio.Event()
    listener.listen("ch_pgqueuer", lambda _: None, begun.set)
    async with PoolDriver(database, listener) as driver:
        await driver.add_listener("ch_pgqueuer", rung.put_nowait)
        await asyncio.wait_for(begun.wait(), PATIENCE_SECONDS)

        await execute(dsn, BURST)
        assert '"operation" : "insert"' in str(await asyncio.wait_for(rung.get(), PATIENCE_SECONDS))
        await execute(dsn, "DELETE FROM pgqueuer")
        await queue_is_empty(dsn)
        await driver.notify("ch_pgqueuer", "last")
        assert await asyncio.wait_for(rung.get(), PATIENCE_SECONDS) == "last"


def _changed(number: int) -> str:
    return f'{{"type":"table_changed_event","operation":"insert","n":{number}}}'
