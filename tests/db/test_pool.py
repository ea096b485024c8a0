"""The pool: never more connections than allowed, every wait has an end, and every connection comes back."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from app.core.errors import AppError, ErrorCode
from app.db.database import Database, PoolSettings
from app.db.errors import DatabaseUnavailable, Duplicate, StatementTooSlow
from app.db.scopes import UnitOfWork
from tests.conversations import eventually, value
from tests.db.kept import (
    IDS,
    KEEP,
    KEEP_SLOWLY,
    OURS,
    PID,
    SETTING,
    SLEEP,
    kept_ids,
    kept_in,
    kill_connections,
    use_all_at_once,
)
from tests.proxy import proxy_to


async def read_pid(database: Database) -> int:
    async with database.read() as scope:
        return await scope.first(PID) or 0


async def sleep(database: Database, seconds: float) -> None:
    async with database.read() as scope:
        await scope.all(SLEEP, seconds=seconds)


def test_defaults_are_those_of_the_requirements() -> None:
    defaults = PoolSettings()

    assert (defaults.size, defaults.idle_seconds, defaults.connect_timeout_seconds) == (20, 30.0, 2.0)


async def test_pool_has_at_most_its_size(empty_dsn: str) -> None:
    async with proxy_to(empty_dsn) as (proxy, dsn), kept_in(dsn, PoolSettings(size=3)) as database:
        proxy.most_connections = 0

        pids = await asyncio.gather(*(read_pid(database) for _ in range(30)))
        await asyncio.gather(*(sleep(database, 0.01) for _ in range(12)))

        assert len(set(pids)) <= 3
        assert proxy.most_connections <= 3


async def test_waiting_for_a_connection_ends_with_a_refusal_to_retry(empty_dsn: str) -> None:
    async with kept_in(empty_dsn, PoolSettings(size=1, connect_timeout_seconds=0.2)) as database:
        async with database.unit_of_work() as holder:
            await holder.run(KEEP, id=1)

            with pytest.raises(DatabaseUnavailable) as read:
                await read_pid(database)
            with pytest.raises(DatabaseUnavailable) as write:
                await database.transact(lambda uow: uow.run(KEEP, id=2))

        assert {refused.value.code for refused in (read, write)} == {ErrorCode.PERSISTENCE_ERROR}
        assert read.value.retryable
        assert await read_pid(database)
        assert await kept_ids(empty_dsn) == [1]


class CountingDatabase(Database):
    """Counts how often a connection was asked for."""

    asked = 0

    def _borrow(self, *, stays: bool = True) -> Any:
        self.asked += 1
        return super()._borrow(stays=stays)


async def test_crowded_pool_is_waited_for_once(dsn: str) -> None:
    database = await CountingDatabase.connect(dsn, PoolSettings(size=1, connect_timeout_seconds=0.2))

    async with database.unit_of_work():
        with pytest.raises(DatabaseUnavailable):
            await database.transact(lambda uow: uow.first(PID))
        assert database.asked == 2
        with pytest.raises(DatabaseUnavailable):
            await database.ping()
        assert database.asked == 3

    await database.close()


async def test_idle_connections_are_closed(empty_dsn: str) -> None:
    async with kept_in(empty_dsn, PoolSettings(size=4, idle_seconds=0.1)) as database:
        assert len(await use_all_at_once(database, 4)) == 4

        await eventually(lambda: value(empty_dsn, f"SELECT count(*) {OURS}"), 0)

        assert await read_pid(database)


async def test_cancelled_request_gives_its_connection_back(empty_dsn: str) -> None:
    async with kept_in(empty_dsn, PoolSettings(size=1)) as database:
        running = asyncio.create_task(sleep(database, 60))
        await eventually(lambda: value(empty_dsn, f"SELECT count(*) {OURS} AND wait_event = 'PgSleep'"), 1)
        waiting = asyncio.create_task(sleep(database, 60))
        await asyncio.sleep(0)

        for task in (waiting, running):
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        assert await read_pid(database)
        assert await value(empty_dsn, f"SELECT count(*) {OURS} AND wait_event = 'PgSleep'") == 0


async def keep_two(uow: UnitOfWork) -> None:
    await uow.run(KEEP, id=2)
    await uow.run(KEEP_SLOWLY, id=3, seconds=60.0)


async def test_slow_statement_is_cancelled_and_stores_nothing(empty_dsn: str) -> None:
    async with kept_in(empty_dsn, PoolSettings(size=1, statement_timeout_seconds=0.1)) as database:
        with pytest.raises(StatementTooSlow) as read:
            await sleep(database, 60)
        with pytest.raises(StatementTooSlow):
            async with database.single_statement() as single:
                await single.run(KEEP_SLOWLY, id=1, seconds=60.0)
        with pytest.raises(StatementTooSlow):
            await database.transact(keep_two)

        assert (read.value.code, read.value.retryable) == (ErrorCode.PERSISTENCE_ERROR, True)
        assert await read_pid(database)
        assert await kept_ids(empty_dsn) == []


async def test_connections_say_who_they_are_and_tell_time_in_utc(empty_dsn: str) -> None:
    async with kept_in(empty_dsn, PoolSettings(statement_timeout_seconds=1.5)) as database, database.read() as scope:
        found = [
            await scope.first(SETTING, name=name) for name in ("application_name", "timezone", "statement_timeout")
        ]

    assert found == ["colloquy", "UTC", "1500ms"]


async def test_closed_pool_leaves_no_connection_and_refuses(empty_dsn: str) -> None:
    async with kept_in(empty_dsn) as database:
        await use_all_at_once(database, 3)

    await eventually(lambda: value(empty_dsn, f"SELECT count(*) {OURS}"), 0)
    with pytest.raises(DatabaseUnavailable):
        await read_pid(database)


async def test_closing_does_not_wait_for_ever_for_a_borrowed_connection(empty_dsn: str) -> None:
    async with kept_in(empty_dsn, PoolSettings(size=1, connect_timeout_seconds=0.1)) as database:
        running = asyncio.create_task(sleep(database, 60))
        await eventually(lambda: value(empty_dsn, f"SELECT count(*) {OURS} AND wait_event = 'PgSleep'"), 1)

        await database.close()

        with pytest.raises(AppError):
            await running


async def test_pool_is_whole_after_every_kind_of_failure(empty_dsn: str) -> None:
    settings = PoolSettings(size=3, statement_timeout_seconds=0.2)
    async with kept_in(empty_dsn, settings) as database:
        await database.transact(lambda uow: uow.run(KEEP, id=0))

        async def fail(turn: int) -> None:
            with suppress(AppError, Duplicate, LookupError, TimeoutError):
                match turn % 4:
                    case 0:
                        await database.transact(lambda uow: uow.run(KEEP, id=0))
                    case 1:
                        await sleep(database, 60)
                    case 2:
                        async with asyncio.timeout(0.05):
                            await sleep(database, 60)
                    case _:
                        async with database.unit_of_work() as uow:
                            await uow.all(IDS)
                            raise LookupError

        failing = asyncio.gather(*(fail(turn) for turn in range(24)))
        await kill_connections(empty_dsn)
        await failing

        assert len(await use_all_at_once(database, 3)) == 3
        assert await kept_ids(empty_dsn) == [0]
