"""Everything works over a pooler that lends a connection per transaction, and nothing is left on its connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from app.container import Container, open_container
from app.core.ids import new_id
from app.core.settings import Settings
from app.db.database import Database, PoolSettings
from tests.answers import inconsistent, nothing_under_way
from tests.client import GraphQLClient, client_of
from tests.conftest import an_actor
from tests.conversations import rows, value
from tests.db.kept import KEEP, SETTING, kept_in
from tests.db.poolers import SERVERS, Pooler, a_pooler
from tests.flows import converse, plan, said_in
from tests.runs.conftest import Process

CLIENTS = 16
OURS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@pytest.fixture
async def pooler(dsn: str) -> AsyncIterator[Pooler]:
    async with a_pooler(dsn) as started:
        yield started


@asynccontextmanager
async def process_over(pooler: Pooler, dsn: str) -> AsyncIterator[Container]:
    """A process of the server whose database is behind the pooler."""
    settings = Settings(
        database_url=pooler.address, listen_url=dsn, pooler="transaction", local_words_per_second=0, shutdown_seconds=1,
        connect_timeout_seconds=10, pool_size=CLIENTS,
    )  # fmt: skip
    async with open_container(settings) as container:
        yield container


async def test_sixteen_clients_share_three_connections(pooler: Pooler, dsn: str) -> None:
    async with process_over(pooler, dsn) as container, AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(client_of(container.database, container.services, f"user{number}"))
            for number in range(CLIENTS)
        ]

        await asyncio.gather(*(converse(client, f"c{number}") for number, client in enumerate(clients)))
        process = Process(container.database, dict(container.services))
        assert await plan(process, dsn, an_actor("user0")) == {}

        assert await value(dsn, f"SELECT count(*) {OURS} AND application_name <> 'colloquy-listener'") <= SERVERS
        assert await value(dsn, f"SELECT count(*) {OURS} AND application_name = 'colloquy-listener'") == 1
        await _write_through_restarts(pooler, clients)
        await nothing_under_way(dsn)
        assert await inconsistent(dsn) == []


async def _write_through_restarts(pooler: Pooler, clients: list[GraphQLClient]) -> None:
    """Messages that are sent again until they are stored are there once, while the pooler begins anew."""
    sessions = [await client.create_session() for client in clients]
    turns = [f"turn {turn}" for turn in range(8)]

    async def write(client: GraphQLClient, session: str) -> None:
        for content in turns:
            key = str(new_id())
            while not (payload := await client.say(session, content, clientKey=key))["success"]:
                assert payload["error"]["retryable"], payload

    writing = [asyncio.create_task(write(*pair)) for pair in zip(clients, sessions, strict=True)]
    await pooler.stop()
    await pooler.start()
    await asyncio.gather(*writing)
    assert [await said_in(*pair) for pair in zip(clients, sessions, strict=True)] == [turns] * len(clients)


async def test_nothing_is_left_on_a_connection_for_the_next(pooler: Pooler, dsn: str) -> None:
    async with kept_in(dsn):
        settings = PoolSettings(size=8, statement_timeout_seconds=1.5, pooled=True)
        database = await Database.connect(pooler.address, settings)

        async def use(number: int) -> str | None:
            async with database.unit_of_work() as uow:
                await uow.run(KEEP, id=number)
                inside = await uow.first(SETTING, name="statement_timeout")
            async with database.read() as scope:
                assert await scope.first(SETTING, name="statement_timeout") == "0"
            return inside

        assert await asyncio.gather(*(use(number) for number in range(40))) == ["1500ms"] * 40
        await database.close()
    # The question itself is asked by a statement that has a name.
    kept = "SELECT statement FROM pg_prepared_statements WHERE statement NOT LIKE '%pg_prepared_statements%'"
    assert await rows(pooler.address, kept) == []
