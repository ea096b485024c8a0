"""A GraphQL client over the whole application, in process: routes, view, schema, database."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import orjson

from app.asgi import create_app
from app.container import Container
from app.core.actor import CorrelationId
from app.core.errors import AppError
from app.core.ids import new_id
from app.core.settings import Settings
from app.db.database import Database
from app.graph.body import GraphQLRequest
from app.graph.context import Context
from app.graph.operations import Answer, Operations, Refused, errors_of
from app.identity.service import Authenticator, OpenDoor
from app.schema import schema
from tests.conversations import PATIENCE_SECONDS
from tests.leaks import WATCH
from tests.uploads import request_body

WIDE: dict[str, Any] = {
    "max_document_characters": 1_000_000, "max_document_tokens": 100_000, "max_document_aliases": 10_000,
    "max_document_fields": 100_000, "max_cost": 10**15,
}  # fmt: skip
"""Documents of walks, which ask for every field there is, are larger than those that clients send."""


def as_sent(answer: Answer) -> dict[str, Any]:
    """An answer as a client reads it: until it is written, it holds what is only then written as text."""
    found: dict[str, Any] = orjson.loads(orjson.dumps(answer))
    return found


@dataclass(frozen=True, slots=True)
class GraphQLClient:
    """Asks as one user."""

    http: httpx2.AsyncClient
    container: Container | None = None
    """What answers, where that is in this process."""

    async def post(self, query: str, variables: Mapping[str, Any] | None = None, **headers: str) -> httpx2.Response:
        """The raw answer to an operation. What it is sent must not be logged."""
        WATCH.remember(variables or {})
        body = request_body(query, variables or {})
        return await self.http.post("/graphql", **{**body, "headers": {**body["headers"], **headers}})

    async def answer(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The answer's JSON, errors and all."""
        found: dict[str, Any] = (await self.post(query, variables)).json()
        return found

    async def data(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The data of an operation that has no errors."""
        found = await self.answer(query, variables)
        assert "errors" not in found, found["errors"]
        data: dict[str, Any] = found["data"]
        return data

    async def context(self) -> Context:
        """What a resolver is given when this client asks; only of an application in this process."""
        assert self.container is not None, "the application is in another process"
        actor = await self.container.authenticator.actor(self.http.headers, CorrelationId(str(new_id())))
        return Context(actor, self.container.database, self.container.services)

    async def first_event(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The first answer to a subscription, errors and all; it is left after that."""
        context = await self.context()
        asked, correlation_id = GraphQLRequest(query, dict(variables)), context.actor.correlation_id
        try:
            operations = Operations(schema, executor=Settings().executor)
            answers = await operations.start(operations.prepare(asked, context), context)
        except (Refused, AppError) as error:
            return {"errors": errors_of(error, correlation_id)}
        async with asyncio.timeout(PATIENCE_SECONDS), aclosing(answers):
            return as_sent(await anext(answers))

    async def mutate(self, field: str, selection: str, input_: Mapping[str, Any]) -> dict[str, Any]:
        """The payload of one mutation: `selection` beside success, error and deduplicated."""
        kind = field[0].upper() + field[1:]
        query = f"""mutation ($input: {kind}Input!) {{ {field}(input: $input) {{
            success deduplicated error {{ code message field hint retryable }} warnings {{ code message }}
            {selection} }} }}"""
        payload: dict[str, Any] = (await self.data(query, {"input": dict(input_)}))[field]
        return payload

    async def create_session(self, **input_: Any) -> str:
        """The id of a new session."""
        payload = await self.mutate("createSession", "session { id }", input_)
        assert payload["success"], payload
        return str(payload["session"]["id"])

    async def say(self, session_id: str, content: str = "hello", **input_: Any) -> dict[str, Any]:
        """The payload of a new user message."""
        return await self.mutate(
            "persistUserMessage",
            "message { id sequenceNumber }",
            {"sessionId": session_id, "content": content, **input_},
        )

    async def reply(self, session_id: str, content: str = "hi", **input_: Any) -> dict[str, Any]:
        """The payload of a new assistant message."""
        return await self.mutate(
            "persistAssistantMessage",
            "message { id sequenceNumber }",
            {"sessionId": session_id, "content": content, **input_},
        )


@dataclass(frozen=True, slots=True)
class Door:
    """How clients come in: who decides, and what is shown by `user` or `user@tenant`."""

    authenticator: Authenticator
    shown: Callable[[str], Mapping[str, str]]


OPEN = Door(OpenDoor(), lambda user: {"X-Colloquy-User": user})
"""Authentication is off."""


@asynccontextmanager
async def client_of(
    database: Database, services: Mapping[type, object], user: str, door: Door = OPEN
) -> AsyncIterator[GraphQLClient]:
    """A client of the application over `database`, as `user` or `user@tenant`."""
    settings = Settings(data_dir=Path("unused"), **WIDE)
    app = create_app(settings)
    container = app.state.container = Container(settings, "unused", database, door.authenticator, services)
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=True)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=door.shown(user)) as http:
        yield GraphQLClient(http, container)
