"""Ten thousand requests that are broken in all ways: each is answered, none by a fault, and none leaves anything."""

import asyncio
import gc
import random
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
from starlette.types import ASGIApp, Message
from structlog.testing import capture_logs
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from app.asgi import create_app
from app.core.errors import ErrorCode
from app.core.settings import Settings
from tests.client import GraphQLClient
from tests.conversations import PATIENCE_SECONDS
from tests.listening import listening
from tests.promises.broken import Broken, broken, flipped, good_operations
from tests.worlds import Conversation

SEED = 20_261_121
REQUESTS = 10_000
BATCH = 500
"""After so many the log is looked at and given up, for it grows as nothing else may."""

SILENT_SECONDS = 0.3
"""A stream that has told nothing for so long is left: the request was in order, and nothing happens."""

MOST_GROWTH = 1.2
"""Of the blocks of memory in use between the end of the first third and that of the last. They go up and down by a
twentieth; what is kept of each request would add some tenths for each."""

OVER_SOCKETS = 400
AS_JSON = {"Content-Type": "application/json"}
CLOSED_BY_THE_PROTOCOL = range(4400, 4500)


@pytest.mark.timeout(300)
async def test_broken_requests_are_answered_and_leave_nothing(client: GraphQLClient, talk: Conversation) -> None:
    app = create_app(Settings(data_dir=Path("unused")))
    app.state.container = client.container
    asked = broken(good_operations(talk.ids), SEED, REQUESTS)
    in_use: list[int] = []

    for _ in range(REQUESTS // BATCH):
        with no_fault_in_the_log():
            for _ in range(BATCH):
                request = next(asked)
                status, media_type, body = await answered(app, request)
                assert_in_order(status, media_type, body, request)
        gc.collect()
        in_use.append(sys.getallocatedblocks())

    assert in_use[-1] < MOST_GROWTH * in_use[len(in_use) // 3], in_use


async def test_broken_requests_over_a_real_connection_are_answered(dsn: str, talk: Conversation) -> None:
    asked = list(broken(good_operations(talk.ids), SEED + 1, OVER_SOCKETS))

    with no_fault_in_the_log():
        async with listening(dsn) as address, httpx2.AsyncClient(base_url=address, timeout=PATIENCE_SECONDS) as http:
            for request in asked:
                response = await http.post("/graphql", content=request.body, headers=AS_JSON)
                media_type = response.headers["content-type"]
                assert_in_order(response.status_code, media_type, response.content, request)
            codes = await told_over_sockets(address, [request.body for request in asked])

    assert {*codes} <= {*CLOSED_BY_THE_PROTOCOL} - {4500}, codes


@contextmanager
def no_fault_in_the_log() -> Iterator[None]:
    """Whatever happens inside, the server logs no error."""
    with capture_logs() as lines:
        yield
    assert [line for line in lines if line["log_level"] in ("error", "critical")] == []


def assert_in_order(status: int, media_type: str, body: bytes, request: Broken) -> None:
    """The answer is one of GraphQL, and each of its errors has a code that is not a fault of the server."""
    assert status < 500, (request, body)
    for answer in answers_in(media_type, body):
        assert answer.keys() & {"data", "errors"}, (request, answer)
        assert ErrorCode.INTERNAL_SERVER_ERROR not in codes_of(answer), (request, answer)


def codes_of(answer: dict[str, Any]) -> list[ErrorCode]:
    """The codes of all errors in an answer, in payloads too, where they are selected."""
    payloads = [payload for payload in (answer.get("data") or {}).values() if isinstance(payload, dict)]
    told = [payload["error"] for payload in payloads if isinstance(payload.get("error"), dict)]
    return [
        *(ErrorCode(error["extensions"]["code"]) for error in answer.get("errors", [])),
        *(ErrorCode(error["code"]) for error in told if "code" in error),
    ]


def answers_in(media_type: str, body: bytes) -> list[dict[str, Any]]:
    """All answers in a body: one in JSON, any number in a stream."""
    kind = media_type.partition(";")[0].strip()
    if kind == "text/event-stream":
        return [orjson.loads(line[6:]) for line in body.split(b"\n") if line.startswith(b"data: ")]
    if kind == "multipart/mixed":
        parts = [part.partition(b"\r\n\r\n")[2] for part in body.split(b"\r\n--graphql")]
        return [told["payload"] for told in map(orjson.loads, filter(None, parts)) if told]
    assert kind.endswith("json"), (media_type, body)
    found: dict[str, Any] = orjson.loads(body)
    return [found]


async def answered(app: ASGIApp, request: Broken) -> tuple[int, str, bytes]:
    """Status, media type and body of what the application answers; streams are left at their first answer."""
    told: list[Message] = []
    left = asyncio.Event()
    pieces = [request.body]

    async def receive() -> Message:
        if pieces:
            return {"type": "http.request", "body": pieces.pop(), "more_body": False}
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        told.append(message)
        if b"data: " in message.get("body", b"") or b'"payload"' in message.get("body", b""):
            left.set()

    leaving = asyncio.get_running_loop().call_later(SILENT_SECONDS, left.set)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await app(scope_of(request), receive, send)
    finally:
        leaving.cancel()
    start, *rest = told
    body = b"".join(message["body"] for message in rest)
    return start["status"], dict(start["headers"])[b"content-type"].decode(), body


def scope_of(request: Broken) -> dict[str, Any]:
    """As a server hands it to the application."""
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "root_path": "",
        "method": request.method, "path": "/graphql", "raw_path": b"/graphql", "query_string": request.query_string,
        "headers": [(b"host", b"127.0.0.1"), *request.headers], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
    }  # fmt: skip


async def told_over_sockets(address: str, bodies: list[bytes]) -> list[int]:
    """The codes with which sockets were closed, over which these were asked for, some as messages that are broken."""
    dice, codes, waiting = random.Random(SEED), [], bodies[::-1]
    while waiting:
        async with connected(address) as socket:
            try:
                while waiting:
                    await ask_over(socket, len(waiting), waiting.pop(), dice)
            except ConnectionClosed:
                assert socket.close_code is not None
                codes.append(socket.close_code)
    return codes


async def ask_over(socket: ClientConnection, number: int, body: bytes, dice: random.Random) -> None:
    """Ask for an operation, and hear until the server has taken the message; ConnectionClosed where it could not."""
    message = b'{"id": "%d", "type": "subscribe", "payload": %b}' % (number, body or b"null")
    broken_too = flipped(message, dice) if dice.random() < 0.2 else message
    await socket.send(broken_too.decode(errors="replace"))
    await socket.send(orjson.dumps({"type": "ping", "payload": {"after": number}}).decode())
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (heard := orjson.loads(await socket.recv())) != {"type": "pong", "payload": {"after": number}}:
            payload = heard.get("payload")
            answer = {"errors": payload} if heard["type"] == "error" else payload or {}
            assert ErrorCode.INTERNAL_SERVER_ERROR not in codes_of(answer), (body, heard)


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[ClientConnection]:
    """A socket whose client is acknowledged."""
    url = f"{address.replace('http', 'ws', 1)}/graphql"
    async with connect(url, compression=None, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
        await socket.send('{"type": "connection_init", "payload": {"X-Colloquy-User": "alice"}}')
        assert orjson.loads(await socket.recv()) == {"type": "connection_ack"}
        yield socket
