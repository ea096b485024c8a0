"""A client of the subscriptions of a real server: over sockets or server-sent events, it leaves, and comes again."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

import httpx2
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

PATIENCE_SECONDS = 60.0
MOMENT_SECONDS = 0.1
"""Before one connects again."""

COMPLETION = """subscription ($runId: ID!, $after: Int) { messageCompletion(runId: $runId, after: $after) {
    __typename ... on CompletionSnapshot { seq text } ... on CompletionDelta { seq text }
    ... on CompletionEnd { seq run { status } message { content } } } }"""

HAPPENING = """subscription ($sessionId: ID!, $after: BigInt) { sessionEvents(sessionId: $sessionId, after: $after) {
    seq kind payload } }"""

Events = AsyncGenerator[dict[str, Any], None]
"""What a subscription's one field tells; closed early, the client leaves."""


class Way(Enum):
    """How a subscription comes, and how the client leaves it before its end."""

    SOCKET = auto()
    """It says `complete`, and closes the socket."""
    SOCKET_CUT = auto()
    """The connection is reset, without a word."""
    SERVER_SENT = auto()


class Lost(Exception):
    """The connection ended before the subscription did."""


class Refused(Exception):
    """The subscription ended by an error."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(errors)
        self.codes = [error["extensions"]["code"] for error in errors]


async def subscribed(
    address: str, way: Way, query: str, variables: Mapping[str, Any], user: str = "alice", token: str | None = None
) -> Events:
    """What `user` is told, or whom a token names, by a connection of its own; Lost, Refused."""
    payload = {"query": query, "variables": dict(variables)}
    shown = {"X-Colloquy-User": user} if token is None else {"Authorization": f"Bearer {token}"}
    answers = (
        _sent_by_server(address, payload, shown) if way is Way.SERVER_SENT else _by_socket(address, way, payload, shown)
    )
    async with aclosing(answers) as told:
        async for answer in told:
            if answer.get("errors"):
                raise Refused(answer["errors"])
            [event] = answer["data"].values()
            yield event


async def _by_socket(address: str, way: Way, payload: dict[str, Any], shown: dict[str, str]) -> Events:
    url = f"{address.replace('http', 'ws', 1)}/graphql"
    try:
        connection = await connect(
            url,
            compression=None,
            subprotocols=[Subprotocol("graphql-transport-ws")],
            additional_headers=shown,
            open_timeout=PATIENCE_SECONDS,
            # With a bound, websockets 17.4 stops reading when frames wait, and then never sees the answer to its close.
            max_queue=None,
        )
    except (OSError, WebSocketException) as error:
        raise Lost from error
    ended = False
    try:
        await _say(connection, type="connection_init")
        await _say(connection, id="1", type="subscribe", payload=payload)
        while not ended:
            heard = orjson.loads(await connection.recv())
            match heard["type"]:
                case "next":
                    yield heard["payload"]
                case "error":
                    raise Refused(heard["payload"])
                case "complete":
                    ended = True
    except (OSError, WebSocketException) as error:
        raise Lost from error
    finally:
        await _leave(connection, way)


async def _leave(connection: ClientConnection, way: Way) -> None:
    if way is Way.SOCKET_CUT:
        connection.transport.abort()
    with suppress(OSError, WebSocketException):
        if way is Way.SOCKET:
            await _say(connection, id="1", type="complete")
        await connection.close()


async def _say(connection: ClientConnection, **message: Any) -> None:
    await connection.send(orjson.dumps(message).decode())


async def _sent_by_server(address: str, payload: dict[str, Any], shown: dict[str, str]) -> Events:
    headers = {**shown, "Accept": "text/event-stream"}
    try:
        async with (
            # Nothing to verify on loopback, and reading all certificates takes longer than most answers here.
            httpx2.AsyncClient(base_url=address, timeout=PATIENCE_SECONDS, verify=False) as http,
            http.stream("POST", "/graphql", json=payload, headers=headers) as response,
        ):
            assert response.status_code == 200, await response.aread()
            async for name, told in _server_sent(response.aiter_bytes()):
                if name == b"complete":
                    return
                yield orjson.loads(told)
    except (OSError, httpx2.TransportError) as error:
        raise Lost from error
    raise Lost


async def _server_sent(body: AsyncIterator[bytes]) -> AsyncGenerator[tuple[bytes, bytes], None]:
    """Name and data of each event. Lines end with a line feed and nothing else: text may hold what Python takes for
    the end of a line (U+0085, U+2028)."""
    rest = b""
    async for chunk in body:
        *blocks, rest = (rest + chunk).split(b"\n\n")
        for block in blocks:
            fields = dict(line.split(b":", 1) for line in block.split(b"\n"))
            if b"event" in fields:
                yield fields[b"event"].strip(), fields[b"data"]


@dataclass
class Kept:
    """What a client has of one answer, and checks at every step: nothing comes twice, and what was shown stays."""

    run_id: str
    seq: int | None = None
    text: str = ""
    end: dict[str, Any] | None = None
    seqs: list[int] = field(default_factory=list)
    """Of all that came since the last start from nothing."""
    token: str | None = None
    """What is shown to be let in; None where nothing has to be."""
    refused: list[str] = field(default_factory=list)
    """Codes of the errors by which subscriptions ended, of those that went on nevertheless."""

    @property
    def kind(self) -> str | None:
        """How the answer ended, as the API calls it; None while it has not."""
        return None if self.end is None else str(self.end["__typename"])

    async def follow(self, address: str, way: Way = Way.SOCKET, *, events: int | None = None) -> None:
        """Go on from where one is, to the end or for so many events; Lost, Refused."""
        if events == 0:
            return
        told = subscribed(address, way, COMPLETION, {"runId": self.run_id, "after": self.seq}, token=self.token)
        async with aclosing(told) as coming:
            number = 0
            async for event in coming:
                self._take(event)
                number += 1
                if number == events:
                    return
        assert self.end is not None, "the subscription is complete, and the answer is not"

    async def follow_on(self, addresses: list[str], way: Way = Way.SOCKET) -> None:
        """Go on to the end, whatever happens to the servers: each time with the next one, after a moment."""
        while self.end is None:
            try:
                await self.follow(addresses[0], way)
            except Lost:
                await asyncio.sleep(MOMENT_SECONDS)
            except Refused as error:
                self.refused += error.codes
                await asyncio.sleep(MOMENT_SECONDS)
            addresses = addresses[1:] + addresses[:1]

    def forget(self) -> None:
        """Start again from nothing the next time; the text stays until a snapshot replaces it."""
        self.seq = None
        self.seqs.clear()

    def _take(self, event: dict[str, Any]) -> None:
        assert self.end is None, "something came after the end"
        match event["__typename"]:
            case "CompletionSnapshot":
                assert self.seq is None or event["seq"] >= self.seq
                assert event["text"].startswith(self.text), "what was shown is gone"
                self.text = event["text"]
            case "CompletionDelta":
                assert self.seq is not None
                assert event["seq"] > self.seq
                self.text += event["text"]
            case _:
                assert self.seq is not None
                assert event["seq"] > self.seq
                assert event["message"]["content"] == self.text
                self.end = event
        self.seq = event["seq"]
        self.seqs.append(event["seq"])
