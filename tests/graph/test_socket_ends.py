"""Why a socket is closed, and with which code."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from tests.graph.wire import Speaker, Tickets, Wire, wire

PATIENCE = "subscription { patience }"
TRANSPORT = Subprotocol("graphql-transport-ws")


@pytest.fixture
async def served() -> AsyncIterator[Wire]:
    """A server of the small schema."""
    async with wire() as started:
        yield started


@pytest.mark.parametrize("subprotocols", [None, [Subprotocol("graphql-ws")]])
async def test_other_protocols_are_refused(served: Wire, subprotocols: list[Subprotocol] | None) -> None:
    async with served.socket(init=False, subprotocols=subprotocols) as socket:
        code, reason = await socket.closed()

    assert (code, reason.partition(":")[0]) == (4406, "Subprotocol not acceptable")


async def test_the_protocol_may_be_one_of_several(served: Wire) -> None:
    async with served.socket(subprotocols=[Subprotocol("graphql-ws"), TRANSPORT]) as socket:
        assert socket.connection.subprotocol == TRANSPORT


@pytest.mark.parametrize(
    "text",
    [
        "", "not json", "{",
        "null", "5", '"text"', "[]", "[" * 100_000, "{}", '{"type": 5}', '{"type": "next", "id": "a"}',
        '{"type": "start", "id": "a"}', '{"type": "subscribe", "payload": {"query": "{ me }"}}', '{"type": "complete"}',
        '{"type": "subscribe", "id": 5}', '{"type": "subscribe", "id": ""}', '{"type": "subscribe", "id": "\\ud800"}',
        '{"type": "ping", "payload": 5}', '{"type": "ping", "payload": {"a": "\\ud800"}}', '{"type": ["ping"]}',
        '{"type": "pong", "payload": []}', '{"type": "ping", "payload": ' + '{"a":' * 300 + "1" + "}" * 301,
        b"binary",
    ],
)  # fmt: skip
async def test_what_is_no_message_closes_its_socket_and_no_other(served: Wire, text: str | bytes) -> None:
    async with served.socket() as other, served.socket() as socket:
        await other.subscribe("a", PATIENCE)
        await socket.subscribe("a", PATIENCE)
        await served.runs(2)

        await socket.connection.send(text)

        code, reason = await socket.closed()
        assert (code, reason.partition(":")[0]) == (4400, "Invalid message")
        await served.runs(1)


async def test_an_operation_before_the_acknowledgement_is_refused(served: Wire) -> None:
    async with served.socket(init=False) as socket:
        await socket.subscribe("a", PATIENCE)

        assert await socket.closed() == (4401, "Unauthorized")
    assert served.running.started == 0


async def test_a_second_initialisation_is_refused(served: Wire) -> None:
    async with served.socket() as socket:
        await socket.say(type="connection_init")

        assert await socket.closed() == (4429, "Too many initialisation requests")


async def test_an_id_that_is_taken_closes_the_socket(served: Wire) -> None:
    async with served.socket() as socket:
        for _ in range(2):
            await socket.subscribe("é" * 200, PATIENCE)

        code, reason = await socket.closed()
        assert (code, reason[:18]) == (4409, "Subscriber for ééé")
    await served.is_quiet()


async def test_a_client_that_does_not_initialise_is_not_waited_for() -> None:
    async with wire(init_seconds=0.1) as served, served.socket(init=False) as socket:
        await socket.say(type="ping")

        assert await socket.closed() == (4408, "Connection initialisation timeout")


@pytest.mark.parametrize("init", [{"X-Colloquy-User": "no spaces allowed"}, {"x-colloquy-user": ""}])
async def test_nobody_is_refused(served: Wire, init: dict[str, Any]) -> None:
    async with served.socket(init=False) as socket:
        await socket.say(type="connection_init", payload=init)

        code, reason = await socket.closed()
        assert (code, reason.partition(":")[0]) == (4403, "Forbidden")


async def test_the_payload_names_the_caller_before_the_handshake_does(served: Wire) -> None:
    async with served.socket(
        user="alice", init={"X-Colloquy-User": "bob@acme", "other": {"a": 1}, "no": None}
    ) as socket:
        await socket.subscribe("a", "{ me }")

        assert (await socket.hear())["payload"] == {"data": {"me": "bob@acme"}}


async def test_a_socket_ends_when_what_let_its_client_in_expires() -> None:
    async with wire(authenticator=Tickets(0.3)) as served, served.socket() as socket:
        await socket.subscribe("a", PATIENCE)
        assert (await socket.hear())["type"] == "next"

        assert await socket.closed() == (4403, "Forbidden: token expired")
        await served.is_quiet()


async def test_who_comes_with_what_has_expired_is_refused() -> None:
    async with wire(authenticator=Tickets(-1)) as served, served.socket(init=False) as socket:
        await socket.say(type="connection_init")

        assert await socket.closed() == (4403, "Forbidden: token expired")


async def test_a_message_too_large_closes_the_socket() -> None:
    async with wire(max_body_bytes=2048) as served, served.socket() as socket:
        await socket.say(id="a", type="subscribe", payload={"query": "{ me }", "variables": {"x": "x" * 4000}})

        assert (await socket.closed())[0] == 1009


async def test_a_server_that_stops_says_that_it_restarts() -> None:
    async with wire() as served, served.socket() as socket:
        await socket.subscribe("a", PATIENCE)
        await served.runs(1)

        served.server.should_exit = True

        assert (await socket.closed())[0] == 1012
        await served.runs(0)


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "http://127.0.0.1.evil.example", "null", "https://evil.example:8000", "http://["]
)
async def test_pages_of_other_sites_open_no_socket(served: Wire, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with served.socket(origin=Origin(origin)):
            pass

    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("origin", ["http://localhost:5173", "http://[::1]:3000", "http://127.0.0.1:1", "{own}"])
async def test_pages_of_this_machine_open_sockets(served: Wire, origin: str) -> None:
    async with served.socket(origin=Origin(origin.format(own=f"http://{served.host}"))) as socket:
        await socket.subscribe("a", "{ me }")

        assert (await socket.hear())["type"] == "next"


async def test_a_socket_under_another_name_is_refused(served: Wire) -> None:
    host, port = served.host.split(":")
    with pytest.raises(InvalidStatus) as refused:
        async with connect(f"ws://evil.example:{port}/graphql", host=host, port=int(port), subprotocols=[TRANSPORT]):
            pass

    assert refused.value.response.status_code == 400


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_TYPES = st.sampled_from(
    ["connection_init", "connection_ack", "ping", "pong", "subscribe", "complete", "next", "error"]
)
_PAYLOADS = st.fixed_dictionaries(
    {},
    optional={
        "query": _VALUES | st.sampled_from(["{ me }", PATIENCE, "subscription { count(to: 2) }", "{"]),
        "variables": _VALUES, "operationName": _VALUES, "extensions": _VALUES,
    },
)  # fmt: skip
_MESSAGES = _VALUES | st.fixed_dictionaries(
    {"type": _TYPES | _VALUES},
    optional={"id": st.sampled_from(["a", "b"]) | _VALUES, "payload": _PAYLOADS | _VALUES, "more": _VALUES},
)
_DEFINED = {4400, 4401, 4403, 4409, 4429}


async def test_whatever_is_said_is_answered_or_closes_that_socket_alone(served: Wire) -> None:
    async with served.socket() as other:
        loop = asyncio.get_running_loop()
        await asyncio.to_thread(_say_anything, loop, served)

        await other.subscribe("a", "subscription { count(to: 1) }")
        assert [message["type"] for message in await other.hear_all("a")] == ["next", "complete"]
        assert served.running.open == 0


def _say_anything(loop: asyncio.AbstractEventLoop, served: Wire) -> None:
    @settings(max_examples=80, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.booleans(), st.lists(_MESSAGES, min_size=1, max_size=6))
    def check(initialised: bool, messages: list[Any]) -> None:
        asyncio.run_coroutine_threadsafe(_say(served, messages, None if initialised else False), loop).result(30)

    check()


async def _say(served: Wire, messages: list[Any], init: Any) -> None:
    """Say all of it; the socket then still answers, or was closed with a code of the protocol."""
    async with served.socket(init=init) as socket:
        # The server may have closed it meanwhile, which is an answer too.
        with suppress(ConnectionClosed):
            for message in messages:
                await socket.connection.send(orjson.dumps(message).decode())
            await socket.say(type="ping", payload={"last": True})
        assert await _answers(socket)


async def _answers(socket: Speaker) -> bool:
    try:
        while await socket.hear() != {"type": "pong", "payload": {"last": True}}:
            pass
    except ConnectionClosed as closed:
        return closed.rcvd is not None and closed.rcvd.code in _DEFINED
    return True
