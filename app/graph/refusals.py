"""What HTTP calls a refusal: its status, and the headers that belong to it."""

from math import ceil
from typing import ClassVar

from app.core.errors import AppError, ErrorCode
from app.graph.body import BadRequest, BodyTooLarge
from app.graph.operations import Refused

_STATUS = {
    # Clients of Apollo take any other status for a server that keeps no documents at all.
    ErrorCode.PERSISTED_QUERY_NOT_FOUND: 200,
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


class HttpRefusal(BadRequest):
    """A request that is at fault in a way which HTTP has a status of its own for."""

    status: ClassVar[int]

    def __init__(self, message: str, *, hint: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message, hint=hint)
        self.headers = headers or {}
        """Those that the status asks for, by names in lower case."""


class MethodNotAllowed(HttpRefusal):
    """There is something at the address, but what is wanted cannot be done by this method."""

    status = 405

    def __init__(self, message: str, allowed: str) -> None:
        super().__init__(message, hint=f"use {allowed}", headers={"allow": allowed})


class NotAcceptable(HttpRefusal):
    """The answer has none of the forms that the client takes. Nothing was executed."""

    status = 406


class UrlTooLong(HttpRefusal):
    """More than is taken of a URL."""

    code = ErrorCode.LIMIT_EXCEEDED
    status = 414


class NotTaken(HttpRefusal):
    """The body is of another type, charset or encoding than is taken, by its sender's account."""

    status = 415


def status_of(error: Exception) -> int:
    """What HTTP calls it; 500 for what is no refusal but a fault of ours."""
    match error:
        case HttpRefusal():
            return error.status
        case BodyTooLarge():
            return 413
        case AppError():
            # With a moment from which on it is taken, it is no matter of size.
            if error.code is ErrorCode.LIMIT_EXCEEDED and error.retry_after_seconds is not None:
                return 429
            return 503 if is_away(error) else _STATUS.get(error.code, 400)
        case Refused():
            return 400
        case _:
            return 500


def is_away(error: AppError) -> bool:
    """Whether it is the server, and not the caller, by whom the caller could not be let in."""
    return error.code is ErrorCode.UNAUTHENTICATED and error.retryable


def headers_of(error: Exception) -> dict[str, str]:
    """The headers that go with it, by names in lower case."""
    if isinstance(error, HttpRefusal):
        return error.headers
    if not isinstance(error, AppError):
        return {}
    headers = {}
    if error.code is ErrorCode.UNAUTHENTICATED and not is_away(error):
        # RFC 9110 wants a scheme with every 401, and browsers ask nobody for a password because of this one.
        headers["www-authenticate"] = "Bearer"
    if error.retry_after_seconds is not None:
        headers["retry-after"] = str(max(1, ceil(error.retry_after_seconds)))
    return headers
