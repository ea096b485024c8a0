"""One correlation id leads through all that comes of a request: statements, log lines, jobs, tools, other processes."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from app.core.ids import global_id
from tests.client import GraphQLClient
from tests.conversations import eventually, rows, value
from tests.fakes import TracedStatements
from tests.graph.wire import Wire
from tests.llm.provider_servers import FOREVER, ProviderServer, error, openai_answer, openai_tool_call
from tests.processes import serving, working
from tests.runs.conftest import Process, a_process
from tests.runs.edge import edge
from tests.runs.scenes import is_quiet

SEND = """mutation ($input: SendMessageInput!) { sendMessage(input: $input) {
    success correlationId run { id } session { id } } }"""
ASKED = {"content": "How late is it?", "model": "compatible:scripted", "tools": [{"name": "current_time"}]}
SESSIONS = "{ sessions { nodes { id } } }"
HAPPENED = "subscription ($id: ID!) { sessionEvents(sessionId: $id, after: 0) { seq } }"
NOT_NOW = error(503, "not now", headers={"Retry-After": "0"})
NOWHERE = global_id("MessageAttachment", "0199a0b0-0000-7000-8000-000000000000")
OF_SESSIONS, OF_EVENTS = "FROM chat_sessions", "FROM events"


@dataclass(frozen=True, slots=True)
class Scene:
    """A process with its edge, every statement of which is seen."""

    wire: Wire
    process: Process
    statements: TracedStatements

    async def post(self, query: str, correlation: str, **headers: str) -> Any:
        """An answer over HTTP."""
        body = {"query": query}
        async with self.wire.http() as http:
            return await http.post("/graphql", json=body, headers={"X-Correlation-Id": correlation, **headers})


@pytest.fixture
async def scene(dsn: str, provider: ProviderServer) -> AsyncIterator[Scene]:
    statements = TracedStatements()
    chosen: dict[str, Any] = {"compatible_base_url": f"{provider.url}/v1", "model_attempts": 2}
    async with a_process(dsn, log=statements, **chosen) as process, edge(process) as wire:
        yield Scene(wire, process, statements)


async def test_all_that_comes_of_a_message_bears_its_id(scene: Scene, provider: ProviderServer, dsn: str) -> None:
    provider.script(
        openai_tool_call("current_time", "{}"),
        NOT_NOW,
        openai_answer("Late."),
    )

    with capture_logs(processors=[merge_contextvars]) as lines:
        async with scene.wire.http() as http:
            answered = await http.post(
                "/graphql", json={"query": SEND, "variables": {"input": ASKED}}, headers={"X-Correlation-Id": "trip-1"}
            )
        await is_completed(dsn)
        await is_quiet(dsn)

    assert answered.headers["x-correlation-id"] == answered.json()["data"]["sendMessage"]["correlationId"] == "trip-1"
    assert {request.headers["x-correlation-id"] for request in provider.requests} == {"trip-1"}
    assert len(provider.requests) == 3
    ids = await rows(dsn, "SELECT correlation_id FROM runs UNION SELECT correlation_id FROM events")
    assert [row["correlation_id"] for row in ids] == ["trip-1"]
    told = [line for line in lines if line["event"] == "model_attempt_failed" or "job_kind" in line]
    assert "model_attempt_failed" in {line["event"] for line in told}
    assert {line.get("correlation_id") for line in told} == {"trip-1"}
    written = ("INSERT INTO chat_messages", "INSERT INTO runs", "INSERT INTO tool_calls", "INSERT INTO tool_executions",
               "INSERT INTO usage_ledger")  # fmt: skip
    assert {words: scene.statements.of(words) for words in written} == {words: {"trip-1"} for words in written}


async def test_worker_that_takes_over_goes_on_under_the_same_id(
    tmp_path: Path, dsn: str, provider: ProviderServer
) -> None:
    provider.script(
        openai_answer("").delayed(FOREVER), NOT_NOW,
        openai_tool_call("current_time", "{}"), NOT_NOW, openai_answer("Late."),
    )  # fmt: skip
    environment = {
        "DATABASE_URL": dsn, "COLLOQUY_COMPATIBLE_BASE_URL": f"{provider.url}/v1", "COLLOQUY_JOB_LEASE_SECONDS": "1",
        "COLLOQUY_LOG_LEVEL": "debug",
    }  # fmt: skip
    async with serving(tmp_path, **environment) as server, server.client() as client:
        client.http.headers["X-Correlation-Id"] = "trip-1"
        asked = await client.data(SEND, {"input": ASKED})
        await provider.asked(times=1)
        async with working(tmp_path, **environment) as worker:
            await server.kill()
            await is_completed(dsn)
            said = worker.said

    assert asked["sendMessage"]["correlationId"] == "trip-1"
    of_jobs = [line for line in lines_of(said) if line.get("job_kind") in ("run", "tool")]
    assert [line["event"] for line in of_jobs].count("model_attempt_failed") == 2
    assert {line.get("correlation_id") for line in of_jobs} == {"trip-1"}
    assert {request.headers["x-correlation-id"] for request in provider.requests} == {"trip-1"}
    [row] = await rows(dsn, "SELECT generation, correlation_id FROM runs")
    assert (row["generation"], row["correlation_id"]) == (3, "trip-1")


async def test_statements_of_requests_bear_their_ids_over_every_transport(scene: Scene) -> None:
    client = GraphQLClient(scene.wire.http())
    session = await client.create_session()
    scene.statements.sent.clear()

    await scene.post(SESSIONS, "plain")
    await scene.post(SESSIONS, "streamed", Accept="text/event-stream")
    async with scene.wire.socket(init={"X-Correlation-Id": "socket"}) as socket:
        await socket.subscribe("a", SESSIONS)
        await socket.subscribe("b", SESSIONS)
        await socket.hear_all("a", "b")
        await socket.subscribe("c", HAPPENED, id=session)
        await socket.hear()
    for accept in ("text/event-stream", "multipart/mixed;subscriptionSpec=1.0"):
        await followed(scene, session, accept)
    await client.http.aclose()

    assert scene.statements.of(OF_SESSIONS) >= {"plain", "streamed", "socket/1", "socket/2"}
    assert scene.statements.of(OF_EVENTS) >= {"socket/3", "text/event-stream", "multipart/mixed"}
    assert None not in scene.statements.of(OF_SESSIONS)


async def test_endpoints_run_under_the_id_of_their_request(scene: Scene) -> None:
    async with scene.wire.http() as http:
        answered = await http.get(f"/attachments/{NOWHERE}", headers={"X-Correlation-Id": "get"})

    assert (answered.status_code, answered.headers["x-correlation-id"]) == (404, "get")
    assert {found for found, _ in scene.statements.sent} >= {"get"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/health/live", 200), ("GET", "/health/ready", 200), ("GET", "/assets/nothing.js", 404),
        ("GET", "/nowhere", 404), ("PUT", "/graphql", 405), ("POST", "/graphql", 415), ("POST", "/health/live", 405),
    ],
)  # fmt: skip
async def test_every_answer_names_its_id(client: GraphQLClient, method: str, path: str, status: int) -> None:
    named = await client.http.request(method, path, headers={"X-Correlation-Id": "trip-1"})
    unnamed = await client.http.request(method, path, headers={"X-Correlation-Id": "no id; at all"})
    foreign = await client.http.request(method, path, headers={"Host": "example.com", "X-Correlation-Id": "trip-1"})

    assert (named.status_code, named.headers.get_list("x-correlation-id")) == (status, ["trip-1"])
    assert len(unnamed.headers["x-correlation-id"]) == 36
    assert (foreign.status_code, foreign.headers["x-correlation-id"]) == (400, "trip-1")


async def test_masked_failure_is_found_in_the_log_by_the_id_it_names(scene: Scene, dsn: str) -> None:
    await rows(dsn, "ALTER TABLE chat_sessions ADD CONSTRAINT none CHECK (title <> 'none')")

    with capture_logs(processors=[merge_contextvars]) as lines:
        answered = await scene.post('mutation { createSession(input: { title: "none" }) { success } }', "trip-1")

    [error_] = answered.json()["errors"]
    assert error_["extensions"] == {"code": "INTERNAL_SERVER_ERROR", "correlationId": "trip-1"}
    assert {line["correlation_id"] for line in lines if line["log_level"] in ("error", "warning")} == {"trip-1"}


async def followed(scene: Scene, session: str, accept: str) -> None:
    """Follow a session up to its first event, under an id that is named after the transport."""
    headers = {"Accept": accept, "X-Correlation-Id": accept.partition(";")[0]}
    body = {"query": HAPPENED, "variables": {"id": session}}
    async with scene.wire.http() as http, http.stream("POST", "/graphql", json=body, headers=headers) as response:
        async with asyncio.timeout(20):
            async for piece in response.aiter_text():
                if "seq" in piece:
                    return


async def is_completed(dsn: str) -> None:
    """Return once the one run there is has ended well."""
    await eventually(lambda: value(dsn, "SELECT count(*) FROM runs WHERE status = 'completed'"), 1)


def lines_of(said: str) -> list[dict[str, Any]]:
    """What a process logged."""
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]
