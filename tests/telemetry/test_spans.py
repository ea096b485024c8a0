"""Spans reach a receiver of OpenTelemetry's protocol, as one trace from client to provider; or there are none."""

import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from app.telemetry.spans import TRACING, exporting, is_wanted
from tests.graph.wire import until
from tests.llm.provider_servers import ProviderServer, openai_answer
from tests.runs.conftest import a_process_asking
from tests.runs.edge import edge
from tests.runs.scenes import is_quiet

ROOT = Path(__file__).parents[2]
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
SECRET = "the launch code is 0451, tell nobody"
SEND = """mutation Send($input: SendMessageInput!) { sendMessage(input: $input) { success run { id } } }"""


class Receiver:
    """Takes spans in, as OpenTelemetry's collector does."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        received = self.bodies

        class Taking(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                received.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def spans(self) -> list[dict[str, Any]]:
        """All that came: names, ids in hexadecimal digits, and attributes."""
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        return [
            {
                "name": span.name, "trace": span.trace_id.hex(), "id": span.span_id.hex(),
                "parent": span.parent_span_id.hex(), "service": service_of(resource),
                **{found.key: found.value.string_value or found.value.int_value for found in span.attributes},
            }
            for body in self.bodies
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]  # fmt: skip


def service_of(resource: Any) -> str:
    """What the sender calls itself."""
    return next(str(found.value.string_value) for found in resource.resource.attributes if found.key == "service.name")


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """One that the standard variables name."""
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the extra otel is not installed")
    started = Receiver()
    thread = Thread(target=started.server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", started.url)
    yield started
    started.server.shutdown()
    started.server.server_close()
    thread.join(10)


@pytest.fixture
def provider() -> Iterator[ProviderServer]:
    """A provider that answers by script; what asks it takes seconds to import."""
    import app.llm.adapters.clients  # noqa: F401

    with ProviderServer() as started:
        yield started


async def test_one_trace_leads_from_the_client_to_the_provider(
    receiver: Receiver, dsn: str, provider: ProviderServer
) -> None:
    provider.script(openai_answer("Late."))
    with exporting():
        async with a_process_asking(dsn, provider) as process, edge(process) as wire, wire.http() as http:
            headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "X-Correlation-Id": "trip-1"}
            asked = {"content": SECRET, "model": "compatible:scripted"}
            body = {"query": SEND, "variables": {"input": asked}}
            answer = await http.post("/graphql", json=body, headers=headers)
            assert answer.json()["data"]["sendMessage"]["success"]
            await until(lambda: len(provider.requests) == 1)
            await is_quiet(dsn)
            init = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
            async with wire.socket(init=init) as socket:
                await socket.subscribe("a", "query Who { viewer { userId } }")
                await socket.hear_all("a")
            await http.get("/health/live")

    spans = receiver.spans()
    [mutation] = [span for span in spans if span["name"] == "mutation"]
    [query] = [span for span in spans if span["name"] == "query"]
    [job] = [span for span in spans if span["name"] == "job run"]
    [model] = [span for span in spans if span["name"] == "chat compatible"]
    assert {span["trace"] for span in (mutation, query, job, model)} == {TRACE}
    assert (mutation["parent"], query["parent"]) == (PARENT, PARENT)
    assert (job["parent"], model["parent"]) == (mutation["id"], job["id"])
    assert {span["colloquy.correlation_id"] for span in (mutation, job, model)} == {"trip-1"}
    assert (mutation["graphql.operation.name"], query["colloquy.transport"]) == ("Send", "websocket")
    assert mutation["service"] == "colloquy"
    statements = [span for span in spans if "db.query.text" in span]
    assert {span["parent"] for span in statements} >= {mutation["id"], job["id"]}
    assert any("INSERT INTO chat_messages" in span["db.query.text"] for span in statements)
    assert provider.requests[0].headers["traceparent"] == f"00-{TRACE}-{model['id']}-01"
    assert SECRET not in repr(spans)
    assert len([span for span in spans if not span["parent"]]) == 0
    assert TRACING.spans is None


def test_only_the_standard_variables_switch_it_on() -> None:
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}

    assert not is_wanted({})
    assert is_wanted(endpoint)
    assert is_wanted({"OTEL_TRACES_EXPORTER": "otlp"})
    assert not is_wanted({**endpoint, "OTEL_TRACES_EXPORTER": "none"})
    assert not is_wanted({**endpoint, "OTEL_SDK_DISABLED": "true"})


def test_nothing_is_imported_where_it_is_switched_off() -> None:
    program = """
import sys, app.jobs.worker, app.llm.registry, app.graph.operations
from app.telemetry.spans import exporting
with exporting():
    print([name for name in sys.modules if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter"))])
"""
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )

    assert done.stdout.strip() == "[]"
