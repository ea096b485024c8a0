"""Queries that a standby serves never miss what was acknowledged before they came, whatever becomes of the standby."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import BigInteger, Boolean, func, literal_column, select
from structlog.testing import capture_logs

from app.core.settings import Settings
from app.db import migrate
from app.db.database import Database, PoolSettings
from app.db.replica import Question, reading_from
from app.db.statement import Query
from tests.answers import ask
from tests.client import GraphQLClient, client_of
from tests.conftest import execute
from tests.conversations import eventually, value
from tests.db.kept import SETTING, kept_in
from tests.db.standbys import Pair, a_pair
from tests.followers import HAPPENING, Kept
from tests.processes import Served, two_servers

ON_STANDBY: Query[bool | None] = Query(bool, select(func.pg_is_in_recovery(type_=Boolean).label("standby")))
MESSAGES = "query ($id: ID!) { session(id: $id) { messages(last: 100) { nodes { content status } } } }"
READ = "FROM chat_messages"
NESTED = """mutation ($input: PersistUserMessageInput!) { persistUserMessage(input: $input) {
    success message { session { messages(last: 5) { nodes { content } } } } } }"""
SLOW_ON_STANDBY: Query[int | None] = Query(int, select(literal_column(
    "amount FROM kept, pg_sleep(CASE WHEN pg_is_in_recovery() THEN 60 ELSE 0 END)", BigInteger
)))  # fmt: skip
SLEEPING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
WRITERS, TURNS = 4, 24
PAUSE, RESUME = "SELECT pg_wal_replay_pause()", "SELECT pg_wal_replay_resume()"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A primary and its standby, with a migrated database to clone."""

    async def migrated() -> None:
        await execute(started.addresses()[0], "CREATE DATABASE migrated")
        await migrate.upgrade(started.addresses("migrated")[0])

    with a_pair(tmp_path_factory.mktemp("pair")) as started:
        asyncio.run(migrated())
        yield started


@pytest.fixture
async def addresses(pair: Pair) -> tuple[str, str]:
    """The address of a migrated database of the test's own, on both servers."""
    name = f"test_{uuid4().hex[:12]}"
    await execute(pair.addresses()[0], f"CREATE DATABASE {name} TEMPLATE migrated")
    return pair.addresses(name)


@asynccontextmanager
async def reading(primary: str, standby: str, **chosen: Any) -> AsyncIterator[Database]:
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
        found = await scope.first(ON_STANDBY)
        return bool(found)


async def contents(client: GraphQLClient, session: str) -> list[str]:
    found = await client.data(MESSAGES, {"id": session})
    return [node["content"] for node in found["session"]["messages"]["nodes"]]


