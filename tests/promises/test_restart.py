"""What was acknowledged outlives every end of the server, and a server that is asked to end does so in order."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest

from app.db import migrate
from app.db.embedded import EmbeddedPostgres
from tests.client import GraphQLClient
from tests.conversations import rows
from tests.db.clusters import end_processes, postmasters, processes_in
from tests.processes import serving

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")

MESSAGES = """query ($id: ID!) { session(id: $id) { title messages(first: 100) {
    edges { node { id sequenceNumber content } } } } }"""

OURS = "FROM pg_stat_activity WHERE datname = current_database() AND application_name ~ '^colloquy( |$)'"


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Path]:
    """An empty data folder; whatever still runs in it is ended afterwards."""
    yield tmp_path / "data"
    await asyncio.to_thread(end_processes, tmp_path / "data" / "postgres")


async def stored(client: GraphQLClient, session_id: str) -> list[tuple[int, str]]:
    """Number and content of each message, in order."""
    found = (await client.data(MESSAGES, {"id": session_id}))["session"]["messages"]["edges"]
    return [(edge["node"]["sequenceNumber"], edge["node"]["content"]) for edge in found]


async def test_two_servers_started_at_once_on_an_empty_folder_share_one_database(folder: Path) -> None:
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(serving(folder)) for _ in range(2)]
        first, second = [await stack.enter_async_context(served.client()) for served in servers]

        session_id = await first.create_session(title="Shared")
        said = await asyncio.gather(*(client.say(session_id) for client in (first, second) * 3))

        assert sorted(answer["message"]["sequenceNumber"] for answer in said) == [1, 2, 3, 4, 5, 6]
        assert len(postmasters(folder / "postgres")) == 1
        assert sum(served.said.count(f"applied {migrate.head()}") for served in servers) == 1

        # The first to leave leaves the database to the other.
        assert await servers[0].stop() == 0
        assert len(await stored(second, session_id)) == 6
        assert await servers[1].stop() == 0
    assert processes_in(folder / "postgres") == {}


async def test_kill_while_clients_write_loses_nothing_acknowledged(folder: Path) -> None:
    acknowledged: dict[int, str] = {}
    enough = asyncio.Event()
    async with serving(folder) as served, served.client() as client:
        session_id = await client.create_session(title="Killed")
        writers = [asyncio.create_task(_write(client, session_id, name, acknowledged, enough)) for name in "abcdef"]
        await asyncio.wait_for(enough.wait(), 60)
        [postmaster] = postmasters(folder / "postgres")

        await served.kill()
        await asyncio.gather(*writers)

    async with serving(folder) as served, served.client() as client:
        found = await stored(client, session_id)
        assert postmasters(folder / "postgres") == [postmaster]
        await client.say(session_id, "after the kill")
        assert (await stored(client, session_id))[-1] == (len(found) + 1, "after the kill")
        assert await served.stop() == 0

    assert [number for number, _ in found] == list(range(1, len(found) + 1))
    assert acknowledged.items() <= dict(found).items()
    # At most one message of each writer was stored without its answer having come.
    assert len(found) - len(acknowledged) <= 6
    assert processes_in(folder / "postgres") == {}


async def _write(
    client: GraphQLClient, session_id: str, name: str, acknowledged: dict[int, str], enough: asyncio.Event
) -> None:
    """Say one thing after the other until nobody answers, and note what was acknowledged; `enough` from 40 on."""
    for turn in range(15):
        content = f"{name}{turn}"
        try:
            payload = await client.say(session_id, content)
        except httpx2.TransportError:
            return
        acknowledged[payload["message"]["sequenceNumber"]] = content
        if len(acknowledged) == 40:
            enough.set()


async def test_restart_loses_nothing_and_goes_on_numbering(folder: Path) -> None:
    async with serving(folder) as served, served.client() as client:
        session_id = await client.create_session(title="Kept")
        await client.say(session_id, "one", clientKey="first")
        await client.reply(session_id, "two")
        assert await served.stop() == 0
    assert processes_in(folder / "postgres") == {}

    async with serving(folder, "--workers", 2) as served, served.client() as client:
        again = await client.say(session_id, "one", clientKey="first")
        await client.say(session_id, "three")

        assert again["deduplicated"] is True
        assert await stored(client, session_id) == [(1, "one"), (2, "two"), (3, "three")]
        assert "applied " not in served.said
        await served.says("Application startup complete", times=2)
        assert len(postmasters(folder / "postgres")) == 1
        assert await served.stop() == 0
    assert processes_in(folder / "postgres") == {}


@asynccontextmanager
async def held_up(dsn: str, client: GraphQLClient) -> AsyncIterator[tuple[Any, asyncio.Task[Any]]]:
    """A request that waits in the database for a session that another connection holds; committing lets it go on."""
    session_id = await client.create_session(title="Busy")
    blocker = await asyncpg.connect(dsn)
    try:
        await blocker.execute("BEGIN; SELECT 1 FROM chat_sessions FOR UPDATE")
        request = asyncio.create_task(client.say(session_id, "in flight"))
        while not await rows(dsn, f"SELECT 1 {OURS} AND wait_event_type = 'Lock'"):
            assert not request.done()
        yield blocker, request
    finally:
        await blocker.close()


async def refuses_connections(address: str) -> None:
    """Return when nobody listens there any more."""
    host, _, port = address.removeprefix("http://").rpartition(":")
    while True:
        try:
            _, writer = await asyncio.open_connection(host, int(port))
        except OSError:
            return
        writer.close()
        await asyncio.sleep(0.01)


async def test_request_in_flight_is_finished_before_the_server_ends(tmp_path: Path, dsn: str) -> None:
    async with serving(tmp_path, DATABASE_URL=dsn) as served, served.client() as client:
        async with held_up(dsn, client) as (blocker, request):
            served.process.send_signal(signal.SIGTERM)
            await refuses_connections(str(client.http.base_url).rstrip("/"))
            assert not request.done()

            await blocker.execute("COMMIT")
            answer = await request

        assert answer["success"] is True
        assert await served.ended() == 0
    assert await rows(dsn, f"SELECT pid {OURS}") == []
    assert [row["content"] for row in await rows(dsn, "SELECT content FROM chat_messages")] == ["in flight"]
    assert not (tmp_path / "postgres").exists()


async def test_request_that_outlives_the_patience_is_cancelled_and_stores_nothing(tmp_path: Path, dsn: str) -> None:
    async with (
        serving(tmp_path, DATABASE_URL=dsn, COLLOQUY_SHUTDOWN_SECONDS="0.5") as served,
        served.client() as client,
    ):
        async with held_up(dsn, client) as (blocker, request):
            assert await served.stop() == 0
            failed = (await asyncio.gather(request, return_exceptions=True))[0]
            await blocker.execute("COMMIT")

        assert isinstance(failed, Exception)
    assert await rows(dsn, f"SELECT pid {OURS}") == []
    assert await rows(dsn, "SELECT content FROM chat_messages") == []


async def test_server_ended_while_it_starts_leaves_no_database_behind(folder: Path) -> None:
    async with serving(folder) as served:
        while not postmasters(folder / "postgres"):
            assert served.process.returncode is None
            await asyncio.sleep(0.01)

        assert await served.stop() == 0
    assert processes_in(folder / "postgres") == {}
    server = EmbeddedPostgres(folder / "postgres")
    await asyncio.to_thread(server.start)
    assert await asyncio.to_thread(server.stop)
