"""The ASGI app: lifespan, routes, one Context per request."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from app.container import Container, open_container
from app.core.actor import CorrelationId
from app.core.errors import AppError
from app.core.logging import configure_logging
from app.core.settings import Settings, load_settings
from app.graph.context import Context
from app.graph.http import GraphQLOverHTTP
from app.identity.service import correlation_id
from app.playground import ASSETS, playground_routes
from app.schema import schema

LOOPBACK_NAMES = ["127.0.0.1", "localhost", "[::1]"]
"""What a browser may call a server whose doors are open: a page elsewhere could give its own name our address."""


def create_app(settings: Settings | None = None) -> Starlette:
    """The whole application; it opens the database when the server starts it, and closes it when the server stops."""
    chosen = settings or load_settings()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        configure_logging(chosen.log_level)
        async with open_container(chosen) as container:
            app.state.container = container
            yield

    async def make_context(request: Request, correlation: CorrelationId) -> Context:
        container: Container = request.app.state.container
        actor = await container.authenticator.actor(request.headers, correlation)
        return Context(actor, container.database, container.services)

    graphql = GraphQLOverHTTP(schema, correlation_id, make_context, chosen.max_body_bytes)
    return Starlette(
        routes=[
            Route("/graphql", graphql),
            Route("/", _to_the_playground),
            Route("/health/live", _alive),
            Route("/health/ready", _ready),
            *playground_routes(ASSETS),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=LOOPBACK_NAMES, www_redirect=False)],
        lifespan=lifespan,
    )


async def _to_the_playground(_request: Request) -> Response:
    return RedirectResponse("/graphiql", 307)


async def _alive(_request: Request) -> Response:
    return JSONResponse({"status": "alive"})


async def _ready(request: Request) -> Response:
    """Whether the database answers (S2-21)."""
    container: Container = request.app.state.container
    try:
        await container.database.ping()
    except AppError:
        return JSONResponse({"status": "not ready", "database": "does not answer"}, 503)
    return JSONResponse({"status": "ready"})