async def test_what_was_written_elsewhere_is_read_at_once(
    pair: Pair, addresses: tuple[str, str], services: Any
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


async def test_only_queries_are_read_from_it(pair: Pair, addresses: tuple[str, str], services: Any) -> None:
    async with reading(*addresses) as database, client_of(database, services, "alice") as client:
        session = await client.create_session()
        asked = pair.read_on_standby(READ)

        said = await client.data(NESTED, {"input": {"sessionId": session, "content": "hello"}})
        event = await client.first_event(HAPPENING, {"sessionId": session, "after": "0"})

        assert said["persistUserMessage"]["message"]["session"]["messages"]["nodes"] == [{"content": "hello"}]
        assert event
        assert pair.read_on_standby(READ) == asked
        async with (await database.for_query()).read() as scope:
            assert await scope.first(SETTING, name="default_transaction_read_only") == "on"


async def test_query_that_the_standby_gives_up_is_answered_by_the_primary(addresses: tuple[str, str]) -> None:
    async with reading(*addresses) as database, kept_in(addresses[0]):
        await execute(addresses[0], "INSERT INTO kept VALUES (1, 7)")
        here = await database.for_query()
        async with here.read() as scope:
            asked = asyncio.create_task(scope.first(SLOW_ON_STANDBY))
            await eventually(lambda: value(addresses[1], SLEEPING), 1)

            await execute(addresses[0], "ALTER TABLE kept ADD COLUMN more integer")

            assert await asked == 7
            # What comes next in the same operation must not be older than this.
            assert not await scope.first(ON_STANDBY)
        assert await on_standby(database)


async def test_server_that_is_no_standby_of_this_one_is_not_used(addresses: tuple[str, str], dsn: str) -> None:
    for other, reason in ((addresses[0], "it is no standby"), (dsn, "it is no copy of DATABASE_URL")):
        database = await Database.connect(addresses[0], PoolSettings(size=2))
        settings = Settings(database_url=addresses[0], database_read_url=other)
        with capture_logs() as told:
            async with reading_from(settings, database):
                await eventually(lambda: _said(told), [f"the replica cannot be used: {reason}"])
                assert await database.for_query() is database
        await database.close()


async def _said(told: list[Any]) -> list[str]:
    return [line["reason"] for line in told if line["event"] == "queries are read from the primary"]


async def test_who_asks_while_a_question_is_under_way_waits_for_the_next() -> None:
    sent, answers = 0, [asyncio.Event() for _ in range(3)]

    async def ask_it() -> int:
        nonlocal sent
        number, sent = sent, sent + 1
        await answers[number].wait()
        return number

    question = Question(ask_it)
    first = [asyncio.create_task(question.answer()) for _ in range(3)]
    await eventually(lambda: _count(sent), 1)
    later = [asyncio.create_task(question.answer()) for _ in range(3)]
    await asyncio.sleep(0)
    for answer in answers:
        answer.set()

    assert await asyncio.gather(*first, *later) == [0, 0, 0, 1, 1, 1]
    await question.close()


async def _count(number: int) -> int:
    return number


@pytest.mark.timeout(180)
async def test_two_processes_never_show_less_than_was_acknowledged(
    tmp_path: Path, pair: Pair, addresses: tuple[str, str]
) -> None:
    environment = {
        "DATABASE_URL": addresses[0], "DATABASE_READ_URL": addresses[1], "COLLOQUY_LOCAL_WORDS_PER_SECOND": "0",
        "COLLOQUY_POOL_SIZE": "5", "COLLOQUY_READ_WAIT_SECONDS": "1",
    }  # fmt: skip
    half = asyncio.Event()
    async with (
        two_servers(tmp_path, **environment) as servers,
        servers[0].client() as first,
        servers[1].client() as second,
    ):
        for server in servers:
            await server.says("queries are read from the replica", times=1)
        asked = pair.read_on_standby(READ)
        crowd = [asyncio.create_task(_write_and_read((first, second), servers, seed, half)) for seed in range(WRITERS)]
        await half.wait()
        assert pair.read_on_standby(READ) > asked
        await asyncio.to_thread(pair.kill_standby)
        await asyncio.gather(*crowd)

        used = [server.said.count("queries are read from the replica") for server in servers]
        assert [server.said.count("queries are read from the primary") for server in servers] == used
        pair.standby.stop()
        pair.standby.start()
        for server, times in zip(servers, used, strict=True):
            await server.says("queries are read from the replica", times + 1)


async def _write_and_read(
    clients: tuple[GraphQLClient, GraphQLClient], servers: tuple[Served, Served], seed: int, half: asyncio.Event
) -> None:
    chance = Random(seed)
    session, written = await clients[0].create_session(), list[str]()
    for turn in range(TURNS):
        here, there = chance.sample((0, 1), 2)
        if turn % 8 == 0:
            asked = await ask(clients[here], f"answered {turn}", sessionId=session)
            await Kept(asked.run_id).follow(await servers[here].address())
            written += [f"answered {turn}"] * 2
        else:
            assert (await clients[here].say(session, f"turn {turn}"))["success"]
            written.append(f"turn {turn}")
        assert await contents(clients[there], session) == written
        if turn == TURNS // 2:
            half.set()
