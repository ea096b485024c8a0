"""Real PostgreSQL for every test: an embedded cluster per run, a database per test, cloned from a migrated template."""

import logging
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from app.attachments.pipeline import AttachmentPipeline
from app.container import build_services
from app.core.actor import Actor, CorrelationId, TenantId, UserId
from app.core.logging import configure_loggers
from app.core.settings import Settings
from app.db import migrate
from app.db.database import Database, PoolSettings
from app.db.embedded import EmbeddedPostgres
from app.identity.service import local_actor
from app.messages.pipeline import MessagePipeline
from tests.client import OPEN, Door, GraphQLClient, client_of
from tests.fakes import StatementRecorder
from tests.leaks import WATCH, Leak

REAL_DATA = Path(__file__).parents[2] / "shared" / "data"
"""Real conversations beside the project; a clone without them runs and passes."""

WALKS = tuple(Path(__file__).parent / folder for folder in ("promises", "graph/executor", "docs", "console"))

MEMORY = Path("/dev/shm")
"""Where Linux keeps files in memory."""

ROOM_BYTES = 4 * 1024**3
"""A run takes a few hundred MB; containers that have no more than 64 MB there stay on their disk."""


def pytest_configure() -> None:
    """Have lines of the log looked at, and the cluster in memory."""
    _use_memory()
    configure_loggers()
    root = logging.getLogger()
    root.addHandler(WATCH)
    root.setLevel(logging.INFO)


@pytest.fixture(autouse=True)
def no_secret_is_logged() -> Iterator[None]:
    """Fail the test that had a secret, or a text which its client sent, written into the log."""
    WATCH.forget()
    yield
    found = WATCH.found()
    if found is not None:
        raise Leak(found)


@pytest.fixture
def lines() -> list[str]:
    """The lines of the test's own process that were logged so far, as JSON."""
    return WATCH.lines


def _use_memory() -> None:
    """Put the folders of tests, and with them the cluster, into memory where there is room and nobody chose a place.

    A database per test is 500 files of 10 MB in all, made and deleted thousands of times: on a disk that is a third of
    a run's CPU. No test ends the machine, so none asks what of its files had reached a disk.
    """
    chosen = {"PYTEST_DEBUG_TEMPROOT", "TMPDIR"} & os.environ.keys()
    if not chosen and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM_BYTES:
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(MEMORY)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that have a time limit of their own, the longest: nothing is waited for at the end.

    Whoever measures coverage leaves the walks out (promises, the comparison of executors, the pages, the console): they
    go over what rooms' tests cover thousands of times, and would take half as long again.
    """
    items.sort(key=lambda item: item.get_closest_marker("timeout") is None)
    for item in items:
        if not set(WALKS).isdisjoint(item.path.parents):
            item.add_marker("no_cover")


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[str]:
    """The address of a cluster that all workers of the run share; the last one out stops it."""
    base = tmp_path_factory.getbasetemp()
    root = base if worker_id == "master" else base.parent
    # What a crash of the machine would lose, a test run does not need.
    server = EmbeddedPostgres(
        root / "postgres",
        settings={
            "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "300",
            "max_wal_size": "256MB",
        },
    )  # fmt: skip
    yield server.start()
    if server.stop():
        shutil.rmtree(root / "postgres" / "data", ignore_errors=True)


def address_of(cluster: str, database: str) -> str:
    """The address of another database of the same cluster."""
    return cluster.replace("/postgres?", f"/{database}?")


async def execute(dsn: str, statement: str) -> None:
    """Run a statement on a connection of its own."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def template(cluster: str) -> str:
    """The name of a migrated, empty database to clone."""
    import asyncio

    name = f"template_{uuid4().hex[:8]}"

    async def make() -> None:
        await execute(cluster, f"CREATE DATABASE {name}")
        await migrate.upgrade(address_of(cluster, name))

    asyncio.run(make())
    return name


@pytest.fixture
async def empty_dsn(cluster: str) -> AsyncIterator[str]:
    """The address of a database of the test's own without any table."""
    name = f"empty_{uuid4().hex[:12]}"
    await execute(cluster, f"CREATE DATABASE {name}")
    yield address_of(cluster, name)
    await execute(cluster, f"DROP DATABASE {name} WITH (FORCE)")


async def copied(cluster: str, template: str, prefix: str) -> str:
    """The name of a new database with all that another one holds, to which nobody may be connected."""
    name = f"{prefix}_{uuid4().hex[:12]}"
    await execute(cluster, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    return name


@asynccontextmanager
async def cloned(cluster: str, template: str) -> AsyncIterator[str]:
    """The address of a copy of a database that lives as long as the block."""
    name = await copied(cluster, template, "test")
    yield address_of(cluster, name)
    await execute(cluster, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def dsn(cluster: str, template: str) -> AsyncIterator[str]:
    """The address of a migrated, empty database of the test's own."""
    async with cloned(cluster, template) as address:
        yield address


@pytest.fixture
def statements() -> StatementRecorder:
    """Every statement that the test's database was sent."""
    return StatementRecorder()


@pytest.fixture
async def database(dsn: str, statements: StatementRecorder) -> AsyncIterator[Database]:
    """The test's own database."""
    # What a crowd is refused after is a test's own: here a busy machine is waited for.
    opened = await Database.connect(dsn, PoolSettings(connect_timeout_seconds=20), statements)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def built() -> Any:
    """What the container builds, once for the whole run."""
    return build_services(Settings())


@pytest.fixture
def services(built: Any) -> Any:
    """The same; what has a state, a queue, is the test's own."""
    return {**built, AttachmentPipeline: AttachmentPipeline()}


@pytest.fixture(scope="session")
def pipeline(built: Any) -> MessagePipeline:
    """The message pipeline with its real collaborators."""
    found = built[MessagePipeline]
    assert isinstance(found, MessagePipeline)
    return found


@pytest.fixture
def actor() -> Actor:
    """A user without special rights."""
    return an_actor("alice")


def an_actor(user: str, tenant: str = "default") -> Actor:
    """A user of a tenant; `system` is an admin."""
    return local_actor(UserId(user), TenantId(tenant), CorrelationId(str(uuid4())))


@pytest.fixture
async def client(database: Database, services: Any) -> AsyncIterator[GraphQLClient]:
    """The whole application over the test's database, asked over HTTP as `alice`."""
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(client_of(database, services, "alice"))


@pytest.fixture
def door() -> Door:
    """How the clients of a test come in."""
    return OPEN


@pytest.fixture
async def client_as(database: Database, services: Any, door: Door) -> AsyncIterator[Callable[[str], Any]]:
    """Makes clients of the same application for other users: `bob`, `carol@acme`, `system` (an admin)."""
    async with AsyncExitStack() as stack:

        async def make(user: str) -> GraphQLClient:
            return await stack.enter_async_context(client_of(database, services, user, door))

        yield make


@pytest.fixture
def real_data() -> Path:
    """The folder of real conversations; the test is skipped where it is absent."""
    if not REAL_DATA.is_dir():
        pytest.skip("no real conversations beside the project")
    return REAL_DATA
