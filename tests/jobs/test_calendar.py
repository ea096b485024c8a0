"""What is due by the calendar runs once among all workers, and the log of jobs is kept short."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from app.core.logging import current_correlation
from app.db.database import Database
from app.db.listening import Listener
from app.jobs.purge import forget_old_log
from app.jobs.values import Chore, JobKind
from app.jobs.worker import JobWorker
from tests.conftest import execute
from tests.conversations import eventually, value
from tests.jobs.work import QUICK

TIDY = JobKind("tidy")
YEARLY = "0 0 1 1 *"
DUE = "UPDATE pgqueuer_schedules SET next_run = now() WHERE entrypoint = 'tidy'"
KNOWN = "SELECT count(*) FROM pgqueuer_schedules WHERE entrypoint = 'tidy'"
DONE = (
    "SELECT count(*) FROM pgqueuer_schedules WHERE entrypoint = 'tidy' AND last_run IS NOT NULL AND status = 'queued'"
)


@asynccontextmanager
async def keeping(database: Database, listener: Listener, chore: Chore) -> AsyncIterator[JobWorker]:
    worker = JobWorker(database, listener, QUICK)
    worker.schedule(TIDY, YEARLY, chore)
    await worker.start()
    try:
        yield worker
    finally:
        await worker.stop(5)


class Counted:
    def __init__(self) -> None:
        self.times = 0

    async def __call__(self) -> None:
        self.times += 1


async def test_chore_that_is_due_runs_once_among_workers(dsn: str, database: Database, listener: Listener) -> None:
    chore = Counted()
    async with keeping(database, listener, chore):
        await eventually(lambda: value(dsn, KNOWN), 1)
    assert chore.times == 0

    for turn in (1, 2):
        await execute(dsn, DUE)
        await execute(dsn, "UPDATE pgqueuer_schedules SET last_run = NULL")
        async with keeping(database, listener, chore), keeping(database, listener, chore):
            await eventually(lambda: value(dsn, DONE), 1)
        assert chore.times == turn

    assert await value(dsn, "SELECT next_run > now() FROM pgqueuer_schedules WHERE entrypoint = 'tidy'")


async def test_chore_runs_whenever_it_is_due(database: Database, listener: Listener) -> None:
    thrice = asyncio.Event()
    chore = Counted()

    async def count() -> None:
        await chore()
        if chore.times == 3:
            thrice.set()

    worker = JobWorker(database, listener, QUICK)
    worker.schedule(TIDY, "* * * * * *", count)
    await worker.start()

    await asyncio.wait_for(thrice.wait(), 30)

    await worker.stop(5)


async def test_chore_that_fails_runs_again_when_it_is_due(dsn: str, database: Database, listener: Listener) -> None:
    chore = Counted()

    async def fail() -> None:
        await chore()
        raise LookupError

    async with keeping(database, listener, fail):
        await eventually(lambda: value(dsn, KNOWN), 1)
    for turn in (1, 2):
        await execute(dsn, DUE)
        await execute(dsn, "UPDATE pgqueuer_schedules SET last_run = NULL")
        async with keeping(database, listener, fail):
            await eventually(lambda: value(dsn, DONE), 1)
        assert chore.times == turn


def test_expression_that_is_none_is_refused(database: Database, listener: Listener) -> None:
    worker = JobWorker(database, listener)

    with pytest.raises(ValueError, match="every now and then"):
        worker.schedule(TIDY, "every now and then", Counted())


async def test_stop_ends_a_chore(dsn: str, database: Database, listener: Listener) -> None:
    before = asyncio.all_tasks()
    begun = asyncio.Event()

    async def hold() -> None:
        begun.set()
        await asyncio.Event().wait()

    async with keeping(database, listener, hold):
        await eventually(lambda: value(dsn, KNOWN), 1)
    await execute(dsn, DUE)
    async with keeping(database, listener, hold) as worker:
        await asyncio.wait_for(begun.wait(), 30)
        await worker.stop(0)

    assert asyncio.all_tasks() == before
    assert await value(dsn, DONE) == 1


async def test_old_log_is_forgotten(dsn: str, database: Database) -> None:
    await execute(
        dsn,
        "INSERT INTO pgqueuer_log (created, job_id, status, priority, entrypoint)"
        " SELECT now() - make_interval(days => day), day, 'queued', 0, 'echo'"
        " FROM generate_series(0, 9) AS day, generate_series(1, 4000)",
    )

    await forget_old_log(database, timedelta(days=6, hours=12))

    assert await value(dsn, "SELECT count(*) FROM pgqueuer_log") == 7 * 4000
    assert await value(dsn, "SELECT max(job_id) FROM pgqueuer_log") == 6


async def test_each_round_of_a_chore_has_a_correlation_id_of_its_own(
    dsn: str, database: Database, listener: Listener
) -> None:
    noted: list[str | None] = []

    async def note() -> None:
        noted.append(current_correlation())
        raise RuntimeError("of this round")

    with capture_logs(processors=[merge_contextvars]) as lines:
        async with keeping(database, listener, note):
            await eventually(lambda: value(dsn, KNOWN), 1)
        for _ in range(2):
            await execute(dsn, DUE)
            await execute(dsn, "UPDATE pgqueuer_schedules SET last_run = NULL")
            async with keeping(database, listener, note):
                await eventually(lambda: value(dsn, DONE), 1)

    assert len({*noted, None}) == 3
    failed = [line for line in lines if line["event"] == "a chore failed"]
    assert [(line["correlation_id"], line["job_kind"]) for line in failed] == [(id_, "tidy") for id_ in noted]
