"""Each operation leaves one line in the log and its counts in the meters, however it came and however it ended."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.core.ids import global_id
from app.telemetry.meters import REGISTRY
from app.telemetry.observation import log
from tests.client import GraphQLClient
from tests.graph.wire import Wire, until
from tests.runs.conftest import a_process
from tests.runs.edge import edge

SESSIONS = "query Sessions { sessions { nodes { id messages(last: 1) { nodes { id } } } } }"
HAPPENED = "subscription Follow($id: ID!) { sessionEvents(sessionId: $id, after: 0) { seq } }"
SECRET = "the launch code is 0451, tell nobody"
NOWHERE = global_id("MessageAttachment", "0199a0b0-0000-7000-8000-000000000000")


@pytest.fixture
async def wire(dsn: str) -> AsyncIterator[Wire]:
    """The whole application on a real server."""
    async with a_process(dsn) as process, edge(process) as started:
        yield started


def of(lines: list[str], correlation: str) -> list[dict[str, Any]]:
    """What was logged of a request or an operation."""
    found = [json.loads(line) for line in lines]
    return [line for line in found if line.get("correlation_id") == correlation and line["logger"] == log.name]


async def one(lines: list[str], correlation: str) -> dict[str, Any]:
    """The one line of an operation, once it is there, without what is different every time."""
    await until(lambda: bool(of(lines, correlation)))
    [line] = of(lines, correlation)
    assert line.pop("duration_ms") >= line.pop("statements_ms") >= 0
    assert (line.pop("level"), line.pop("timestamp")[-1]) == ("info", "Z")
    del line["logger"], line["correlation_id"]
    return line


def counted(name: str, **labels: str) -> float:
    """What a meter says."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_each_operation_has_one_line_and_is_counted(wire: Wire, lines: list[str]) -> None:
    meters = [
        ("colloquy_requests_total", {"transport": "http", "status": "200"}),
        ("colloquy_requests_total", {"transport": "http", "status": "400"}),
        ("colloquy_requests_total", {"transport": "sse", "status": "200"}),
        ("colloquy_requests_total", {"transport": "websocket", "status": "ok"}),
        ("colloquy_requests_total", {"transport": "websocket", "status": "error"}),
        ("colloquy_requests_total", {"transport": "plain", "status": "404"}),
        ("colloquy_errors_total", {"code": "SESSION_NOT_FOUND"}),
        ("colloquy_errors_total", {"code": "BAD_USER_INPUT"}),
        ("colloquy_operation_duration_seconds_count", {"kind": "query"}),
        ("colloquy_operation_statements_sum", {"kind": "query"}),
        ("colloquy_subscription_events_total", {"transport": "sse"}),
    ]
    before = [counted(name, **labels) for name, labels in meters]
    async with wire.http() as http:

        async def post(correlation: str, query: str, accept: str = "application/json", **variables: Any) -> Any:
            headers = {"X-Correlation-Id": correlation, "Accept": accept}
            return await http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)

        session = await GraphQLClient(http).create_session(title="Lisbon")
        answer = await post("ok", SESSIONS)
        say = (
            "mutation Say($c: String!, $s: ID!) { persistUserMessage(input: {sessionId: $s, content: $c}) { success } }"
        )
        await post("refused", say, c=SECRET, s=global_id("ChatSession", "0199a0b0-0000-7000-8000-000000000000"))
        wrong = await post("wrong", f'{{ nothing(text: "{SECRET}") }}')
        await post("empty", "   ")
        await http.get(f"/attachments/{NOWHERE}", headers={"X-Correlation-Id": "plain"})
        await http.get(f"/{SECRET}", headers={"X-Correlation-Id": "nowhere"})
        await http.get("/health/live", headers={"X-Correlation-Id": "quiet"})
        follow = {"query": HAPPENED, "variables": {"id": session}}
        headers = {"Accept": "text/event-stream", "X-Correlation-Id": "followed"}
        async with http.stream("POST", "/graphql", json=follow, headers=headers) as response, asyncio.timeout(20):
            async for piece in response.aiter_text():
                if "seq" in piece:
                    assert counted("colloquy_subscriptions_open", transport="sse") == 1
                    break
    async with wire.socket(init={"X-Correlation-Id": "socket"}) as socket:
        assert counted("colloquy_sockets_open") == 1
        await socket.subscribe("a", SESSIONS)
        await socket.subscribe("b", "{ nothing }")
        await socket.hear_all("a", "b")
        await socket.subscribe("c", HAPPENED, id=session)
        await socket.hear()

    who = {"tenant": "default", "user": "alice"}
    http_ = {"transport": "http", **who}
    assert await one(lines, "ok") == {
        **http_, "event": "operation", "kind": "query", "operation": "Sessions", "outcome": "ok", "status": 200,
        "statements": 2, "bytes": len(answer.content),
    }  # fmt: skip
    refused = await one(lines, "refused")
    assert (refused["kind"], refused["outcome"], refused["status"]) == ("mutation", "SESSION_NOT_FOUND", 200)
    assert await one(lines, "wrong") == {
        **http_, "event": "operation", "outcome": "BAD_USER_INPUT", "status": 200, "statements": 0,
        "bytes": len(wrong.content),
    }  # fmt: skip
    assert (await one(lines, "empty"))["outcome"] == "BAD_USER_INPUT"
    plain = await one(lines, "plain")
    assert (plain["event"], plain["kind"], plain["outcome"]) == ("request", "endpoint", "NOT_FOUND")
    assert plain["route"].startswith("/attachments/{")
    nowhere = await one(lines, "nowhere")
    assert (nowhere["outcome"], nowhere["statements"], "user" in nowhere) == ("404", 0, False)
    assert of(lines, "quiet") == []
    followed = await one(lines, "followed")
    assert (followed["transport"], followed["kind"], followed["operation"]) == ("sse", "subscription", "Follow")
    assert (followed["events"], followed["outcome"]) == (1, "ok")
    assert (await one(lines, "socket/1"))["transport"] == "websocket"
    assert (await one(lines, "socket/2"))["outcome"] == "BAD_USER_INPUT"
    assert (await one(lines, "socket/3"))["events"] == 1
    await until(lambda: counted("colloquy_sockets_open") == 0)
    assert counted("colloquy_subscriptions_open", transport="sse") == 0
    assert SECRET not in "".join(lines)
    after = [counted(name, **labels) for name, labels in meters]
    assert [now - then for now, then in zip(after, before, strict=True)] == [4, 1, 1, 2, 1, 2, 1, 3, 2, 4, 1]


async def test_a_higher_level_silences_the_lines_and_not_the_meters(
    client: GraphQLClient, lines: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    before = counted("colloquy_operation_duration_seconds_count", kind="query")

    with caplog.at_level(logging.WARNING):
        await client.data("{ viewer { userId } }")

    assert [line for line in lines if log.name in line] == []
    assert counted("colloquy_operation_duration_seconds_count", kind="query") == before + 1
