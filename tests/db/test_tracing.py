"""PostgreSQL knows under which correlation id a transaction runs, and forgets it with the transaction."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Text, column, func, select, table

from app.core.actor import CorrelationId
from app.core.logging import correlated
from app.db.database import Database, PoolSettings
from app.db.errors import StatementTooSlow
from app.db.scopes import UnitOfWork
from app.db.statement import Query, ReplannedQuery
from tests.conversations import rows
from tests.db.kept import KEEP, SLEEP, kept_in
from tests.failing import FailingWay, How, failing_way

NAME: Query[str | None] = Query(str, select(func.current_setting("application_name")))
SENT: Query[str | None] = Query(str, select(func.current_query().label("query")))
REPLANNED: ReplannedQuery[str | None] = ReplannedQuery(str, select(func.current_query().label("replanned")))
PREPARED = Query(str, select(column("statement", Text)).select_from(table("pg_prepared_statements")))
BREAKING_OUT = [
    "x'; DROP TABLE kept; --", "x*/ DROP TABLE kept; /*", "x\\", 'x"', "x\ny", "x y", "", "é", "x" * 129, "$$x$$",
]  # fmt: skip


@pytest.fixture
async def one(empty_dsn: str) -> AsyncIterator[Database]:
    """A database with one connection."""
    async with kept_in(empty_dsn, PoolSettings(size=1)) as database:
        yield database


@pytest.fixture
async def commented(empty_dsn: str) -> AsyncIterator[Database]:
    """The same, whose statements have comments."""
    async with kept_in(empty_dsn, PoolSettings(size=1, sql_comments=True)) as database:
        yield database


async def name_of_transaction(database: Database) -> str | None:
    async with database.unit_of_work() as uow:
        return await uow.first(NAME)


async def name_outside(database: Database) -> str | None:
    async with database.read() as scope:
        return await scope.first(NAME)


async def test_transaction_bears_the_correlation_id_and_what_comes_after_it_does_not(one: Database) -> None:
    with correlated(CorrelationId("trip-1")):
        assert await name_of_transaction(one) == "colloquy trip-1"
        assert await name_outside(one) == "colloquy"
    assert await name_of_transaction(one) == "colloquy"


async def test_transaction_that_waits_is_found_by_its_correlation_id(one: Database, empty_dsn: str) -> None:
    found = "SELECT state, query FROM pg_stat_activity WHERE application_name = 'colloquy trip-1'"

    with correlated(CorrelationId("trip-1")):
        async with one.unit_of_work() as uow:
            await uow.run(KEEP, id=1)
            [during] = await rows(empty_dsn, found)
    after = await rows(empty_dsn, found)

    assert during["state"] == "idle in transaction"
    assert "INSERT INTO kept" in during["query"]
    assert after == []


@pytest.mark.parametrize("how", [How.REFUSED, How.CONFLICT, How.TIME_OUT])
@pytest.mark.parametrize("position", [1, 2, 3])
async def test_transaction_that_fails_leaves_nothing_on_its_connection(empty_dsn: str, position: int, how: How) -> None:
    async with failing_way(empty_dsn) as (way, address), kept_in(address, PoolSettings(size=1)) as database:
        await name_outside(database)
        way.fail(position, how)

        with correlated(CorrelationId("trip-1")):
            await asyncio.gather(database.transact(_keep_one), return_exceptions=True)

        assert len(way.failed) == 1
        assert await name_outside(database) == "colloquy"
        with correlated(CorrelationId("trip-2")):
            assert await name_of_transaction(database) == "colloquy trip-2"


async def test_cancelled_transaction_leaves_nothing_on_its_connection(one: Database) -> None:
    async def slow() -> None:
        with correlated(CorrelationId("trip-1")):
            async with one.unit_of_work() as uow:
                await uow.first(SLEEP, seconds=60)

    for pause in (0.0, 0.001, 0.1):
        task = asyncio.create_task(slow())
        await asyncio.sleep(pause)
        task.cancel()
        await asyncio.wait([task])

        assert await name_outside(one) == "colloquy"
        assert await name_of_transaction(one) == "colloquy"


async def test_transaction_ended_by_the_time_limit_leaves_nothing_on_its_connection(empty_dsn: str) -> None:
    async with kept_in(empty_dsn, PoolSettings(size=1, statement_timeout_seconds=0.2)) as database:
        with correlated(CorrelationId("trip-1")), pytest.raises(StatementTooSlow):
            async with database.unit_of_work() as uow:
                await uow.first(SLEEP, seconds=60)

        assert await name_outside(database) == "colloquy"


async def test_name_costs_no_round_trip(empty_dsn: str) -> None:
    async with failing_way(empty_dsn) as (way, address), kept_in(address, PoolSettings(size=1)) as database:
        bare = await _sent_by(way, database)
        with correlated(CorrelationId("trip-1")):
            named = await _sent_by(way, database)

    assert (bare[0], named[0]) == ("BEGIN;", "BEGIN; SET LOCAL application_name = '…';")
    assert bare[1:] == named[1:]
    assert len(named) == 3


async def test_long_id_is_cut_as_postgresql_does(one: Database) -> None:
    long = "a" * 100 + "b" * 28

    with correlated(CorrelationId(long)):
        assert await name_of_transaction(one) == f"colloquy {'a' * 54}"


@pytest.mark.parametrize("hostile", BREAKING_OUT)
async def test_what_is_no_id_becomes_no_part_of_a_statement(one: Database, commented: Database, hostile: str) -> None:
    with correlated(CorrelationId(hostile)):
        assert await name_of_transaction(one) == "colloquy"
        assert await name_of_transaction(commented) == "colloquy"
        async with commented.read() as scope:
            assert (await scope.first(SENT) or "").startswith("SELECT")


async def test_statements_have_no_comments_and_are_kept_prepared(one: Database) -> None:
    with correlated(CorrelationId("trip-1")):
        async with one.read() as scope:
            shown = [await scope.first(SENT) for _ in range(2)]
            assert await scope.all(PREPARED) != []

    assert all(query is not None and query.startswith("SELECT") for query in shown)


async def test_every_statement_has_a_comment_where_that_is_wanted(commented: Database) -> None:
    with correlated(CorrelationId("trip-1")):
        async with commented.read() as scope:
            shown = [await scope.first(SENT), await scope.first(REPLANNED)]
            prepared = await scope.all(PREPARED)
        async with commented.unit_of_work() as uow:
            shown.append(await uow.first(SENT))
            named = await uow.first(NAME)

    assert [query and query.partition("SELECT")[0] for query in shown] == ["/* correlation_id=trip-1 */ "] * 3
    assert named == "colloquy trip-1"
    assert [sql for sql in prepared if "current_query" in sql] == []


async def _keep_one(uow: UnitOfWork) -> None:
    await uow.run(KEEP, id=1)


async def _sent_by(way: FailingWay, database: Database) -> list[str]:
    way.forget()
    async with database.unit_of_work() as uow:
        await uow.all(NAME)
    return list(way.sent)
