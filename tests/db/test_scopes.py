"""Read scopes and units of work: what is committed, what is rolled back, and when others learn of it."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from app.db.database import Database
from app.db.errors import DatabaseUnavailable, Duplicate
from app.db.scopes import UnitOfWork
from tests.db.kept import AMOUNT, IDS, KEEP, SET, SLEEP, kept_ids, kept_in


@pytest.fixture
async def kept(empty_dsn: str) -> AsyncIterator[Database]:
    async with kept_in(empty_dsn) as database:
        yield database


async def test_unit_of_work_commits_all_of_its_commands(kept: Database, empty_dsn: str) -> None:
    async with kept.unit_of_work() as uow:
        await uow.run(KEEP, id=1)
        await uow.run(KEEP, id=2)
        assert await uow.all(IDS) == [1, 2]
        assert await kept_ids(empty_dsn) == []

    assert await kept_ids(empty_dsn) == [1, 2]


async def test_unit_of_work_that_raises_stores_nothing(kept: Database, empty_dsn: str) -> None:
    async def work(uow: UnitOfWork) -> None:
        await uow.run(KEEP, id=1)
        raise LookupError("changed my mind")

    with pytest.raises(LookupError, match="changed my mind"):
        await kept.transact(work)

    assert await kept_ids(empty_dsn) == []


async def test_cancelled_unit_of_work_stores_nothing(kept: Database, empty_dsn: str) -> None:
    stored = asyncio.Event()

    async def work() -> None:
        async with kept.unit_of_work() as uow:
            await uow.run(KEEP, id=1)
            stored.set()
            await uow.all(SLEEP, seconds=60.0)

    task = asyncio.create_task(work())
    await stored.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert await kept_ids(empty_dsn) == []


async def test_others_learn_of_it_after_the_commit_in_order(kept: Database, empty_dsn: str) -> None:
    told: list[tuple[str, list[int]]] = []

    async def tell(name: str) -> None:
        told.append((name, await kept_ids(empty_dsn)))

    async with kept.unit_of_work() as uow:
        uow.after_commit(lambda: tell("first"))
        await uow.run(KEEP, id=1)
        uow.after_commit(lambda: tell("second"))
        assert told == []

    assert told == [("first", [1]), ("second", [1])]


async def test_nobody_learns_of_what_was_rolled_back(kept: Database) -> None:
    told: list[str] = []

    async def tell() -> None:
        told.append("stored")

    async def work(uow: UnitOfWork) -> None:
        uow.after_commit(tell)
        await uow.run(KEEP, id=1)
        await uow.run(KEEP, id=1)

    with pytest.raises(Duplicate):
        await kept.transact(work)

    assert told == []


async def test_single_statement_is_stored_at_once_and_then_told(kept: Database, empty_dsn: str) -> None:
    told: list[list[int]] = []

    async def tell() -> None:
        told.append(await kept_ids(empty_dsn))

    async with kept.single_statement() as uow:
        uow.after_commit(tell)
        assert await uow.run_one(KEEP, id=1) == 1
        assert await kept_ids(empty_dsn) == [1]
        assert told == []

    assert told == [[1]]


async def test_single_statement_refuses_a_second_command(kept: Database, empty_dsn: str) -> None:
    async with kept.single_statement() as uow:
        await uow.run(KEEP, id=1)
        assert await uow.all(IDS) == [1]
        with pytest.raises(TypeError, match="a single statement was promised"):
            await uow.run(KEEP, id=2)

    assert await kept_ids(empty_dsn) == [1]


async def test_row_that_a_unique_key_refuses_is_a_duplicate(kept: Database, empty_dsn: str) -> None:
    await kept.transact(lambda uow: uow.run(KEEP, id=1))

    with pytest.raises(Duplicate) as refused:
        await kept.transact(lambda uow: uow.run(KEEP, id=1))

    assert refused.value.key == "kept_pkey"
    assert isinstance(refused.value.__cause__, asyncpg.UniqueViolationError)
    assert await kept_ids(empty_dsn) == [1]


async def test_empty_answer_is_none(kept: Database) -> None:
    async with kept.unit_of_work() as uow:
        assert await uow.first(AMOUNT, id=404) is None
        assert await uow.run_one(SET, key=404, new=1) is None


async def test_transact_returns_what_the_work_returns(kept: Database) -> None:
    assert await kept.transact(lambda uow: uow.run(KEEP, id=7)) == [7]


async def test_work_is_not_repeated_when_telling_others_fails(kept: Database, empty_dsn: str) -> None:
    attempts: list[int] = []

    async def fail() -> None:
        raise DatabaseUnavailable

    async def work(uow: UnitOfWork) -> None:
        attempts.append(1)
        await uow.run(KEEP, id=len(attempts))
        uow.after_commit(fail)

    with pytest.raises(DatabaseUnavailable):
        await kept.transact(work)

    assert await kept_ids(empty_dsn) == [1]
