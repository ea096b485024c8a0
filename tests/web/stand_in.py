"""A schema with subscriptions, for what the playground does with a socket."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import strawberry
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from strawberry.asgi import GraphQL
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL

from app.playground import playground_routes


@strawberry.type
class Query:
    ready: bool = True


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def greetings(self, info: strawberry.Info[dict[str, Any], None], count: int) -> AsyncGenerator[str, None]:
        name = info.context["connection_params"].get("X-Colloquy-User", "nobody")
        for number in range(1, count + 1):
            yield f"greeting {number} to {name}"

    @strawberry.subscription
    async def patience(self) -> AsyncGenerator[str, None]:
        yield "the first and last"
        await asyncio.Event().wait()


def application(assets: Path) -> Starlette:
    """The schema at /graphql, and the playground of `assets` beside it."""
    graphql: GraphQL[dict[str, Any], None] = GraphQL(
        strawberry.Schema(Query, subscription=Subscription),
        graphql_ide=None,
        subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL],
    )
    return Starlette(
        routes=[Route("/graphql", graphql), WebSocketRoute("/graphql", graphql), *playground_routes(assets)],
    )
