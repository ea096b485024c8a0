"""Subscriptions as the body of a response: server-sent events, and Apollo's multipart."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, cast

import orjson
import pytest

from app.db.database import Database
from app.graph.context import Context
from app.graph.operations import only
from app.graph.streaming import EventStream, Framing, Multipart, StreamedAnswers
from tests.conftest import an_actor
from tests.graph.wire import Tickets, Wire, wire

EVENTS = {"Accept": "text/event-stream"}
MULTIPART = {"Accept": "multipart/mixed;subscriptionSpec=1.0, application/json"}
JSON = "application/json; charset=utf-8"
COUNT = "subscription { count(to: 2) }"
PATIENCE = "subscription { patience }"


@pytest.fixture
async def served() -> AsyncIterator[Wire]:
    """A server of the small schema."""
    async with wire() as started:
        yield started


def events(body: bytes) -> list[tuple[str, Any]]:
    """The events of a body, without its comments."""
    found = re.findall(rb"^event: (\w+)\ndata:(.*)\n\n", body, re.MULTILINE)
    return [(name.decode(), orjson.loads(data) if data else None) for name, data in found]


def parts(body: bytes) -> list[Any]:
    """The parts of a body that was ended."""
    assert body.startswith(b"--graphql\r\n")
    first, *found, last = body.split(b"--graphql")
    assert (first, last) == (b"", b"--\r\n")
    heads, contents = zip(*(part.split(b"\r\n\r\n") for part in found), strict=True)
    assert set(heads) == {b"\r\nContent-Type: application/json"}
    return [orjson.loads(content) for content in contents]


async def asked(served: Wire, query: str, headers: dict[str, str], **variables: Any) -> tuple[int, str, bytes]:
    """Status, kind and body of a whole response."""
    async with served.http() as http:
        body = {"query": query, "variables": variables}
        response = await http.post("/graphql", json=body, headers=headers)
    assert response.headers["x-correlation-id"]
    return response.status_code, response.headers["content-type"], response.content


async def test_a_subscription_is_a_stream_of_events(served: Wire) -> None:
    status, kind, body = await asked(served, COUNT, EVENTS)

    assert (status, kind) == (200, "text/event-stream; charset=utf-8")
    assert events(body) == [("next", {"data": {"count": 1}}), ("next", {"data": {"count": 2}}), ("complete", None)]
    await served.is_quiet()


@pytest.mark.parametrize(
    ("query", "data"),
    [("{ me }", {"me": "alice@default"}), ('mutation { say(input: {text: "a"}) { said } }', {"say": {"said": "a"}})],
)
async def test_queries_and_mutations_are_one_event(served: Wire, query: str, data: Any) -> None:
    _, _, body = await asked(served, query, EVENTS)

    assert events(body) == [("next", {"data": data}), ("complete", None)]


@pytest.mark.parametrize("query", ["subscription {", "subscription { nonsense }", "{ me } { me }"])
async def test_an_operation_that_is_not_valid_is_an_event_with_errors(served: Wire, query: str) -> None:
    status, _, body = await asked(served, query, EVENTS)

    [(_, answer), (last, _)] = events(body)
    assert (status, last) == (200, "complete")
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert "data" not in answer


@pytest.mark.parametrize("headers", [EVENTS, MULTIPART])
async def test_a_fault_of_the_stream_is_masked_and_ends_it(served: Wire, headers: dict[str, str]) -> None:
    _, _, body = await asked(served, "subscription { failing(expected: false) }", headers)

    assert b"INTERNAL_SERVER_ERROR" in body
    assert b"secret" not in body
    assert body.endswith((b"event: complete\ndata:\n\n", b"--graphql--\r\n"))
    await served.is_quiet()


async def test_who_is_nobody_is_refused_in_json(served: Wire) -> None:
    status, kind, _ = await asked(served, COUNT, {**EVENTS, "X-Colloquy-User": "a b"})

    assert (status, kind) == (401, JSON)


@pytest.mark.parametrize("query", [COUNT, "{ me }"])
async def test_streams_are_not_taken_by_get(served: Wire, query: str) -> None:
    async with served.http() as http:
        response = await http.get("/graphql", params={"query": query}, headers=EVENTS)

    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST")
    assert served.running.started == 0


async def test_a_subscription_in_parts(served: Wire) -> None:
    status, kind, body = await asked(served, COUNT, MULTIPART)

    assert (status, kind) == (200, 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0')
    assert parts(body) == [{"payload": {"data": {"count": 1}}}, {"payload": {"data": {"count": 2}}}]


async def test_in_parts_or_json_what_is_one_answer_is_json(served: Wire) -> None:
    assert await asked(served, "{ me }", MULTIPART) == (200, JSON, b'{"data":{"me":"alice@default"}}')
    # It names application/json, and gets the statuses that go with it.
    assert (await asked(served, "subscription { nonsense }", MULTIPART))[:2] == (200, JSON)


@pytest.mark.parametrize("accept", ["application/json", "*/*", "application/*, text/event-stream;q=0"])
async def test_a_subscription_without_a_stream_is_refused_with_the_ways_to_subscribe(served: Wire, accept: str) -> None:
    status, _, body = await asked(served, COUNT, {"Accept": accept})

    assert status == 406
    hint = orjson.loads(body)["errors"][0]["extensions"]["hint"]
    assert all(way in hint for way in ("graphql-transport-ws", "text/event-stream", "multipart/mixed"))
    assert served.running.started == 0


@pytest.mark.parametrize("headers", [EVENTS, MULTIPART])
async def test_a_client_that_leaves_ends_its_operation(served: Wire, headers: dict[str, str]) -> None:
    query = {"query": PATIENCE}
    async with served.http() as http, http.stream("POST", "/graphql", json=query, headers=headers) as response:
        received = b""
        async for chunk in response.aiter_raw():
            received += chunk
            if b"patience" in received:
                break
        assert served.running.open == 1

    await served.is_quiet()


@pytest.mark.parametrize("headers", [EVENTS, MULTIPART])
async def test_a_client_that_does_not_read_holds_its_stream_back(served: Wire, headers: dict[str, str]) -> None:
    query = {"query": "subscription { flood(size: 1000000) }"}
    async with served.http() as http, http.stream("POST", "/graphql", json=query, headers=headers):
        sent = -1
        while sent != served.running.sent:
            sent = served.running.sent
            await asyncio.sleep(0.2)

        assert 0 < sent < 50

    await served.is_quiet()


@pytest.mark.parametrize("headers", [EVENTS, MULTIPART])
async def test_a_server_that_stops_ends_its_streams_without_completing_them(
    served: Wire, headers: dict[str, str]
) -> None:
    async with served.http() as http, http.stream("POST", "/graphql", json={"query": PATIENCE}, headers=headers) as got:
        await served.runs(1)

        served.stopping.set()
        body = b"".join([chunk async for chunk in got.aiter_raw()])

    assert b"patience" in body
    assert not body.endswith((b"event: complete\ndata:\n\n", b"--graphql--\r\n"))
    await served.is_quiet()


@pytest.mark.parametrize("headers", [EVENTS, MULTIPART])
async def test_a_stream_ends_when_what_let_its_client_in_expires(headers: dict[str, str]) -> None:
    async with wire(authenticator=Tickets(0.3)) as served:
        async with served.http() as http:
            asked = http.stream("POST", "/graphql", json={"query": PATIENCE}, headers=headers)
            async with asked as got:
                body = b"".join([chunk async for chunk in got.aiter_raw()])

        assert b"patience" in body
        assert not body.endswith((b"event: complete\ndata:\n\n", b"--graphql--\r\n"))
        await served.is_quiet()


@pytest.mark.parametrize(("framing", "sign"), [(EventStream(), b":\n\n"), (Multipart(), b"\r\n\r\n{}\r\n--graphql")])
async def test_silence_is_broken_by_signs_of_life(framing: Framing, sign: bytes) -> None:
    silent, sent = asyncio.Event(), []

    async def answers() -> AsyncGenerator[Any, None]:
        await silent.wait()
        yield {"data": 1}

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))
        if b"".join(sent).count(sign) > 3:
            silent.set()

    async def receive() -> Any:
        await asyncio.Event().wait()

    context = Context(an_actor("alice"), cast(Database, None), {})
    response = StreamedAnswers(framing, answers(), context, asyncio.Event(), keep_alive_seconds=0.01)
    await asyncio.wait_for(response({}, receive, send), 20)

    body = b"".join(sent)
    assert body.count(sign) > 3
    assert body.endswith(framing.answer({"data": 1}) + framing.end())


async def test_one_answer_is_given_where_many_are_expected() -> None:
    assert [answer async for answer in only({"data": 1})] == [{"data": 1}]
