"""Plain HTTP endpoints of rooms: one request, one Context, and what is refused as JSON."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from math import ceil
from types import MappingProxyType
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

log = structlog.get_logger("colloquy.http")

Handler = Callable[[Request, Context], Awaitable[Response]]
"""Answers one request, or raises an AppError. A streamed body may raise too: the connection is cut then."""

SLOW_MS = 1_000
"""An answer that took longer is worth a line in the log, as is one that was refused; the others are for debugging."""

ENDPOINT_COST = 10
"""Of a request beside the graph, in points of the rate limit: a file or an export, whatever its size."""

_STATUS = {
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.SESSION_NOT_FOUND: 404,
    ErrorCode.MESSAGE_NOT_FOUND: 404,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.ALREADY_EXISTS: 409,
    ErrorCode.VERSION_CONFLICT: 409,
    ErrorCode.ENABLED_PROMPT_CONFLICT: 409,
    ErrorCode.INVALID_TRANSITION: 409,
    ErrorCode.ALREADY_DECIDED: 409,
    ErrorCode.RUN_ACTIVE: 409,
    ErrorCode.IDEMPOTENCY_KEY_REUSED: 409,
    ErrorCode.LIMIT_EXCEEDED: 413,
    ErrorCode.BUDGET_EXCEEDED: 429,
    ErrorCode.INTERNAL_SERVER_ERROR: 500,
    ErrorCode.PROVIDER_ERROR: 502,
    ErrorCode.PERSISTENCE_ERROR: 503,
    ErrorCode.PROVIDER_NOT_CONFIGURED: 503,
    ErrorCode.INTERRUPTED: 503,
    ErrorCode.PROVIDER_TIMEOUT: 504,
}
"""What HTTP calls the reasons for a refusal; 400 all others."""

NO_HEADERS: Mapping[str, str] = MappingProxyType({})

PREFLIGHT_HEADERS = ("x-colloquy-preflight", "apollo-require-preflight", "x-colloquy-user")
"""A page of another site cannot send these without asking first (a CORS preflight), and gets no leave."""

_WITHOUT_ASKING = {"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"}
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+")


class PreflightMissing(AppError):
    """The request could be a form of another site, which the browser sends with all that lets its user in."""

    code = ErrorCode.FORBIDDEN

    def __init__(self) -> None:
        super().__init__(
            "a request that any page could send must say that it is meant",
            hint="send the header X-Colloquy-Preflight: 1, or Apollo-Require-Preflight: true",
        )


class MethodNotAllowed(BadRequest):
    """There is something at the address, but nothing can be done with it by this method."""

    def __init__(self, method: str, allowed: str) -> None:
        super().__init__(f"{method} is not taken here", hint=f"use {allowed}")
        self.allowed = allowed


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
        return Route(path, _Endpoint(self._correlate, self._make_context, self._rates, by_method))


class _Endpoint:
    """The ASGI app behind one path."""

    def __init__(
        self, correlate: Correlate, make_context: MakeContext, rates: Rates, handlers: Mapping[str, Handler]
    ) -> None:
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


def status_of(error: AppError) -> int:
    """What HTTP calls a refusal."""
    if error.retry_after_seconds is not None:
        return 429
    return 405 if isinstance(error, MethodNotAllowed) else _STATUS.get(error.code, 400)


def retry_after(error: Exception) -> Mapping[str, str]:
    """The header that says when to come again, where that is known."""
    seconds = error.retry_after_seconds if isinstance(error, AppError) else None
    return NO_HEADERS if seconds is None else {"retry-after": str(max(ceil(seconds), 1))}


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
    if isinstance(error, MethodNotAllowed):
        response.headers["allow"] = error.allowed
    response.headers.update(retry_after(error))
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
