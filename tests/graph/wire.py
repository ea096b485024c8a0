"""The small schema on a real server in the test's own event loop, and a client of its sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx2
import orjson
import uvicorn
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from app.asgi import graphql_routes, layers
from app.container import Container
from app.core.actor import Actor, CorrelationId
from app.core.settings import Settings
from app.db.database import Database
from app.graph.socket import INIT_SECONDS
from app.graph.writing import WrittenAtOnce
from app.identity.service import Authenticator, OpenDoor
from tests.fakes import NoDatabase
from tests.graph.small_schema import Running, small_schema

PATIENCE_SECONDS = 20.0
SCHEMA = small_schema()


class Tickets(OpenDoor):
    """Lets everybody in for a moment."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def actor(self, headers: Mapping[str, str], correlation: CorrelationId) -> Actor:
        """The actor of the open door, whose time is short."""
        actor = await super().actor(headers, correlation)
        return replace(actor, expires_at=datetime.now(UTC) + timedelta(seconds=self._seconds))


@dataclass
class Wire:
    """A server, and what its subscriptions do."""

    host: str
    running: Running
    server: uvicorn.Server
    stopping: asyncio.Event
    quiet: int
    """Tasks of the process when nobody is connected."""

    @asynccontextmanager
    async def socket(self, *, init: Any = None, user: str = "alice", **options: Any) -> AsyncIterator["Speaker"]:
        """A socket on which the server has acknowledged the client, unless `init` is False."""
        options = {"subprotocols": [Subprotocol("graphql-transport-ws")], "additional_headers": {}, **options}
        options["additional_headers"] = {"X-Colloquy-User": user, **options["additional_headers"]}
        async with connect(f"ws://{self.host}/graphql", compression=None, **options) as connection:
            speaker = Speaker(connection)
            if init is not False:
                await speaker.say(type="connection_init", **({} if init is None else {"payload": init}))
                assert await speaker.hear() == {"type": "connection_ack"}
            yield speaker

    def http(self, user: str = "alice") -> httpx2.AsyncClient:
        """A client for requests."""
        return httpx2.AsyncClient(base_url=f"http://{self.host}", headers={"X-Colloquy-User": user}, timeout=20)

    async def is_quiet(self) -> None:
        """Return once no operation is open, and no task is left of any connection."""
        state = self.server.server_state
        await until(lambda: not (self.running.open or state.tasks or state.connections))
        await until(lambda: len(asyncio.all_tasks()) <= self.quiet)

    async def runs(self, operations: int) -> None:
        """Return once so many operations are open."""
        await until(lambda: self.running.open == operations)


class Speaker:
    """Speaks graphql-transport-ws."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def say(self, **message: Any) -> None:
        """Send a message."""
        await self.connection.send(orjson.dumps(message).decode())

    async def subscribe(self, id_: str, query: str, **variables: Any) -> None:
        """Start an operation."""
        await self.say(id=id_, type="subscribe", payload={"query": query, "variables": variables})

    async def hear(self) -> dict[str, Any]:
        """The next message."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            heard: dict[str, Any] = orjson.loads(await self.connection.recv())
        return heard

    async def hear_all(self, *ids: str) -> list[dict[str, Any]]:
        """All messages until each of these operations has ended."""
        heard, open_ = [], set(ids)
        while open_:
            heard.append(await self.hear())
            if heard[-1]["type"] in ("complete", "error"):
                open_.discard(heard[-1]["id"])
        return heard

    async def closed(self) -> tuple[int, str]:
        """The code and reason with which the server closes, whatever it says before."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            with suppress(ConnectionClosed):
                while True:
                    await self.connection.recv()
        assert self.connection.close_code is not None
        return self.connection.close_code, self.connection.close_reason or ""


async def until(holds: Callable[[], bool]) -> None:
    """Return once something holds."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if holds():
                return
            await asyncio.sleep(0.01)


@asynccontextmanager
async def wire(
    *,
    authenticator: Authenticator | None = None,
    database: Database | None = None,
    init_seconds: float = INIT_SECONDS,
    **settings: Any,
) -> AsyncIterator[Wire]:
    """A server of the small schema, stopped with the block."""
    chosen = Settings(data_dir=Path("unused"), **settings)
    running, stopping = Running(), asyncio.Event()
    app = Starlette(
        routes=graphql_routes(SCHEMA, chosen, stopping, init_seconds),
        middleware=layers(chosen),
    )
    services: dict[type, object] = {Running: running}
    asked = cast(Database, database or NoDatabase())
    app.state.container = Container(chosen, "unused", asked, authenticator or OpenDoor(), services)
    config = uvicorn.Config(
        app, http=WrittenAtOnce, log_config=None, lifespan="off", timeout_graceful_shutdown=2,
        ws_max_size=chosen.max_body_bytes,
    )  # fmt: skip
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await until(lambda: server.started)
        host = f"127.0.0.1:{listener.getsockname()[1]}"
        try:
            yield Wire(host, running, server, stopping, quiet=len(asyncio.all_tasks()))
        finally:
            stopping.set()
            server.should_exit = True
            await asyncio.wait_for(serving, PATIENCE_SECONDS)
