"""What an event of an answer costs this process, from the row in the feed to the text that the server is given.

Without a database, a network or a model: what is measured is CPU of ours, in its parts, each on top of the one before.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import process_time
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import orjson
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp, Message
from starlette.websockets import WebSocket

from app.asgi import graphql_routes, layers
from app.container import Container
from app.core.actor import Actor, CorrelationId, TenantId, UserId
from app.core.ids import global_id
from app.core.settings import Settings
from app.db.database import Database
from app.graph.body import GraphQLRequest
from app.graph.context import Context
from app.graph.executor import EXECUTORS
from app.graph.operations import Operations
from app.identity.service import OpenDoor
from app.runs.following import Completions
from app.runs.models import Run
from app.runs.values import EntryKind, RunEntry, RunId, RunStatus
from app.schema import schema
from app.streams.feed import Feed
from app.streams.values import StreamKey
from benchmarks.measure import Bench, Comparison, Side
from benchmarks.stream_client import FOLLOW

AT_ONCE = 100
"""Followers: what is done once for all of them, such as a turn of the event loop, is divided among them."""

WARM_EVENTS = 5

Heard = Callable[[], None]
"""A follower calls it for each event that reached it."""

Follow = Callable[["_World", RunId, Heard], Coroutine[Any, Any, None]]
"""Follows one answer until it is cancelled."""


@dataclass(frozen=True, slots=True)
class _Unstored(Completions):
    """Follows answers of which nothing is stored."""

    async def _run(self, actor: Actor, run_id: RunId) -> Run:
        found = SimpleNamespace(tenant_id=actor.tenant_id, id=run_id, status=RunStatus.RUNNING, last_seq=0)
        return cast("Run", found)

    async def _last(self, run: Run) -> int:  # noqa: ARG002
        return 0


async def _nothing(_positions: Mapping[StreamKey, int]) -> Mapping[UUID, Sequence[RunEntry]]:
    return {}


class _World:
    """A feed of answers, and the application over it."""

    def __init__(self, executor: str) -> None:
        database = cast("Database", SimpleNamespace())
        settings = Settings(data_dir=Path("unused"), executor=executor)
        self.actor = Actor(TenantId("default"), UserId("bench"), frozenset(), CorrelationId("bench"))
        self.feed: Feed[RunEntry] = Feed(_nothing)
        self.completions = _Unstored(database, self.feed)
        self.executor = EXECUTORS[settings.executor]
        self.operations = Operations(schema, settings, executor=settings.executor)
        self.context = Context(self.actor, database, {Completions: self.completions})
        self.app = Starlette(routes=graphql_routes(schema, settings, asyncio.Event()), middleware=layers(settings))
        self.app.state.container = Container(settings, "unused", database, OpenDoor(), self.context.services)
        self.bare = Starlette(routes=[WebSocketRoute("/graphql", self._bare)])
        self.written = asyncio.Event()
        self.seq = 0

    def write(self, run_ids: Sequence[RunId]) -> None:
        """One more piece of each answer."""
        self.seq += 1
        for run_id in run_ids:
            self.feed.wrote(run_id, [RunEntry(self.seq, EntryKind.DELTA, {"text": f" word{self.seq}"})])
        self.written.set()
        self.written.clear()

    async def _bare(self, socket: WebSocket) -> None:
        """The same frames by hand."""
        await socket.accept("graphql-transport-ws")
        await socket.receive_text()
        await socket.receive_text()
        while True:
            await self.written.wait()
            await socket.send_text(
                '{"id":"1","type":"next","payload":{"data":{"messageCompletion":'
                f'{{"__typename":"CompletionDelta","seq":{self.seq},"text":" word{self.seq}"}}}}}}}}'
            )


async def _feed(world: _World, run_id: RunId, heard: Heard) -> None:
    async with aclosing(world.feed.follow(StreamKey(world.actor.tenant_id, run_id), 0)) as batches:
        async for _ in batches:
            heard()


async def _follower(world: _World, run_id: RunId, heard: Heard) -> None:
    async with aclosing(world.completions.follow(world.actor, run_id, 0)) as events:
        async for _ in events:
            heard()


def _asked(run_id: RunId) -> dict[str, Any]:
    return {"query": FOLLOW, "variables": {"run": global_id("Run", run_id), "after": 0}}


async def _executed(world: _World, run_id: RunId, heard: Heard) -> None:
    context = world.context.for_operation(CorrelationId("bench/1"))
    asked = _asked(run_id)
    request = GraphQLRequest(asked["query"], asked["variables"])
    operation = world.operations.prepare(request, context)
    found = await schema.subscribe(request, operation.document, context, world.executor)
    async with aclosing(cast("Any", found)) as results:
        async for _ in results:
            heard()


async def _answered(world: _World, run_id: RunId, heard: Heard) -> None:
    context = world.context.for_operation(CorrelationId("bench/1"))
    asked = _asked(run_id)
    operation = world.operations.prepare(GraphQLRequest(asked["query"], asked["variables"]), context)
    async with aclosing(await world.operations.start(operation, context)) as answers:
        async for _ in answers:
            heard()


async def _sent(world: _World, run_id: RunId, heard: Heard) -> None:
    await _over(world.app, run_id, heard)


async def _sent_bare(world: _World, run_id: RunId, heard: Heard) -> None:
    await _over(world.bare, run_id, heard)


async def _over(app: ASGIApp, run_id: RunId, heard: Heard) -> None:
    """One socket, as a server would have it served."""
    says: list[Message] = [
        {"type": "websocket.connect"},
        _said({"type": "connection_init"}),
        _said({"id": "1", "type": "subscribe", "payload": _asked(run_id)}),
    ]

    async def receive() -> Message:
        if says:
            return says.pop(0)
        return cast("Message", await asyncio.Event().wait())

    async def send(message: Message) -> None:
        if message["type"] == "websocket.send" and "Delta" in message["text"]:
            heard()

    scope = {
        "type": "websocket", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "ws", "path": "/graphql",
        "raw_path": b"/graphql", "root_path": "", "query_string": b"", "headers": [(b"host", b"127.0.0.1")],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2), "subprotocols": ["graphql-transport-ws"], "state": {},
    }  # fmt: skip
    await app(scope, receive, send)


def _said(message: dict[str, Any]) -> Message:
    return {"type": "websocket.receive", "text": orjson.dumps(message).decode()}


@asynccontextmanager
async def _following(world: _World, follow: Follow, run_ids: Sequence[RunId], heard: Heard) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(follow(world, run_id, heard)) for run_id in run_ids]
    try:
        # What they do before they wait is a matter of turns of the loop: there is nothing outside that they wait for.
        await asyncio.sleep(0.5)
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _events_per_cpu_second(executor: str, follow: Follow, *, of_one_run: bool, seconds: float) -> float:
    """How many events a second of CPU takes to its followers."""
    world = _World(executor)
    own = [RunId(uuid4()) for _ in range(1 if of_one_run else AT_ONCE)]
    count = 0

    def heard() -> None:
        nonlocal count
        count += 1

    async def told(times: int | None = None) -> None:
        began, before = process_time(), world.seq
        while world.seq - before < times if times else process_time() - began < seconds:
            wanted = count + AT_ONCE
            world.write(own)
            # An event would cost what is measured: this is a turn of the loop, which all followers share.
            while count < wanted:  # noqa: ASYNC110
                await asyncio.sleep(0)

    async with asyncio.timeout(60 + 10 * seconds), _following(world, follow, own * (AT_ONCE // len(own)), heard):
        await told(WARM_EVENTS)
        gc.collect()
        gc.freeze()
        began, before = process_time(), count
        await told()
        rate = (count - before) / (process_time() - began)
    gc.unfreeze()
    return rate


_PARTS: Mapping[str, Follow] = {
    "feed": _feed,
    "follower": _follower,
    "execution": _executed,
    "answer": _answered,
    "socket": _sent,
}


async def events(bench: Bench) -> list[Comparison]:
    """Ours against a bare Starlette socket that is woken for each event and sends the same text."""
    seconds = min(bench.effort.seconds, 1.0)

    def side(name: str, follow: Follow, *, executor: str = "batch", of_one_run: bool = False) -> Side:
        return Side(name, lambda: _events_per_cpu_second(executor, follow, of_one_run=of_one_run, seconds=seconds))

    bare = side("bare socket", _sent_bare)
    alone = await bench.compare(
        f"events of {AT_ONCE} answers with a follower each, to ASGI: per second of CPU", side("ours", _sent), bare,
        "150 µs of an event beyond the server's",
    )  # fmt: skip
    standard = await bench.compare(
        "the same by the standard executor", side("ours", _sent, executor="standard"), bare, "none"
    )
    shared = await bench.compare(
        f"events of one answer with {AT_ONCE} followers, to ASGI: per second of CPU",
        side("ours", _sent, of_one_run=True), bare, "none",
    )  # fmt: skip
    for found in (alone, standard, shared):
        found.notes.append(f"µs per event: ours {_micros(found.our_rates)}, bare {_micros(found.anchor_rates)}")
    alone.notes.append(await _parts(bench, seconds, of_one_run=False))
    shared.notes.append(await _parts(bench, seconds, of_one_run=True))
    return [alone, standard, shared]


async def _parts(bench: Bench, seconds: float, *, of_one_run: bool) -> str:
    """What each part adds to those before it."""
    told, before = [], 0.0
    for name, follow in _PARTS.items():
        bench.say(f"the part of the {name}")
        rates = [
            await _events_per_cpu_second("batch", follow, of_one_run=of_one_run, seconds=seconds / 2)
            for _ in range(bench.effort.rounds)
        ]
        micros = 1e6 / median(rates)
        told.append(f"{name} {micros - before:.1f}")
        before = micros
    return f"of which, µs: {', '.join(told)}"


def _micros(rates: Sequence[float]) -> str:
    found = sorted(1e6 / rate for rate in rates)
    return f"{median(found):.1f} ({found[0]:.1f} … {found[-1]:.1f})"
