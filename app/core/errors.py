"""The root of every error a caller may see, and the one catalogue of codes."""

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar


class ErrorCode(StrEnum):
    """Stable names a client may branch on. A code is never renamed or given a second meaning."""

    SESSION_NOT_FOUND = "SESSION_NOT_FOUND"
    MESSAGE_NOT_FOUND = "MESSAGE_NOT_FOUND"
    NOT_FOUND = "NOT_FOUND"
    VALIDATION_ERROR = "VALIDATION_ERROR"
    PERSISTENCE_ERROR = "PERSISTENCE_ERROR"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    VERSION_CONFLICT = "VERSION_CONFLICT"
    ENABLED_PROMPT_CONFLICT = "ENABLED_PROMPT_CONFLICT"
    INVALID_TRANSITION = "INVALID_TRANSITION"
    ALREADY_DECIDED = "ALREADY_DECIDED"
    RUN_ACTIVE = "RUN_ACTIVE"
    INTERRUPTED = "INTERRUPTED"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"
    INVALID_CURSOR = "INVALID_CURSOR"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    BUDGET_EXCEEDED = "BUDGET_EXCEEDED"
    PROVIDER_NOT_CONFIGURED = "PROVIDER_NOT_CONFIGURED"
    PROVIDER_ERROR = "PROVIDER_ERROR"
    PROVIDER_TIMEOUT = "PROVIDER_TIMEOUT"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
    INTERNAL_SERVER_ERROR = "INTERNAL_SERVER_ERROR"


class AppError(Exception):
    """A refusal the caller can act on. Anything else that is raised is a fault of ours and is masked at the edge.

    The message is fit to be shown: it names no row of another user, no statement and no secret. `field` is the
    input's name as the client wrote it (`sessionId`, `metadata.tags[3]`), `hint` says how to mend it.
    """

    code: ClassVar[ErrorCode]
    retryable: bool = False
    """Whether the same request may succeed later; an error that has it from a fact sets it on itself."""
    retry_after_seconds: float | None = None
    """From when on it may, where that is known; over HTTP it is the header Retry-After."""

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        hint: str | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.hint = hint
        self.details = details


class ValidationError(AppError):
    """A value that can never be stored or used as it is; sending it again unchanged is in vain."""

    code = ErrorCode.VALIDATION_ERROR


class InvalidCursor(AppError):
    """A cursor that this list did not hand out."""

    code = ErrorCode.INVALID_CURSOR


class LimitExceeded(AppError):
    """More than this server takes at once; the message names the limit."""

    code = ErrorCode.LIMIT_EXCEEDED
