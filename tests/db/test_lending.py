"""Lending: what a statement has used stays at hand for the next, and is never in the way of anybody."""

import asyncio
from contextlib import suppress
from itertools import count
from random import Random

import asyncpg
import pytest

from app.db.database import Database, PoolSettings
from app.db.errors import Duplicate
from tests.conversations import eventually, value
from tests.db.kept import KEEP, OURS, PID, SLEEP, kept_in, kill_connections, use_all_at_once

CROWD = 40
TURNS = 20


async def read_pid(database: Database) -> int:
    async with database.read() as scope:
        return await scope.first(PID) or 0


async def in_pool(database: Database) -> int:
    return database._lender.pool.get_idle_size()


async def at_hand(database: Database, size: int) -> set[int]:
    """The server processes of so many connections, which are at hand after that."""

    async def hold() -> None:
        async with database.read() as scope:
            await scope.all(SLEEP, seconds=0.3)

    await asyncio.gather(*(hold() for _ in range(size)))
    assert (await in_pool(database), database._lender.in_use) == (0, 0)
    return {await connection.fetchval("SELECT pg_backend_pid()") for connection in database._lender._at_hand}


async def test_what_a_statement_has_used_is_at_hand_for_the_next(empty_dsn: str) -> None:
    async with kept_in(empty_dsn, PoolSettings(size=3)) as database:
        pids = {await read_pid(database) for _ in range(5)}

        assert len(pids) == 1
        assert (await in_pool(database), database._lender.in_use) == (0, 0)


async def test_it_goes_back_into_the_pool_in_a_moment(empty_dsn: str) -> None:
    async with kept_in(empty_dsn, PoolSettings(size=3)) as database:
        pids = await at_hand(database, 3)

        await eventually(lambda: in_pool(database), 3)

        assert await read_pid(database) in pids


async def test_a_transaction_takes_what_is_at_hand_and_leaves_nothing(empty_dsn: str) -> None:
    async with kept_in(empty_dsn, PoolSettings(size=1)) as database:
        pid = await read_pid(database)

        async with database.unit_of_work() as uow:
            assert await uow.first(PID) == pid

        assert await in_pool(database) == 1
        # Who kept it must not run statements on a connection that is somebody else's by now.
        assert await read_pid(database) == pid
        with pytest.raises(asyncpg.InterfaceError, match="released back to the pool"):
            await uow.first(PID)


async def test_after_a_failure_it_goes_into_the_pool(empty_dsn: str) -> None:
    async with kept_in(empty_dsn, PoolSettings(size=1)) as database:
        for _ in range(2):
            with suppress(Duplicate):
                async with database.single_statement() as single:
                    await single.run(KEEP, id=1)

        assert await in_pool(database) == 1


async def test_nobody_is_overtaken(empty_dsn: str) -> None:
    asked, served = count(), count()
    overtaken: list[int] = []

    async def work(number: int) -> None:
        for turn in range(TURNS):
            place = next(asked)
            # As a statement does, or as a transaction.
            async with database._borrow(stays=(number + turn) % 2 == 0) as connection:
                overtaken.append(next(served) - place)
                await connection.fetchval("SELECT 1")

    async with kept_in(empty_dsn, PoolSettings(size=4)) as database:
        await use_all_at_once(database, 4)
        await asyncio.gather(*(work(number) for number in range(CROWD)))

    # Those who are let in together may begin in another order.
    assert max(overtaken) <= 4


async def test_whoever_stops_waiting_leaves_the_place_to_the_next(empty_dsn: str) -> None:
    chance = Random(7)

    async def work() -> None:
        for _ in range(TURNS):
            # Some are called off while they wait, some while they run, some just as they are let in.
            with suppress(TimeoutError):
                async with asyncio.timeout(chance.uniform(0, 0.01)):
                    await read_pid(database)

    async with kept_in(empty_dsn, PoolSettings(size=2)) as database:
        await asyncio.gather(*(work() for _ in range(CROWD)))

        assert not database._lender._waiting
        assert len(await use_all_at_once(database, 2)) == 2
        assert database._lender.in_use == 0


async def test_one_that_has_died_at_hand_is_replaced(empty_dsn: str) -> None:
    async with kept_in(empty_dsn, PoolSettings(size=3)) as database:
        before = await at_hand(database, 3)
        await kill_connections(empty_dsn)

        after = await use_all_at_once(database, 3)

        assert len(after) == 3
        assert not before & after


async def test_those_that_have_expired_are_used_no_more(empty_dsn: str) -> None:
    async with kept_in(empty_dsn, PoolSettings(size=3)) as database:
        before = await at_hand(database, 3)

        await database._lender.expire()

        assert await read_pid(database) not in before


async def test_closing_gives_up_what_is_at_hand(empty_dsn: str) -> None:
    async with kept_in(empty_dsn, PoolSettings(size=3)) as database:
        await at_hand(database, 3)

        async with asyncio.timeout(1):
            await database.close()

        await eventually(lambda: value(empty_dsn, f"SELECT count(*) {OURS}"), 0)
