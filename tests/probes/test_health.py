"""Whether a process is ready: each thing that it takes is told by its name, and nothing of where it is."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from app.db import migrate
from app.db.listening import Listener
from app.jobs.worker import JobWorker
from tests.client import GraphQLClient, client_of
from tests.conftest import execute
from tests.graph.wire import until
from tests.runs.conftest import Process, a_process

ALL_WELL = {"status": "ready", "database": "ok", "migrations": "ok", "listener": "ok", "queue": "ok"}


@dataclass(frozen=True, slots=True)
class Watched:
    """A process with its background, and who asks it."""

    process: Process
    client: GraphQLClient

    async def readiness(self) -> tuple[int, object]:
        """Status and answer."""
        found = await self.client.http.get("/health/ready")
        return found.status_code, found.json()


@pytest.fixture
async def watched(dsn: str) -> AsyncIterator[Watched]:
    """A process that listens by now."""
    async with a_process(dsn) as process, client_of(process.database, process.services, "alice") as client:
        listener: Listener = process.services[Listener]
        await until(lambda: listener.connected)
        yield Watched(process, client)


async def test_what_is_missing_is_named(watched: Watched) -> None:
    listener: Listener = watched.process.services[Listener]
    worker: JobWorker = watched.process.services[JobWorker]
    assert await watched.readiness() == (200, ALL_WELL)

    await listener.close()
    assert await watched.readiness() == (503, {**ALL_WELL, "status": "not ready", "listener": "not connected"})
    await listener.start()
    await until(lambda: listener.connected)
    assert await watched.readiness() == (200, ALL_WELL)

    await worker.stop(1)
    assert await watched.readiness() == (503, {**ALL_WELL, "status": "not ready", "queue": "not working"})


async def test_a_database_behind_is_not_ready_and_one_ahead_is(watched: Watched, dsn: str) -> None:
    for change in ("UPDATE alembic_version SET version_num = '20261101_none'", "DELETE FROM alembic_version"):
        await execute(dsn, change)
        ahead = "UPDATE" in change
        async with client_of(watched.process.database, watched.process.services, "alice") as fresh:
            found = await fresh.http.get("/health/ready")
        assert (found.status_code, found.json()["migrations"]) == ((200, "ok") if ahead else (503, "behind"))
    oldest = min(migrate.known() - {migrate.head()})
    await execute(dsn, f"INSERT INTO alembic_version VALUES ('{oldest}')")
    async with client_of(watched.process.database, watched.process.services, "alice") as fresh:
        assert (await fresh.http.get("/health/ready")).json() == {
            **ALL_WELL, "status": "not ready", "migrations": "behind",
        }  # fmt: skip
