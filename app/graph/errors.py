"""What the caller learns of an error: codes for what they can act on, nothing of what they cannot."""

from typing import Any

import strawberry
import structlog
from graphql import GraphQLError
from strawberry import field

from app.core.actor import CorrelationId
from app.core.errors import AppError, ErrorCode
from app.graph.enums import described
from app.graph.scalars import Json
from app.telemetry.observation import note_error

log = structlog.get_logger("colloquy.graph")

MASK = "something went wrong on the server; the correlation id finds it in the log"

described(
    ErrorCode,
    "Why a request was refused: a stable name to branch on.",
    {
        ErrorCode.SESSION_NOT_FOUND: "There is no such session, or it is not yours.",
        ErrorCode.MESSAGE_NOT_FOUND: "There is no such message, or it is not yours.",
        ErrorCode.NOT_FOUND: "There is no such object, or it is not yours.",
        ErrorCode.VALIDATION_ERROR: "A value cannot be taken as it is; `field` names it.",
        ErrorCode.PERSISTENCE_ERROR: "The database could not do it.",
        ErrorCode.ALREADY_EXISTS: "There is one already, and there can be only one.",
        ErrorCode.VERSION_CONFLICT: "Somebody else changed it first.",
        ErrorCode.ENABLED_PROMPT_CONFLICT: "Another prompt of the project is enabled.",
        ErrorCode.INVALID_TRANSITION: "It cannot go from the state it is in to the one that was asked for.",
        ErrorCode.ALREADY_DECIDED: "It was decided before, otherwise.",
        ErrorCode.RUN_ACTIVE: "The session has a run that is not finished.",
        ErrorCode.INTERRUPTED: "The server stopped in the middle; what was there is kept.",
        ErrorCode.IDEMPOTENCY_KEY_REUSED: "The `clientKey` was used before with another input.",
        ErrorCode.INVALID_CURSOR: "The cursor is not one of this list.",
        ErrorCode.LIMIT_EXCEEDED: "More than the server takes at once.",
        ErrorCode.BUDGET_EXCEEDED: "The budget does not allow it.",
        ErrorCode.PROVIDER_NOT_CONFIGURED: "No key or address is set for the model's provider.",
        ErrorCode.PROVIDER_ERROR: "The model's provider refused or failed.",
        ErrorCode.PROVIDER_TIMEOUT: "The model's provider did not answer in time.",
        ErrorCode.UNAUTHENTICATED: "Nobody known is asking.",
        ErrorCode.FORBIDDEN: "Your roles do not allow it.",
        ErrorCode.BAD_USER_INPUT: "The request is not valid GraphQL for this schema.",
        ErrorCode.PERSISTED_QUERY_NOT_FOUND: "No document of this hash is kept; send its text with it.",
        ErrorCode.INTERNAL_SERVER_ERROR: "A fault of the server; the correlation id finds it in the log.",
    },
)


@strawberry.type(description="Why a mutation was refused.")
class UserError:
    code: ErrorCode = field(description="A stable name to branch on.")
    message: str = field(description="What is wrong, fit to be shown.")
    field: str | None = strawberry.field(description="The input field it is about, such as `metadata.tags[3]`.")
    hint: str | None = strawberry.field(description="How to mend it.")
    retryable: bool = strawberry.field(description="Whether the same request may succeed later.")
    details: Json | None = strawberry.field(description="Facts about it, by code.")


def user_error(error: AppError) -> UserError:
    """An error as data of a payload."""
    note_error(error.code)
    return UserError(
        code=error.code, message=error.message, field=error.field, hint=error.hint, retryable=error.retryable,
        details=Json(dict(error.details)) if error.details else None,
    )  # fmt: skip


def formatted(error: GraphQLError, correlation_id: CorrelationId) -> dict[str, Any]:
    """An error of a query, or of the request itself, for the answer's `errors`; what is unexpected is masked."""
    shown: dict[str, Any] = {"message": error.message}
    if error.locations:
        shown["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
    if error.path:
        shown["path"] = error.path
    cause = _cause(error)
    match cause:
        case AppError():
            code = cause.code
            shown["message"] = cause.message
            shown["extensions"] = app_error_extensions(cause)
        case None:
            code = ErrorCode.BAD_USER_INPUT
            shown["extensions"] = {"code": code.value}
        case _:
            code = ErrorCode.INTERNAL_SERVER_ERROR
            shown["message"] = MASK
            shown["extensions"] = {"code": code.value}
    note_error(code)
    shown["extensions"]["correlationId"] = correlation_id
    return shown


def told(error: Exception, correlation_id: CorrelationId) -> dict[str, Any]:
    """An error that is no field's, for the answer's `errors`; what is unexpected is masked and logged."""
    note_error(error.code if isinstance(error, AppError) else ErrorCode.INTERNAL_SERVER_ERROR)
    if isinstance(error, AppError):
        return {
            "message": error.message,
            "extensions": {**app_error_extensions(error), "correlationId": correlation_id},
        }
    log.error("request_failed", correlation_id=correlation_id, exc_info=error)
    code = {"code": ErrorCode.INTERNAL_SERVER_ERROR.value, "correlationId": correlation_id}
    return {"message": MASK, "extensions": code}


def app_error_extensions(error: AppError) -> dict[str, Any]:
    """`extensions` of an error that the caller can act on."""
    facts: dict[str, Any] = {"code": error.code.value, "retryable": error.retryable}
    for name, value in (("field", error.field), ("hint", error.hint), ("details", error.details)):
        if value is not None:
            facts[name] = value
    return facts


def log_unexpected(errors: list[GraphQLError], correlation_id: CorrelationId) -> None:
    """Log, with their stack, the errors that are a fault of ours."""
    for error in errors:
        cause = _cause(error)
        if cause is not None and not isinstance(cause, AppError):
            log.error("resolver_failed", path=error.path, correlation_id=correlation_id, exc_info=cause)


def _cause(error: GraphQLError) -> BaseException | None:
    """What was raised beneath GraphQL's own errors; None when it is GraphQL that refuses (syntax, types, values)."""
    cause: BaseException | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause
