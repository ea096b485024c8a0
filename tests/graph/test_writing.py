"""Answers on the socket: the head with the body, in whatever way they are sent."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import connect

from app.graph.writing import WrittenAtOnce
from tests.graph.wire import PATIENCE_SECONDS, until

PART = b"p" * 65_536
PARTS = 400
"""Together more than the buffers of a connection on one machine take."""


@dataclass
class Doings:
    """What the application and the connections below it have done."""

    writes: list[int] = field(default_factory=list)
    """How many pieces each write had."""
    parts: int = 0
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    begun: asyncio.Event = field(default_factory=asyncio.Event)


class Counted(asyncio.Transport):
    """A connection whose writes are counted."""

    def __init__(self, connection: asyncio.Transport, doings: Doings) -> None:
        super().__init__()
        self._connection = connection
        self._doings = doings

    def write(self, data: Any) -> None:
        if data:
            self._doings.writes.append(1)
        self._connection.write(data)

    def writelines(self, list_of_data: Any) -> None:
        self._doings.writes.append(len(list_of_data))
        self._connection.writelines(list_of_data)

    def __getattribute__(self, name: str) -> Any:
        own = name in ("write", "writelines") or name.startswith("_")
        return object.__getattribute__(self, name) if own else getattr(self._connection, name)


class Application:
    """Answers in the way that the path names."""

    def __init__(self, doings: Doings) -> None:
        self._doings = doings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await _echo(receive, send)
            return
        await getattr(self, scope["path"].strip("/"))(scope, receive, send)

    async def small(self, scope: Scope, _receive: Receive, send: Send) -> None:
        query: bytes = scope["query_string"]
        await _start(send, len(query))
        await send({"type": "http.response.body", "body": query})

    async def empty(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def echo(self, _scope: Scope, receive: Receive, send: Send) -> None:
        taken = await receive()
        await _start(send, len(taken["body"]))
        await send({"type": "http.response.body", "body": taken["body"]})

    async def stream(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await _start(send)
        for part in (b"one", b"two"):
            await self._doings.go_on.wait()
            self._doings.go_on.clear()
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def large(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await _start(send, PARTS * len(PART))
        for left in range(PARTS - 1, -1, -1):
            await send({"type": "http.response.body", "body": PART, "more_body": left > 0})
            self._doings.parts += 1

    async def fails(self, _scope: Scope, _receive: Receive, _send: Send) -> None:
        raise ValueError("before the head")

    async def breaks(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await _start(send, 5)
        raise ValueError("after the head")

    async def left(self, _scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        self._doings.begun.set()
        while (await receive())["type"] != "http.disconnect":
            pass
        await _start(send, 5)
        await send({"type": "http.response.body", "body": b"never"})
        self._doings.go_on.set()


async def _start(send: Send, size: int | None = None) -> None:
    headers = [] if size is None else [(b"content-length", str(size).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def _echo(receive: Receive, send: Send) -> None:
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})


@pytest.fixture
def doings() -> Doings:
    """Of one test."""
    return Doings()


@pytest.fixture
async def address(doings: Doings) -> AsyncIterator[tuple[str, int]]:
    """A server of the application."""

    class Watched(WrittenAtOnce):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(Counted(transport, doings))

    config = uvicorn.Config(
        Application(doings), http=Watched, ws="websockets-sansio", lifespan="off", log_config=None, server_header=False,
        date_header=False, timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await until(lambda: server.started)
        yield listener.getsockname()
        server.should_exit = True
        await asyncio.wait_for(serving, PATIENCE_SECONDS)


class Client:
    """A raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def ask(self, path: str, method: str = "GET", *headers: str, body: bytes = b"", version: str = "1.1") -> None:
        head = "\r\n".join([f"{method} {path} HTTP/{version}", "host: here", *headers, "", ""])
        self._writer.write(head.encode() + body)

    async def hear(self, *ends: bytes) -> bytes:
        """What comes up to and with each of these, one after the other; without any, all until it is closed."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            if not ends:
                return await self._reader.read()
            return b"".join([await self._reader.readuntil(end) for end in ends])

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    def leave(self) -> None:
        self._writer.transport.abort()


@asynccontextmanager
async def connected(address: tuple[str, int]) -> AsyncIterator[Client]:
    """A connection to the server."""
    reader, writer = await asyncio.open_connection(*address)
    try:
        yield Client(reader, writer)
    finally:
        writer.transport.abort()


def answer(body: bytes) -> bytes:
    """As it stands on the wire."""
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


async def test_an_answer_is_one_write_each_time(address: tuple[str, int], doings: Doings) -> None:
    async with connected(address) as client:
        for text in ("first", "second", "third"):
            client.ask(f"/small?{text}")
            assert await client.hear(text.encode()) == answer(text.encode())

    assert doings.writes == [2, 2, 2]


async def test_requests_sent_together_are_answered_in_their_order(address: tuple[str, int], doings: Doings) -> None:
    async with connected(address) as client:
        for text in ("a1", "b22", "c333"):
            client.ask(f"/small?{text}")

        heard = await client.hear(b"c333")

    assert heard == answer(b"a1") + answer(b"b22") + answer(b"c333")
    assert doings.writes == [2, 2, 2]


async def test_the_head_of_a_stream_does_not_wait_for_its_body(address: tuple[str, int], doings: Doings) -> None:
    async with connected(address) as client:
        client.ask("/stream")

        assert await client.hear(b"\r\n\r\n") == b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        for part in (b"one", b"two"):
            doings.go_on.set()
            assert await client.hear(part + b"\r\n") == b"3\r\n" + part + b"\r\n"
        assert await client.hear(b"0\r\n\r\n") == b"0\r\n\r\n"
        client.ask("/small?again")
        assert await client.hear(b"again") == answer(b"again")

    assert doings.writes == [1, 1, 1, 1, 2]


async def test_a_head_without_a_body_is_sent(address: tuple[str, int]) -> None:
    async with connected(address) as client:
        client.ask("/small?text", "HEAD")
        assert await client.hear(b"\r\n\r\n") == b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"
        client.ask("/empty")
        assert await client.hear(b"\r\n\r\n") == b"HTTP/1.1 204 No Content\r\n\r\n"


async def test_a_body_is_asked_for(address: tuple[str, int]) -> None:
    async with connected(address) as client:
        client.ask("/echo", "POST", "content-length: 4", "expect: 100-continue")
        assert await client.hear(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.send(b"body")
        assert await client.hear(b"body") == answer(b"body")


@pytest.mark.parametrize(("version", "headers"), [("1.1", ["connection: close"]), ("1.0", [])])
async def test_a_last_answer_is_whole(address: tuple[str, int], version: str, headers: list[str]) -> None:
    async with connected(address) as client:
        client.ask("/small?text", "GET", *headers, version=version)

        heard = await client.hear()

    assert heard == b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\ntext"


async def test_what_fails_is_told_or_cut(address: tuple[str, int]) -> None:
    async with connected(address) as client:
        client.ask("/fails")
        heard = await client.hear()
        assert heard.startswith(b"HTTP/1.1 500 ")
        assert heard.endswith(b"\r\n\r\nInternal Server Error")
    async with connected(address) as client:
        client.ask("/breaks")
        assert await client.hear() == answer(b"     ").rstrip(b" ")
    async with connected(address) as client:
        client.send(b"no request\r\n\r\n")
        assert (await client.hear()).startswith(b"HTTP/1.1 400 ")


async def test_a_client_that_does_not_read_holds_up_what_is_sent(address: tuple[str, int], doings: Doings) -> None:
    async with connected(address) as client:
        client.ask("/large")
        await until(lambda: doings.parts > 0)
        await asyncio.sleep(0.2)
        held_up = doings.parts

        heard = await client.hear(b"\r\n\r\n")
        async with asyncio.timeout(PATIENCE_SECONDS):
            body = await client._reader.readexactly(PARTS * len(PART))

    assert held_up < PARTS
    assert heard.startswith(b"HTTP/1.1 200 ")
    assert body == PART * PARTS


async def test_nothing_is_written_to_a_client_that_has_left(
    address: tuple[str, int], doings: Doings, caplog: pytest.LogCaptureFixture
) -> None:
    async with connected(address) as client:
        client.ask("/left", "POST", "content-length: 0")
        await doings.begun.wait()
        client.leave()
        await asyncio.wait_for(doings.go_on.wait(), PATIENCE_SECONDS)
    await asyncio.sleep(0)

    assert doings.writes == []
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_socket_has_the_connection_itself(address: tuple[str, int], doings: Doings) -> None:
    host, port = address
    async with connect(f"ws://{host}:{port}/", compression=None) as connection:
        for text in ("one", "x" * 100_000):
            await connection.send(text)
            assert await connection.recv() == text

    assert set(doings.writes) == {1}
