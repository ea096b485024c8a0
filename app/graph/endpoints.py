"""Plain HTTP endpoints of rooms: one request, one Context, and what is refused as JSON."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any

import orjson
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from app.core.actor import CorrelationId
from app.core.errors import AppError, ErrorCode
from app.graph.accept import JSON
from app.graph.content import require_plain, require_preflight
from app.graph.context import Context
from app.graph.errors import MASK
from app.graph.operations import Correlate, MakeContext, ReadOnly
from app.graph.rates import Rates
from app.graph.refusals import MethodNotAllowed, headers_of, status_of
from app.telemetry.observation import OBSERVED, note_error

log = structlog.get_logger("colloquy.http")

Handler = Callable[[Request, Context], Awaitable[Response]]
"""Answers one request, or raises an AppError. A streamed body may raise too: the connection is cut then."""

ENDPOINT_COST = 10
"""Of a request beside the graph, in points of the rate limit: a file or an export, whatever its size."""


class BodyBroken(Exception):
    """A streamed body ended before it was whole; raised to the server, which cuts the connection."""


class Endpoints:
    """Makes the routes of a room: `endpoint("/things/{id}", get=read, post=change)`.

    Every handler is given the caller's Context, as resolvers are; HEAD is answered by `get` without its body.
    """

    def __init__(self, correlate: Correlate, make_context: MakeContext, rates: Rates | None = None) -> None:
        self._correlate = correlate
        self._make_context = make_context
        self._rates = rates or Rates.none()

    def __call__(self, path: str, **handlers: Handler) -> BaseRoute:
        """The route of a path; `handlers` by their methods in lower case."""
        by_method = {method.upper(): handler for method, handler in handlers.items()}
        return Route(path, _Endpoint(path, self._correlate, self._make_context, self._rates, by_method))


class _Endpoint:
    """The ASGI app behind one path."""

    def __init__(
        self,
        path: str,
        correlate: Correlate,
        make_context: MakeContext,
        rates: Rates,
        handlers: Mapping[str, Handler],
    ) -> None:
        self._path = path
        self._correlate = correlate
        self._make_context = make_context
        self._rates = rates
        self._handlers = handlers if "GET" not in handlers else {**handlers, "HEAD": handlers["GET"]}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. What fails after the answer has begun cuts it: it must not look whole."""
        request = Request(scope, receive)
        if (observed := OBSERVED.get()) is not None:
            observed.kind, observed.route = "endpoint", self._path
        correlation_id = self._correlate(request.headers)
        try:
            response = await self._respond(request, correlation_id)
        except ClientDisconnect:
            return
        body = getattr(response, "body_iterator", None)
        try:
            await (_without_body(response) if request.method == "HEAD" else response)(scope, receive, send)
        except ClientDisconnect:
            return
        except Exception:
            log.exception("body_broken", correlation_id=correlation_id)
            raise BodyBroken(f"a body broke off; correlation id {correlation_id}") from None
        finally:
            if isinstance(body, AsyncGenerator):
                await body.aclose()

    async def _respond(self, request: Request, correlation_id: CorrelationId) -> Response:
        try:
            response = await self._handle(request, correlation_id)
        except ClientDisconnect:
            raise
        except Exception as error:
            response = _refused(error, correlation_id)
        response.headers["x-correlation-id"] = correlation_id
        return response

    async def _handle(self, request: Request, correlation_id: CorrelationId) -> Response:
        context = await self._make_context(request, request.headers, correlation_id)
        self._rates.spend(context.actor, ENDPOINT_COST)
        handler = self._handlers.get(request.method)
        if handler is None:
            raise MethodNotAllowed(f"{request.method} is not taken here", ", ".join(self._handlers))
        if request.method not in ("GET", "HEAD") and not context.actor.may_write:
            raise ReadOnly
        if request.method == "POST":
            require_preflight(request.headers)
            require_plain(request.headers)
        return await handler(request, context)


def json_response(content: Mapping[str, Any], status: int = 200) -> Response:
    """An answer in JSON, which no cache keeps."""
    return Response(orjson.dumps(content), status, {"cache-control": "no-store"}, JSON)


def _refused(error: Exception, correlation_id: CorrelationId) -> Response:
    if not isinstance(error, AppError):
        log.error("request_failed", correlation_id=correlation_id, exc_info=error)
        error = _Fault()
    note_error(error.code)
    shown = {
        "code": error.code.value, "message": error.message, "field": error.field, "hint": error.hint,
        "retryable": error.retryable, "details": error.details,
    }  # fmt: skip
    response = json_response({"error": shown, "correlationId": correlation_id}, status_of(error))
    response.headers.update(headers_of(error))
    return response


class _Fault(AppError):
    """What is told of a fault of ours."""

    code = ErrorCode.INTERNAL_SERVER_ERROR

    def __init__(self) -> None:
        super().__init__(MASK)


def _without_body(response: Response) -> Response:
    head = Response(status_code=response.status_code)
    head.raw_headers = response.raw_headers
    return head
