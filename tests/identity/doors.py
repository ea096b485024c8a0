"""The application as whoever comes in with an API key reaches it: in process, and over real connections."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import uvicorn
from starlette.applications import Starlette
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from app.asgi import graphql_routes, layers
from app.container import Container
from app.core.settings import Settings
from app.identity.keyring import Keyring
from app.identity.service import GuardedDoor
from app.identity.tokens import Claims, Tokens, own_keys
from app.schema import schema
from tests.graph.wire import PATIENCE_SECONDS, Speaker, until
from tests.runs.conftest import Process

FOLLOWED = "subscription { approvalRequested { id } }"
"""What goes on for ever, and here never tells anything."""


@dataclass(frozen=True, slots=True)
class Door:
    """A server whose process hears of revocations."""

    host: str
    keyring: Keyring

    @asynccontextmanager
    async def socket(self, key: str) -> AsyncIterator[Speaker]:
        """A socket on which a subscription was begun."""
        headers = {"Authorization": f"Bearer {key}"}
        async with connect(
            f"ws://{self.host}/graphql", compression=None, subprotocols=[Subprotocol("graphql-transport-ws")],
            additional_headers=headers,
        ) as connection:  # fmt: skip
            speaker = Speaker(connection)
            await speaker.say(type="connection_init")
            assert await speaker.hear() == {"type": "connection_ack"}
            await speaker.subscribe("1", FOLLOWED)
            yield speaker

    def http(self, key: str) -> httpx2.AsyncClient:
        """A client for requests."""
        headers = {"Authorization": f"Bearer {key}"}
        return httpx2.AsyncClient(base_url=f"http://{self.host}", headers=headers, timeout=PATIENCE_SECONDS)


@asynccontextmanager
async def a_door(process: Process) -> AsyncIterator[Door]:
    """A server of the whole schema over a process, stopped with the block."""
    keyring: Keyring = process.services[Keyring]
    settings, stopping = Settings(data_dir=Path("unused"), auth="on"), asyncio.Event()
    app = Starlette(routes=graphql_routes(schema, settings, stopping), middleware=layers(settings))
    authenticator = GuardedDoor(Tokens(Claims.of(settings), own_keys(settings), None), keyring)
    app.state.container = Container(settings, "unused", process.database, authenticator, process.services)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=2))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await until(lambda: server.started)
        try:
            yield Door(f"127.0.0.1:{listener.getsockname()[1]}", keyring)
        finally:
            stopping.set()
            server.should_exit = True
            await asyncio.wait_for(serving, PATIENCE_SECONDS)
