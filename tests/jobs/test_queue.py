"""A job is added with the transaction it belongs to, or not at all."""

import pytest

from app.db.database import Database
from app.db.listening import Listener
from app.db.scopes import UnitOfWork
from app.jobs.queue import enqueue
from tests.conversations import value
from tests.jobs.work import ECHO, Noted, queue_is_empty, queued, working

LOGGED = "SELECT count(*) FROM pgqueuer_log"


async def test_job_of_a_transaction_that_is_rolled_back_never_was(dsn: str, database: Database) -> None:
    async def add_and_fail(uow: UnitOfWork) -> None:
        await enqueue(uow, ECHO, b"one")
        raise LookupError

    with pytest.raises(LookupError):
        await database.transact(add_and_fail)

    assert await queued(dsn) == []
    assert await value(dsn, LOGGED) == 0


async def test_job_is_seen_with_the_commit_and_run_once(dsn: str, database: Database, listener: Listener) -> None:
    noted = Noted()
    async with working(database, listener, noted):
        async with database.unit_of_work() as uow:
            await enqueue(uow, ECHO, b"one")
            assert await queued(dsn) == []

        assert await noted.next() == "one"
        await queue_is_empty(dsn)

    assert noted.ended == ["one"]


async def test_job_asks_for_a_transaction_of_several_statements(dsn: str, database: Database) -> None:
    async with database.single_statement() as uow:
        with pytest.raises(TypeError, match="open a unit of work"):
            await enqueue(uow, ECHO, b"one")

    assert await queued(dsn) == []


async def test_job_with_the_key_of_one_that_waits_is_not_added(dsn: str, database: Database) -> None:
    for payload, key in ((b"one", "a"), (b"two", "a"), (b"three", "b"), (b"four", None), (b"five", None)):
        async with database.unit_of_work() as uow:
            await enqueue(uow, ECHO, payload, key=key)

    assert [payload for payload, _, _ in await queued(dsn)] == ["one", "three", "four", "five"]


async def test_key_is_free_again_when_its_job_is_done(dsn: str, database: Database, listener: Listener) -> None:
    noted = Noted()
    async with working(database, listener, noted):
        for payload in ("one", "two"):
            async with database.unit_of_work() as uow:
                await enqueue(uow, ECHO, payload.encode(), key="a")
            assert await noted.next() == payload
            await queue_is_empty(dsn)


async def test_delayed_job_waits_while_others_run(dsn: str, database: Database, listener: Listener) -> None:
    noted = Noted()
    async with working(database, listener, noted):
        async with database.unit_of_work() as uow:
            await enqueue(uow, ECHO, b"late", delay_seconds=0.5)
            await enqueue(uow, ECHO, b"early")
        assert await noted.next() == "early"
        assert await noted.next() == "late"


async def test_payload_is_kept_byte_by_byte(dsn: str, database: Database) -> None:
    payload = bytes(range(256))

    async with database.unit_of_work() as uow:
        await enqueue(uow, ECHO, payload)

    assert await value(dsn, "SELECT payload FROM pgqueuer") == payload
    assert await value(dsn, "SELECT headers FROM pgqueuer") is None
