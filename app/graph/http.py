"""GraphQL over HTTP: one operation a request."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import ExitStack, aclosing
from typing import Any
from urllib.parse import parse_qs

import orjson
from graphql import OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.core.actor import CorrelationId
from app.core.errors import AppError, ErrorCode
from app.graph.accept import JSON, Accepted, accepted_by
from app.graph.body import (
    BadRequest,
    BodyTooLarge,
    GraphQLRequest,
    bounded,
    parse_json,
    parse_request,
    request_of,
)
from app.graph.context import Context
from app.graph.endpoints import media_type, require_preflight
from app.graph.multipart import read_operation, require_uploads
from app.graph.operations import Answer, Correlate, MakeContext, Operations, Refused, errors_of, only
from app.graph.streaming import EventStream, Framing, Multipart, StreamedAnswers

_STATUS = {ErrorCode.UNAUTHENTICATED: 401, ErrorCode.FORBIDDEN: 403, ErrorCode.PERSISTENCE_ERROR: 503}
"""Refusals that HTTP has a status for; 400 for all other reasons."""


class GraphQLOverHTTP:
    """The ASGI app behind /graphql for requests; sockets have their own.

    `stopping` is set when the server begins to stop: streamed responses end then, for they would go on for ever.
    """

    def __init__(
        self,
        operations: Operations,
        correlate: Correlate,
        make_context: MakeContext,
        max_body_bytes: int,
        stopping: asyncio.Event,
    ) -> None:
        self._operations = operations
        self._correlate = correlate
        self._make_context = make_context
        self._max_body_bytes = max_body_bytes
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever it holds, the answer is JSON, or a stream where one was asked for."""
        request = Request(scope, receive)
        # Files that came with the request are kept until it is answered.
        with ExitStack() as closing:
            try:
                response = await self._respond(request, closing)
            except ClientDisconnect:
                return
            await response(scope, receive, send)

    async def _respond(self, request: Request, closing: ExitStack) -> ASGIApp:
        correlation_id = self._correlate(request.headers)
        try:
            context = await self._make_context(request, request.headers, correlation_id)
            return await self._answer(request, await self._read(request, closing), context)
        except ClientDisconnect:
            raise
        except Exception as error:
            return _json({"errors": errors_of(error, correlation_id)}, correlation_id, _status(error))

    async def _answer(self, request: Request, asked: GraphQLRequest, context: Context) -> ASGIApp:
        """The answer, or the stream of answers, in the form that the client takes."""
        correlation_id = context.actor.correlation_id
        accepted = accepted_by(request.headers.get("accept"))
        if request.method == "GET" and accepted.only_events:
            raise MethodRefused("streams are not taken by GET")
        try:
            framing, answers = await self._start(request, asked, context, accepted)
        except (Refused, AppError) as error:
            if not accepted.only_events or isinstance(error, MethodRefused):
                raise
            # Such a client fails on any other status, without a look at what the answer says.
            framing, answers = EventStream(), only({"errors": errors_of(error, correlation_id)})
        if framing is not None:
            return StreamedAnswers(framing, answers, context, self._stopping)
        async with aclosing(answers):
            return _json(await anext(answers), correlation_id)

    async def _start(
        self, request: Request, asked: GraphQLRequest, context: Context, accepted: Accepted
    ) -> tuple[Framing | None, AsyncGenerator[Answer, None]]:
        operation = self._operations.prepare(asked, context)
        if asked.files:
            require_uploads(self._operations.schema, operation.definition, asked)
        if request.method == "GET" and operation.kind is not OperationType.QUERY:
            raise MethodRefused("only queries are taken by GET")
        framing = _framing(operation.kind, accepted)
        return framing, await self._operations.start(operation, context)

    async def _read(self, request: Request, closing: ExitStack) -> GraphQLRequest:
        match request.method:
            case "POST":
                return await self._posted(request, closing)
            case "GET":
                return _from_query_string(request)
            case _:
                raise MethodRefused(f"{request.method} is not a way to ask")

    async def _posted(self, request: Request, closing: ExitStack) -> GraphQLRequest:
        # A form of another site can send text/plain without asking first, and files too; JSON it cannot.
        match media_type(request.headers):
            case "application/json":
                return parse_request(await bounded(request.stream(), self._max_body_bytes))
            case "multipart/form-data":
                require_preflight(request.headers)
                content_type = request.headers["content-type"]
                return await read_operation(content_type, request.stream(), self._max_body_bytes, closing)
            case _:
                raise NotJson(f"send the request as {JSON}", hint="set the header Content-Type")


class MethodRefused(BadRequest):
    """The request may be taken, but not by this method."""

    def __init__(self, message: str) -> None:
        super().__init__(message, hint="use POST")


class NotJson(BadRequest):
    """The body is something else than JSON, by its own account."""


def _status(error: Exception) -> int:
    """What HTTP calls a request that was refused as a whole."""
    match error:
        case MethodRefused():
            return 405
        case NotJson():
            return 415
        case BodyTooLarge():
            return 413
        case AppError():
            return _STATUS.get(error.code, 400)
        case Refused():
            return 400
        case _:
            return 500


def _framing(kind: OperationType, accepted: Accepted) -> Framing | None:
    """How the answers are streamed; None where there is one, in plain JSON."""
    if kind is not OperationType.SUBSCRIPTION:
        return EventStream() if accepted.only_events else None
    if accepted.events:
        return EventStream()
    if accepted.multipart:
        return Multipart()
    raise BadRequest(
        "a subscription has more than one answer",
        hint="subscribe over a WebSocket (graphql-transport-ws), or with the header Accept: text/event-stream or "
        "multipart/mixed;subscriptionSpec=1.0",
    )


def _json(answer: dict[str, Any], correlation_id: CorrelationId, status: int = 200) -> Response:
    headers: dict[str, str] = {"x-correlation-id": correlation_id}
    if status == 405:
        headers["allow"] = "GET, POST"
    return Response(orjson.dumps(answer), status_code=status, media_type=JSON, headers=headers)


def _from_query_string(request: Request) -> GraphQLRequest:
    given = {name: values[-1] for name, values in parse_qs(request.url.query).items()}
    if "variables" in given:
        return request_of({**given, "variables": parse_json(given["variables"].encode(errors="surrogatepass"))})
    return request_of(given)
