"""The application as whoever comes in with an API key reaches it: in process, and over real connections."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.routing import Route, WebSocketRoute
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from app.asgi import LOOPBACK_NAMES
from app.core.actor import Actor, CorrelationId
from app.graph.context import Context
from app.graph.http import GraphQLOverHTTP
from app.graph.operations import Operations
from app.graph.socket import GraphQLOverSocket, SocketLimits
from app.identity.keyring import Keyring
from app.identity.service import correlation_id
from app.schema import schema
from tests.graph.wire import PATIENCE_SECONDS, Speaker, until
from tests.runs.conftest import Process

FOLLOWED = "subscription { approvalRequested { id } }"
"""What goes on for ever, and here never tells anything."""


class Keys:
    """Lets in who shows a key, and nobody else."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    async def actor(self, headers: Mapping[str, str], correlation: CorrelationId) -> Actor:
        """Whom the key lets in."""
        return await self._keyring.admit(headers.get("authorization", "").removeprefix("Bearer "), correlation)


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
    keys, operations, stopping = Keys(keyring), Operations(schema), asyncio.Event()

    async def make_context(_: HTTPConnection, headers: Mapping[str, str], correlation: CorrelationId) -> Context:
        actor = await keys.actor(headers, correlation)
        return Context(actor, process.database, process.services, partial(keyring.withdrawn, actor))

    limits = SocketLimits(operations=10, message_bytes=100_000, ping_seconds=PATIENCE_SECONDS)
    app = Starlette(
        routes=[
            Route("/graphql", GraphQLOverHTTP(operations, correlation_id, make_context, 100_000, stopping)),
            WebSocketRoute(
                "/graphql", GraphQLOverSocket(operations, correlation_id, make_context, limits, LOOPBACK_NAMES)
            ),
        ]
    )
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
