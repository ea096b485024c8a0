"""GraphQL over HTTP: one operation a request."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

import orjson
import structlog
from graphql import OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.core.actor import CorrelationId
from app.core.clock import Stopwatch
from app.core.errors import AppError, ErrorCode
from app.graph.body import BadRequest, GraphQLRequest, parse_json, parse_request, request_of
from app.graph.context import Context
from app.graph.errors import MASK, app_error_extensions, formatted
from app.graph.schema import Schema

log = structlog.get_logger("colloquy.http")

Correlate = Callable[[Mapping[str, str]], CorrelationId]
"""Gives a request its correlation id: the client's own, from its headers, or a new one."""

MakeContext = Callable[[Request, CorrelationId], Awaitable[Context]]

JSON = "application/json"

_STATUS = {ErrorCode.UNAUTHENTICATED: 401, ErrorCode.FORBIDDEN: 403, ErrorCode.PERSISTENCE_ERROR: 503}
"""What HTTP calls a request that was refused as a whole; 400 for all other reasons."""

SLOW_MS = 1_000
"""An answer that took longer is worth a line in the log, as is one that was refused; the others are for debugging."""


class GraphQLOverHTTP:
    """The ASGI app behind /graphql for requests; sockets have their own."""

    def __init__(self, schema: Schema, correlate: Correlate, make_context: MakeContext, max_body_bytes: int) -> None:
        self._schema = schema
        self._correlate = correlate
        self._make_context = make_context
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever it holds, the answer is JSON."""
        request = Request(scope, receive)
        try:
            response = await self._respond(request)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        watch = Stopwatch()
        correlation_id = self._correlate(request.headers)
        try:
            context = await self._make_context(request, correlation_id)
            answer, status = await self._execute(await self._read(request), context, reading=request.method == "GET")
        except _Refused as refused:
            answer, status = _errors(refused.error, correlation_id), refused.status
        except AppError as error:
            answer, status = _errors(error, correlation_id), _STATUS.get(error.code, 400)
        except ClientDisconnect:
            raise
        except Exception as error:
            log.exception("request_failed", correlation_id=correlation_id, exc_info=error)
            code = {"code": ErrorCode.INTERNAL_SERVER_ERROR.value, "correlationId": correlation_id}
            answer, status = {"errors": [{"message": MASK, "extensions": code}]}, 500
        tell = log.info if status >= 400 or watch.elapsed_ms() > SLOW_MS else log.debug
        tell("answered", status=status, elapsed_ms=watch.elapsed_ms(), correlation_id=correlation_id)
        headers: dict[str, str] = {"x-correlation-id": correlation_id}
        if status == 405:
            headers["allow"] = "GET, POST"
        return Response(orjson.dumps(answer), status_code=status, media_type=JSON, headers=headers)

    async def _read(self, request: Request) -> GraphQLRequest:
        match request.method:
            case "POST":
                # A form of another site can send text/plain without asking first; JSON it cannot.
                if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
                    raise _Refused(415, BadRequest(f"send the request as {JSON}", hint="set the header Content-Type"))
                return parse_request(await self._body(request))
            case "GET":
                return _from_query_string(request)
            case _:
                raise _Refused(405, BadRequest(f"{request.method} is not a way to ask", hint="use POST"))

    async def _body(self, request: Request) -> bytes:
        """The whole body, refused as soon as it proves too long, whatever its header said."""
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > self._max_body_bytes:
                raise _Refused(413, BodyTooLarge(self._max_body_bytes))
        return bytes(body)

    async def _execute(self, asked: GraphQLRequest, context: Context, *, reading: bool) -> tuple[dict[str, Any], int]:
        correlation_id = context.actor.correlation_id
        prepared = self._schema.prepare(asked.query)
        if prepared.errors:
            return {"errors": [formatted(error, correlation_id) for error in prepared.errors]}, 400
        match prepared.operation_type(asked.operation_name):
            case OperationType.SUBSCRIPTION:
                raise BadRequest("subscriptions are not taken by a request", hint="subscribe over a WebSocket")
            case OperationType.MUTATION if reading:
                raise _Refused(405, BadRequest("only queries are taken by GET", hint="use POST"))
        result = await self._schema.run(asked, prepared, context)
        answer: dict[str, Any] = {}
        if result.errors:
            answer["errors"] = [formatted(error, correlation_id) for error in result.errors]
        # Where nothing was executed there is no data, not even null: the request itself was at fault.
        refused = result.data is None and all(error.path is None for error in result.errors or ())
        if not refused:
            answer["data"] = result.data
        return answer, 400 if refused else 200


class BodyTooLarge(AppError):
    """The body was longer than the setting allows."""

    code = ErrorCode.LIMIT_EXCEEDED

    def __init__(self, limit: int) -> None:
        super().__init__(f"the request is larger than {limit:,} bytes", hint="send less at once")


class _Refused(Exception):
    """A request that is refused with a status of its own."""

    def __init__(self, status: int, error: AppError) -> None:
        super().__init__(error.message)
        self.status, self.error = status, error


def _from_query_string(request: Request) -> GraphQLRequest:
    given = {name: values[-1] for name, values in parse_qs(request.url.query).items()}
    if "variables" in given:
        return request_of({**given, "variables": parse_json(given["variables"].encode(errors="surrogatepass"))})
    return request_of(given)


def _errors(error: AppError, correlation_id: CorrelationId) -> dict[str, Any]:
    extensions = {**app_error_extensions(error), "correlationId": correlation_id}
    return {"errors": [{"message": error.message, "extensions": extensions}]}
