"""Workers share the queue; what handlers do, and what happens to the database, ends none of them."""

import asyncio
from pathlib import Path

import pytest

from app.db import migrate
from app.db.database import Database
from app.db.embedded import EmbeddedPostgres
from app.db.listening import Listener
from app.jobs.values import GiveBack, JobKind, JobSettings
from app.jobs.worker import JobWorker
from tests.conftest import execute
from tests.conversations import eventually, rows, value
from tests.db.clusters import FAST
from tests.jobs.work import ECHO, QUICK, Noted, add, queue_is_empty, queued, working
from tests.proxy import proxy_to

END_OUR_BACKENDS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'colloquy%'
"""


async def test_two_workers_run_each_of_many_jobs_once(dsn: str, database: Database, listener: Listener) -> None:
    noted = Noted()
    payloads = [str(number) for number in range(200)]

    async with working(database, listener, noted), working(database, listener, noted):
        await add(database, *payloads)
        await queue_is_empty(dsn)

    assert sorted(noted.ended, key=int) == payloads


async def test_no_more_jobs_run_at_once_than_allowed(dsn: str, database: Database, listener: Listener) -> None:
    noted = Noted(holds=True)
    few = JobSettings(poll_seconds=0.05, most_at_once=4)

    async with working(database, listener, noted, few):
        await add(database, *"abcdefghij")
        for _ in range(4):
            await noted.next()
        await asyncio.sleep(0.3)
        assert len(noted.begun) == 4
        noted.let_go.set()
        await queue_is_empty(dsn)

    assert sorted(noted.ended) == list("abcdefghij")


async def test_job_that_nobody_handles_waits(dsn: str, database: Database, listener: Listener) -> None:
    noted = Noted()
    await add(database, "other", kind=JobKind("unheard-of"))

    async with working(database, listener, noted):
        await add(database, "one")
        assert await noted.next() == "one"

    assert await queued(dsn) == [("other", "queued", 0)]


async def test_failing_job_is_run_again_and_dropped_in_the_end(
    dsn: str, database: Database, listener: Listener
) -> None:
    begun: list[bytes] = []

    async def fail(payload: bytes) -> None:
        begun.append(payload)
        if payload == b"bad":
            raise LookupError("what somebody wrote")

    async with working(database, listener, fail):
        await add(database, "bad")
        await queue_is_empty(dsn)
        await add(database, "good")
        await queue_is_empty(dsn)

    assert begun == [b"bad"] * QUICK.most_attempts + [b"good"]
    logged = await rows(dsn, "SELECT status::text FROM pgqueuer_log WHERE job_id = 1 ORDER BY id")
    assert [row["status"] for row in logged] == ["queued", "picked"] * 3 + ["exception"]
    assert await value(dsn, "SELECT count(*) FROM pgqueuer_log WHERE traceback IS NOT NULL") == 0


async def test_handler_that_cancels_itself_has_failed(dsn: str, database: Database, listener: Listener) -> None:
    begun: list[bytes] = []

    async def give_in(payload: bytes) -> None:
        begun.append(payload)
        raise asyncio.CancelledError

    async with working(database, listener, give_in):
        await add(database, "one")
        await queue_is_empty(dsn)

    assert len(begun) == QUICK.most_attempts


async def test_handler_may_give_its_job_back_as_often_as_it_likes(
    dsn: str, database: Database, listener: Listener
) -> None:
    begun: list[bytes] = []

    async def later(payload: bytes) -> None:
        begun.append(payload)
        if len(begun) <= QUICK.most_attempts + 1:
            raise GiveBack

    async with working(database, listener, later):
        await add(database, "one")
        await queue_is_empty(dsn)

    assert len(begun) == QUICK.most_attempts + 2


async def test_stopped_worker_lets_its_jobs_end(dsn: str, database: Database, listener: Listener) -> None:
    noted = Noted(holds=True)
    async with working(database, listener, noted) as worker:
        await add(database, "one")
        await noted.next()

        stopping = asyncio.create_task(worker.stop(30))
        await asyncio.sleep(0.1)
        await add(database, "two")
        noted.let_go.set()
        await stopping

    assert noted.ended == ["one"]
    assert await queued(dsn) == [("two", "queued", 0)]


async def test_stopped_worker_hands_on_what_does_not_end(dsn: str, database: Database, listener: Listener) -> None:
    # Neither the lease nor a poll is what makes the other one take it: both would come too late.
    patient = JobSettings(lease_seconds=600, poll_seconds=600, unwind_seconds=20)
    first, second = Noted(holds=True), Noted()
    async with working(database, listener, first, patient) as worker:
        await add(database, "one")
        await first.next()
        async with working(database, listener, second, patient):
            await worker.stop(0.1)

            assert await second.next() == "one"
            await queue_is_empty(dsn)

    assert (first.ended, second.ended) == ([], ["one"])


async def test_stopped_worker_leaves_no_task(dsn: str, database: Database, listener: Listener) -> None:
    before = asyncio.all_tasks()
    for grace_seconds in (0, 0.1):
        noted = Noted(holds=True)
        worker = JobWorker(database, listener, QUICK)
        worker.handle(ECHO, noted)
        await worker.start()
        await add(database, "one", "two")
        await noted.next()

        await worker.stop(grace_seconds)
        await worker.stop(grace_seconds)

        assert asyncio.all_tasks() == before
        assert {status for _, status, _ in await queued(dsn)} == {"queued"}


async def test_worker_that_was_never_started_can_be_stopped(database: Database, listener: Listener) -> None:
    await JobWorker(database, listener).stop(0)


def test_kind_has_one_handler(database: Database, listener: Listener) -> None:
    worker = JobWorker(database, listener)
    worker.handle(ECHO, Noted())

    with pytest.raises(ValueError, match="echo"):
        worker.handle(ECHO, Noted())


async def test_ended_backends_disturb_nobody(dsn: str, database: Database, listener: Listener) -> None:
    noted = Noted(holds=True)
    async with working(database, listener, noted, JobSettings(poll_seconds=0.2)):
        await execute(dsn, END_OUR_BACKENDS)
        await add(database, "idle")
        assert await noted.next() == "idle"

        await execute(dsn, END_OUR_BACKENDS)
        noted.let_go.set()
        await queue_is_empty(dsn)
        await add(database, "after")
        assert await noted.next() == "after"

    assert noted.ended == ["idle", "after"]


async def test_restarted_database_is_worked_on(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "pg", settings=FAST)
    address = await asyncio.to_thread(server.start)
    noted = Noted(holds=True)
    try:
        await migrate.upgrade(address)
        database = await Database.connect(address)
        async with Listener(address) as listener, working(database, listener, noted):
            await add(database, "running")
            await noted.next()

            await asyncio.to_thread(server.stop)
            noted.let_go.set()
            await eventually(lambda: _answer(noted.ended), ["running"])
            await asyncio.to_thread(server.start)

            await queue_is_empty(address)
            await add(database, "after")
            while await noted.next() != "after":
                pass
        await database.close()
    finally:
        await asyncio.to_thread(server.stop)

    assert noted.ended[-1] == "after"


async def test_worker_stops_though_the_database_is_away(dsn: str) -> None:
    before = asyncio.all_tasks()
    noted = Noted(holds=True)
    async with proxy_to(dsn) as (proxy, address):
        database = await Database.connect(address)
        async with Listener(dsn) as listener, working(database, listener, noted) as worker:
            await add(database, "one")
            await noted.next()
            proxy.refusing = True
            proxy.cut_all()

            await worker.stop(0)

            assert noted.ended == []
        await database.close()

    assert asyncio.all_tasks() == before
    # Not lost: it is taken when its lease has ended.
    assert await queued(dsn) == [("one", "picked", 0)]
    async with Listener(dsn) as listener:
        database = await Database.connect(dsn)
        noted.let_go.set()
        async with working(database, listener, noted):
            await queue_is_empty(dsn)
        await database.close()
    assert noted.ended == ["one"]


async def test_cancelled_program_puts_its_jobs_back(dsn: str, database: Database, listener: Listener) -> None:
    noted = Noted(holds=True)
    before = asyncio.all_tasks()
    worker = JobWorker(database, listener, QUICK)
    worker.handle(ECHO, noted)
    await worker.start()
    await add(database, "one")
    await noted.next()

    ours = asyncio.all_tasks() - before
    for task in ours:
        task.cancel()
    await asyncio.wait(ours)

    assert [(payload, status) for payload, status, _ in await queued(dsn)] == [("one", "queued")]
    await worker.stop(0)


async def _answer(found: object) -> object:
    return found
