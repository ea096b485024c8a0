"""A server that is told to stop while subscriptions run, as a process of its own."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx2
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.forked import REPOSITORY
from tests.processes import serving

PATIENCE = {"query": "subscription { patience }"}


@asynccontextmanager
async def _small_app() -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.graph.small_app", cwd=REPOSITORY, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process, await asyncio.wait_for(_address(process), 60)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    async for line in process.stderr:
        if (found := re.search(rb"running on http://([\w.]+:\d+)", line)) is not None:
            return found[1].decode()
    raise AssertionError("it did not start")


@asynccontextmanager
async def _socket(host: str) -> AsyncIterator[ClientConnection]:
    async with connect(f"ws://{host}/graphql", subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
        await socket.send('{"type": "connection_init"}')
        assert orjson.loads(await socket.recv()) == {"type": "connection_ack"}
        yield socket


async def _close_code(socket: ClientConnection) -> int | None:
    with suppress(ConnectionClosed):
        while True:
            await asyncio.wait_for(socket.recv(), 60)
    return socket.close_code


async def test_open_subscriptions_do_not_keep_the_process() -> None:
    async with (
        _small_app() as (process, host),
        _socket(host) as socket,
        httpx2.AsyncClient(base_url=f"http://{host}", timeout=60) as http,
        http.stream("POST", "/graphql", json=PATIENCE, headers={"Accept": "text/event-stream"}) as events,
    ):
        await socket.send(orjson.dumps({"id": "a", "type": "subscribe", "payload": PATIENCE}).decode())
        assert orjson.loads(await socket.recv())["type"] == "next"

        process.terminate()

        body = b"".join([chunk async for chunk in events.aiter_raw()])
        assert b"event: next" in body
        assert b"complete" not in body
        assert await _close_code(socket) == 1012
        await asyncio.wait_for(process.communicate(), 60)


async def test_the_server_says_that_it_restarts_and_ends(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        host = (await served.address()).removeprefix("http://")
        async with _socket(host) as socket:
            code, closed = await asyncio.gather(served.stop(), _close_code(socket))

    assert (code, closed) == (0, 1012)
