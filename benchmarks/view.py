"""What a request costs beside the execution of its operation: layer by layer, and against a bare server."""

import asyncio
import gc
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from time import thread_time_ns
from typing import Any, cast

import orjson
from graphql import ExecutionResult
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.asgi import endpoint_routes, graphql_routes, layers
from app.container import Container
from app.core.logging import LineFormatter
from app.core.settings import Settings
from app.db.database import Database
from app.graph.schema import Schema
from app.identity.service import OpenDoor
from app.schema import schema
from benchmarks import bare_http
from benchmarks.bare_server import bare_server
from benchmarks.conversations import USER, spoken
from benchmarks.load_client import Task, put_load
from benchmarks.machine import cpu_seconds
from benchmarks.measure import Bench, Comparison, Side
from benchmarks.server import Server, serving

CLIENTS = 4
BATCH = 10
"""Requests that are timed together: few milliseconds, in which often nothing else happens."""
WARM_BATCHES = 3
WANTED = "less than 300 µs beyond it"

ORIGIN = "https://app.example.com"
_HEADERS = [
    (b"host", b"localhost:8000"),
    (b"connection", b"keep-alive"),
    (b"accept", b"application/graphql-response+json, application/json;q=0.9"),
    (b"accept-encoding", b"gzip, deflate, br"),
    (b"accept-language", b"en-GB,en;q=0.9"),
    (b"content-type", b"application/json"),
    (b"origin", ORIGIN.encode()),
    (b"referer", b"https://app.example.com/sessions"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    (b"x-colloquy-user", USER.encode()),
]
"""As a page of another site has them sent."""
_SCOPE: Scope = {
    "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "scheme": "http",
    "method": "POST", "path": "/graphql", "raw_path": b"/graphql", "query_string": b"", "root_path": "",
    "client": ("127.0.0.1", 40000), "server": ("127.0.0.1", 8000),
}  # fmt: skip

_PAGE = """query Page($first: Int!, $after: String, $last: Int = 20) {
  sessions(first: $first, after: $after) {
    nodes { id title status messages(last: $last) { nodes { id role content createdAt } } }
    pageInfo { hasNextPage endCursor }
  }
}"""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request, and what its operation comes to."""

    name: str
    body: bytes
    answer: dict[str, Any]


def _requests() -> list[_Asked]:
    nodes = [{"id": f"id-{number}", "role": "user", "content": text} for number, text in enumerate(spoken(8))]
    page = {"query": _PAGE, "variables": {"first": 10, "after": None}, "operationName": "Page"}
    return [
        _Asked("{ __typename }", orjson.dumps({"query": "{ __typename }"}), {"__typename": "Query"}),
        _Asked("a page of 3 KB, by variables", orjson.dumps(page), {"sessions": {"nodes": nodes}}),
    ]


async def view(bench: Bench) -> list[Comparison]:
    """In process with operations that are executed at once, then over HTTP with the smallest there is."""
    in_process = [await _layered(bench, asked) for asked in _requests()]
    return [*in_process, await _over_http(bench)]


async def _layered(bench: Bench, asked: _Asked) -> Comparison:
    """Requests per second of CPU of the whole stack and of a handler of Starlette's, and what each layer takes."""
    cut, by_hand = _stack(asked), _by_hand(asked)
    everything: dict[str, ASGIApp] = {**cut, "by hand": by_hand}
    micros: dict[str, list[float]] = {name: [] for name in everything}
    clock = asyncio.get_running_loop().time

    async def whole() -> float:
        """All at once, in turns: the differences between them are smaller than those between two moments."""
        batches: dict[str, list[float]] = {name: [] for name in everything}
        until = clock() + bench.effort.seconds
        while clock() < until or not batches["by hand"]:
            for name, app in everything.items():
                batches[name].append(await _cpu_micros(app, asked))
        for name, found in batches.items():
            # The least: other processes only ever add to it.
            micros[name].append(min(found))
        return 1e6 / micros[list(cut)[-1]][-1]

    async def least() -> float:
        return 1e6 / micros["by hand"][-1]

    with _as_in_production():
        for _ in range(WARM_BATCHES):
            for app in everything.values():
                await _cpu_micros(app, asked)
        found = await bench.compare(
            f"requests per second of CPU, in process, {asked.name}",
            Side("all layers", whole),
            Side("a handler of Starlette's", least),
            WANTED,
        )
    found.notes.append(_told({name: min(micros[name]) for name in cut}))
    return found


def _told(micros: Mapping[str, float]) -> str:
    """What each layer adds to those inside it."""
    each = list(micros.items())
    added = [f"{name} {taken - within:.1f}" for (_, within), (name, taken) in pairwise(each)]
    (_, bare), (_, whole) = each[0], each[-1]
    return f"{whole - bare:.0f} µs of CPU beyond a bare app's {bare:.1f}, from within: {', '.join(added)}"


def _by_hand(asked: _Asked) -> Starlette:
    """What is served without GraphQL, with nothing around it."""

    async def answer(request: Request) -> Response:
        await request.json()
        return Response(orjson.dumps({"data": asked.answer}), media_type="application/json")

    return Starlette(routes=[Route("/graphql", answer, methods=["POST"])])


def _stack(asked: _Asked) -> dict[str, ASGIApp]:
    """The bare app, and ours cut off above each of its layers, from the inside out."""
    settings = Settings(cors_origins=ORIGIN)
    graphql, *others = graphql_routes(_executed_at_once(asked), settings, asyncio.Event())
    over = layers(settings)
    cut: dict[str, ASGIApp] = {"bare": bare_http.app}
    for kept in range(len(over) + 1):
        app = Starlette(routes=[graphql, *others, *endpoint_routes()], middleware=over[len(over) - kept :])
        app.state.container = _container(settings)
        if not kept:
            cut["view"] = _within(app, cast("Route", graphql).app)
        cut[cast("type", over[-kept].cls).__name__ if kept else "Starlette"] = app
    return cut


def _within(app: Starlette, inner: ASGIApp) -> ASGIApp:
    """An app that is called as if by another one."""

    async def called(scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = app
        await inner(scope, receive, send)

    return called


def _executed_at_once(asked: _Asked) -> Schema:
    """The served schema, with executions that take no time."""

    async def run(*_: object) -> ExecutionResult:
        return ExecutionResult(asked.answer)

    served = copy(schema)
    cast("Any", served).run = run
    return served


def _container(settings: Settings) -> Container:
    class NoDatabase:
        async def for_query(self) -> "NoDatabase":
            return self

    return Container(settings, "none", cast("Database", NoDatabase()), OpenDoor(), {})


async def _cpu_micros(app: ASGIApp, asked: _Asked) -> float:
    """What one request takes of the processor, on average over a batch."""
    headers = [*_HEADERS, (b"content-length", b"%d" % len(asked.body))]
    statuses: list[int] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": asked.body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    began = thread_time_ns()
    for _ in range(BATCH):
        await app({**_SCOPE, "headers": headers, "state": {}}, receive, send)
    took = thread_time_ns() - began
    if statuses != [200] * BATCH:
        raise RuntimeError(f"answered with {statuses}")
    return took / BATCH / 1000


@contextmanager
def _as_in_production() -> Iterator[None]:
    """A line in the log for each operation, though nobody reads it; what lives long is not collected."""
    root, before = logging.getLogger(), logging.getLogger().handlers
    level = root.level
    with open(os.devnull, "w") as nowhere:
        handler = logging.StreamHandler(nowhere)
        handler.setFormatter(LineFormatter())
        root.handlers = [handler]
        root.setLevel(logging.INFO)
        try:
            yield
        finally:
            root.handlers = before
            root.setLevel(level)
            gc.unfreeze()


async def _over_http(bench: Bench) -> Comparison:
    """Requests per second of CPU of each process: what the client takes does not count."""
    asked, loads = _requests()[0], []
    async with (
        bench.cluster.database("view") as dsn,
        serving(dsn, bench.cluster.folder, COLLOQUY_LOG_LEVEL="info") as server,
        bare_server("benchmarks.bare_http:app") as bare,
    ):

        async def per_cpu_second(of: Server) -> float:
            task = Task(of.port, USER, [asked.body.decode()], "__typename", CLIENTS, bench.effort.seconds)
            before = cpu_seconds(of.pid)
            loads.append(await put_load(task))
            return loads[-1].answers / (cpu_seconds(of.pid) - before)

        # The first requests of a process meet cold caches.
        for each in (server, bare):
            await per_cpu_second(each)
        found = await bench.compare(
            f"requests per second of CPU, over HTTP, {asked.name}",
            Side("colloquy serve", lambda: per_cpu_second(server)),
            Side("bare uvicorn", lambda: per_cpu_second(bare)),
            WANTED,
        )
    ours, least = (1e6 / median(rates) for rates in (found.our_rates, found.anchor_rates))
    found.notes.append(
        f"{ours:.0f} µs of CPU against {least:.0f}: {ours - least:.0f} beyond it, the execution included"
    )
    return found
