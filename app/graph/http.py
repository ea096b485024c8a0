"""GraphQL over HTTP: one operation a request."""

import asyncio
from contextlib import ExitStack

import orjson
from graphql import OperationType
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.core.actor import CorrelationId
from app.core.errors import AppError
from app.graph.accept import JSON, RESPONSE, Accepted, accepted_by
from app.graph.body import GraphQLRequest, parse_request, whole_body
from app.graph.content import media_type, request_in, require_json, require_plain, require_preflight
from app.graph.context import Context
from app.graph.headers import IndexedHeaders
from app.graph.multipart import read_operation, require_uploads
from app.graph.operations import Answer, Correlate, MakeContext, Operation, Operations, Refused, errors_of, only
from app.graph.refusals import HttpRefusal, MethodNotAllowed, NotAcceptable, headers_of, status_of
from app.graph.streaming import EventStream, Framing, Multipart, StreamedAnswers

METHODS = "GET, POST"

PARTIAL_SUCCESS = 294
"""The specification's own status for data with errors beside it, in its own media type alone: for those who watch."""


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
        headers = IndexedHeaders(request.scope)
        correlation_id = self._correlate(headers)
        accepted = accepted_by(headers.getlist("accept"))
        try:
            context = await self._make_context(request, headers, correlation_id)
            _require_form(accepted)
            asked = await self._read(request, headers, closing)
            return await self._answer(request, asked, context, accepted)
        except ClientDisconnect:
            raise
        except Exception as error:
            return _refused(error, correlation_id, accepted, status_of(error))

    async def _read(self, request: Request, headers: Headers, closing: ExitStack) -> GraphQLRequest:
        """What is asked for; an error of it is told with a status of its own, whatever the client accepts."""
        match request.method:
            case "POST":
                return await self._posted(request, headers, closing)
            case "GET":
                return request_in(request.scope["query_string"])
            case _:
                raise MethodNotAllowed(f"{request.method} is not a way to ask", METHODS)

    async def _posted(self, request: Request, headers: Headers, closing: ExitStack) -> GraphQLRequest:
        require_plain(headers)
        if media_type(headers) == "multipart/form-data":
            require_preflight(headers)
            return await read_operation(headers["content-type"], request.stream(), self._max_body_bytes, closing)
        require_json(headers)
        return parse_request(await whole_body(request.receive, self._max_body_bytes))

    async def _answer(self, request: Request, asked: GraphQLRequest, context: Context, accepted: Accepted) -> ASGIApp:
        """The answer, or the stream of answers, in the form that the client takes."""
        correlation_id = context.actor.correlation_id
        # Any page could have a browser send a GET: it changes nothing, and holds no connection open.
        if request.method == "GET" and accepted.as_events:
            raise MethodNotAllowed("streams are not taken by GET", METHODS)
        try:
            operation = self._prepared(request, asked, context)
            framing = _framing(operation.kind, accepted)
            if framing is None:
                answer = await self._operations.answer(operation, context)
                status = PARTIAL_SUCCESS if "errors" in answer and accepted.json == RESPONSE else 200
                return _json(answer, correlation_id, accepted, status)
            answers = await self._operations.start(operation, context)
        except (Refused, AppError) as error:
            if not accepted.as_events or isinstance(error, HttpRefusal):
                return _refused(error, correlation_id, accepted, _status_of_operation(error, accepted))
            # Such a client fails on any other status, without a look at what the answer says.
            framing, answers = EventStream(), only({"errors": errors_of(error, correlation_id)})
        return StreamedAnswers(framing, answers, context, self._stopping)

    def _prepared(self, request: Request, asked: GraphQLRequest, context: Context) -> Operation:
        operation = self._operations.prepare(asked, context)
        if asked.files:
            require_uploads(self._operations.schema, operation.definition, asked)
        if request.method == "GET" and operation.kind is not OperationType.QUERY:
            raise MethodNotAllowed("only queries are taken by GET", METHODS)
        return operation


def _require_form(accepted: Accepted) -> None:
    """Raise NotAcceptable where no answer of ours is what the client takes."""
    if accepted.json is None and not (accepted.events or accepted.multipart):
        raise NotAcceptable("the header Accept names nothing that is sent here", hint=f"accept {RESPONSE} or {JSON}")


def _framing(kind: OperationType, accepted: Accepted) -> Framing | None:
    """How the answers are streamed; None where there is one, in JSON. NotAcceptable where the client takes neither."""
    if kind is not OperationType.SUBSCRIPTION:
        if accepted.as_events:
            return EventStream()
        if accepted.json is None:
            raise NotAcceptable("there is one answer, which is no stream of parts", hint=f"accept {RESPONSE} too")
        return None
    if accepted.events and accepted.events >= accepted.multipart:
        return EventStream()
    if accepted.multipart:
        return Multipart()
    raise NotAcceptable(
        "a subscription has more than one answer",
        hint="subscribe over a WebSocket (graphql-transport-ws), or with the header Accept: text/event-stream or "
        "multipart/mixed;subscriptionSpec=1.0",
    )


def _status_of_operation(error: Exception, accepted: Accepted) -> int:
    """The status of an operation that is not executed although its request could be read.

    What is wrong with its document or its variables has no status for who asks for `application/json`: such a client
    takes any other status for a fault on the way, and may not look at the answer.
    """
    status = status_of(error)
    if status not in (400, 413):
        return status
    return 200 if accepted.names_json else 400


def _refused(error: Exception, correlation_id: CorrelationId, accepted: Accepted, status: int) -> Response:
    response = _json({"errors": errors_of(error, correlation_id)}, correlation_id, accepted, status)
    response.headers.update(headers_of(error))
    return response


def _json(answer: Answer, correlation_id: CorrelationId, accepted: Accepted, status: int) -> Response:
    headers: dict[str, str] = {
        "content-type": f"{accepted.json or JSON}; charset=utf-8",
        "x-correlation-id": correlation_id,
        "vary": "accept",
        "cache-control": "no-store",
    }
    return Response(orjson.dumps(answer), status, headers)
