"""Queries that a standby serves never miss what was acknowledged before they came, whatever becomes of the standby."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random
from uuid import uuid4

import pytest
from sqlalchemy import Boolean, func, select

from app.core.settings import Settings
from app.db import migrate
from app.db.database import Database, PoolSettings
from app.db.replica import Replica, reading_from
from app.db.statement import Query
from tests.answers import ask
from tests.client import GraphQLClient, client_of
from tests.conftest import execute
from tests.conversations import eventually, rows, value
from tests.db.standbys import Pair, a_pair
from tests.followers import Kept
from tests.processes import two_servers

ON_STANDBY = Query(bool, select(func.pg_is_in_recovery(type_=Boolean).label("standby")))
MESSAGES = "query ($id: ID!) { session(id: $id) { messages(last: 100) { nodes { content status } } } }"
READ = "FROM chat_messages"
PAUSE, RESUME = "SELECT pg_wal_replay_pause()", "SELECT pg_wal_replay_resume()"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with a_pair(tmp_path_factory.mktemp("pair")) as started:
        yield started


@pytest.fixture
async def addresses(pair: Pair) -> AsyncIterator[tuple[str, str]]:
    """A migrated database of the test's own, on both servers."""
    name = f"test_{uuid4().hex[:12]}"
    await execute(pair.addresses()[0], f"CREATE DATABASE {name}")
    primary, standby = pair.addresses(name)
    await migrate.upgrade(primary)
    yield primary, standby


@asynccontextmanager
async def reading(primary: str, standby: str, **chosen: object) -> AsyncIterator[Database]:
    """A database as a process of a server has it, once its queries are read from the standby."""
    settings = Settings(database_url=primary, database_read_url=standby, **chosen)
    database = await Database.connect(primary, PoolSettings(size=4))
    try:
        async with reading_from(settings, database):
            await eventually(lambda: on_standby(database), True)
            yield database
    finally:
        await database.close()


async def on_standby(database: Database) -> bool:
    """Whether a query that comes now is read from the standby."""
    async with (await database.for_query()).read() as scope:
        return bool(await scope.first(ON_STANDBY))


async def contents(client: GraphQLClient, session: str) -> list[str]:
    found = await client.data(MESSAGES, {"id": session})
    return [node["content"] for node in found["session"]["messages"]["nodes"]]


async def test_what_was_written_elsewhere_is_read_at_once(
    pair: Pair, addresses: tuple[str, str], services: object
) -> None:
    async with AsyncExitStack() as stack:
        writing, asking = [await stack.enter_async_context(reading(*addresses)) for _ in range(2)]
        [writer, reader] = [
            await stack.enter_async_context(client_of(database, services, "alice")) for database in (writing, asking)
        ]
        session = await writer.create_session()
        await writer.say(session, "before")
        await eventually(lambda: contents(reader, session), ["before"])

        await execute(addresses[1], PAUSE)
        asked = pair.read_on_standby(READ)
        await writer.say(session, "while it stands still")

        assert await contents(reader, session) == ["before", "while it stands still"]
        assert pair.read_on_standby(READ) == asked
        assert not await on_standby(asking)
        await execute(addresses[1], RESUME)
        await eventually(lambda: on_standby(asking), True)
        assert await contents(reader, session) == ["before", "while it stands still"]
        assert pair.read_on_standby(READ) > asked
        assert pair.read_on_standby("INSERT INTO chat_messages") == 0
