"""The ASGI app: lifespan, routes, one Context per request."""

import asyncio
import gc
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from types import FrameType
from typing import Any, cast

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute, Route, WebSocketRoute

from app.attachments.http import routes as attachment_routes
from app.container import Container, open_container
from app.core.actor import CorrelationId
from app.core.logging import configure_logging
from app.core.settings import Settings, load_settings
from app.exchange.http import routes as exchange_routes
from app.graph.attempts import few_failures
from app.graph.context import Context
from app.graph.correlation import Correlated
from app.graph.endpoints import Endpoints
from app.graph.http import GraphQLOverHTTP
from app.graph.observing import Observed
from app.graph.operations import MakeContext, Operations
from app.graph.rates import Rates
from app.graph.schema import Schema
from app.graph.socket import INIT_SECONDS, GraphQLOverSocket, SocketLimits
from app.identity.service import correlation_id
from app.pages.console import console
from app.pages.playground import playground
from app.probes.answers import Probes
from app.probes.port import watched
from app.schema import schema
from app.telemetry.observation import OBSERVED
from app.telemetry.spans import exporting
from app.workflow.http import routes as workflow_routes

ROUTES: tuple[Callable[[Endpoints], list[BaseRoute]], ...] = (attachment_routes, exchange_routes, workflow_routes)
"""What makes the routes of each room that has some: `routes` in its `http.py`."""


_CORS: dict[str, Any] = {
    "allow_methods": ("GET", "HEAD", "POST"),
    "allow_headers": ("*",),
    "expose_headers": ("x-correlation-id", "retry-after", "location", "content-disposition"),
}
"""What pages of other sites may send and read, where the settings let them ask."""


_OBJECTS_BEFORE_COLLECTION = 50_000
"""More than the answers under way have: by Python's own 700, five collections would look through each large one, for
circles that are not there. What is in none goes when it is dropped."""


def create_app(settings: Settings | None = None) -> Starlette:
    """The whole application; it opens the database when the server starts it, and closes it when the server stops."""
    chosen = settings or load_settings()

    stopping = asyncio.Event()
    probes = Probes(chosen, lambda: cast("Container", app.state.container))
    let_in, rates = few_failures(make_context, chosen), Rates.of(chosen)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        configure_logging(chosen.log_level)
        async with open_container(chosen) as container:
            app.state.container = container
            # What the process has built by now lives as long as it does: a collection that went through all of it would
            # hold up every stream for a tenth of a second.
            gc.collect()
            gc.freeze()
            gc.set_threshold(_OBJECTS_BEFORE_COLLECTION, 20, 50)
            async with watched(chosen, probes):
                with exporting(), set_when_stopping(stopping):
                    yield

    app = Starlette(
        routes=[
            *graphql_routes(schema, chosen, stopping, rates=rates, let_in=let_in),
            *endpoint_routes(let_in, rates),
            *probes.routes(),
            *console().routes(),
            *playground().routes(),
        ],
        middleware=layers(chosen),
        lifespan=lifespan,
    )
    return app


def layers(settings: Settings) -> list[Middleware]:
    """What every request passes through, from the outside in: also a refusal is one that a page may read."""
    origins = settings.allowed_origins
    return [
        Middleware(Correlated, correlate=correlation_id),
        # Without credentials, which are cookies: nobody is let in by one.
        *([Middleware(CORSMiddleware, allow_origins=origins, **_CORS)] if origins else []),
        Middleware(Observed, graphql_path="/graphql"),
        Middleware(TrustedHostMiddleware, allowed_hosts=settings.host_names, www_redirect=False),
    ]


def graphql_routes(
    served: Schema,
    settings: Settings,
    stopping: asyncio.Event,
    init_seconds: float = INIT_SECONDS,
    rates: Rates | None = None,
    let_in: MakeContext | None = None,
) -> list[BaseRoute]:
    """A schema at /graphql, for requests and for sockets; the application's state holds the container."""
    limits = SocketLimits(
        settings.socket_operations, settings.max_body_bytes, settings.socket_ping_seconds, init_seconds
    )
    operations, origins = Operations(served, settings, rates, settings.executor), settings.allowed_origins
    let_in = let_in or few_failures(make_context, settings)
    return [
        Route("/graphql", GraphQLOverHTTP(operations, correlation_id, let_in, settings.max_body_bytes, stopping)),
        WebSocketRoute(
            "/graphql", GraphQLOverSocket(operations, correlation_id, let_in, limits, settings.host_names, origins)
        ),
    ]


def endpoint_routes(let_in: MakeContext | None = None, rates: Rates | None = None) -> list[BaseRoute]:
    """What the rooms answer beside the graph, over plain HTTP."""
    endpoint = Endpoints(correlation_id, let_in or make_context, rates)
    return [route for routes in ROUTES for route in routes(endpoint)]


async def make_context(connection: HTTPConnection, headers: Mapping[str, str], correlation: CorrelationId) -> Context:
    """Lets a caller in: what resolvers and endpoints are given; the application's state holds the container."""
    container: Container = connection.app.state.container
    actor = await container.authenticator.actor(headers, correlation)
    if (observed := OBSERVED.get()) is not None:
        observed.actor = actor
    return Context(actor, container.database, container.services, partial(container.authenticator.withdrawn, actor))


@contextmanager
def set_when_stopping(stopping: asyncio.Event) -> Iterator[None]:
    """Set the event as soon as the process is asked to stop.

    uvicorn 0.54 waits for the answers under way before it tells the application: a streamed one would keep it waiting.
    It ends sockets itself, with 1012.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def stop(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stopping.set)
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
