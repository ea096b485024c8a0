"""Which failure it is that the libraries raise."""

import json
import re

import httpx2
from pydantic_ai import exceptions

from app.llm.errors import FailureReason, ProviderFailure, failure

LONGEST_REMARK = 200
"""Characters of a provider's explanation that are passed on."""

_EXPLAINED = frozenset(
    {FailureReason.REFUSED, FailureReason.CONTEXT_LENGTH, FailureReason.UNKNOWN_MODEL, FailureReason.UNAVAILABLE}
)
"""Where the provider's own words help. Not with keys: providers like to repeat them."""

_SECRET = re.compile(r"(?i)\b(?:sk|pk|key|bearer|basic|token)[-_: ]+[\w.+/=-]{8,}|\b[\w-]{32,}\b|https?://\S+")


def failure_of(error: Exception, provider: str, key: str | None) -> ProviderFailure:
    """The failure in our words; `key` is kept out of them."""
    reason = _reason(error)
    remark = _remark(error, key) if reason in _EXPLAINED else None
    retry_after = error.retry_after if isinstance(error, exceptions.ModelAPIError) else None
    return failure(reason, provider, remark=remark, retry_after_seconds=retry_after)


def _reason(error: Exception) -> FailureReason:
    match error:
        case exceptions.ModelQuotaExceededError():
            return FailureReason.QUOTA
        case exceptions.ModelRateLimitError():
            return FailureReason.RATE_LIMITED
        case exceptions.ModelContextWindowExceededError():
            return FailureReason.CONTEXT_LENGTH
        case exceptions.ModelAuthenticationError():
            return FailureReason.AUTHENTICATION
        case exceptions.ModelNotFoundError():
            return FailureReason.UNKNOWN_MODEL
        case exceptions.ModelRequestRejectedError():
            return FailureReason.REFUSED
        case exceptions.ModelUnavailableError() | exceptions.ModelServerError():
            return FailureReason.UNAVAILABLE
        case exceptions.ModelConnectionError():
            return _lost(error.phase, timed_out=isinstance(error, exceptions.ModelTimeoutError))
        case exceptions.ModelHTTPError():
            return FailureReason.REFUSED if error.status_code not in (408, 409, 425) else FailureReason.UNAVAILABLE
        case exceptions.ModelAPIError():
            return _unclassified(error)
        case httpx2.ConnectTimeout() | httpx2.PoolTimeout():
            return FailureReason.CONNECT_TIMEOUT
        case httpx2.ConnectError():
            return FailureReason.UNAVAILABLE
        case httpx2.TransportError():
            return FailureReason.DROPPED
        case _:
            return FailureReason.MALFORMED


def _lost(phase: exceptions.TransportPhase | None, *, timed_out: bool) -> FailureReason:
    if phase in ("connect", "pool"):
        return FailureReason.CONNECT_TIMEOUT if timed_out else FailureReason.UNAVAILABLE
    return FailureReason.DROPPED


def _unclassified(error: exceptions.ModelAPIError) -> FailureReason:
    if error.in_stream:
        # The provider says in the middle of a stream that something is wrong, and not what.
        return FailureReason.UNAVAILABLE
    if isinstance(error.__cause__, json.JSONDecodeError | UnicodeDecodeError):
        return FailureReason.MALFORMED
    # pydantic-ai 2.68: "Streamed response ended without a `finish_reason`", and nothing else is left.
    return FailureReason.DROPPED


def _remark(error: Exception, key: str | None) -> str | None:
    body = getattr(error, "body", None)
    inner = body.get("error", body) if isinstance(body, dict) else None
    said = inner.get("message") if isinstance(inner, dict) else None
    if not isinstance(said, str):
        return None
    if key:
        said = said.replace(key, "[…]")
    said = "".join(character if character.isprintable() else " " for character in said)
    said = " ".join(_SECRET.sub("[…]", said).split())
    return said if len(said) <= LONGEST_REMARK else f"{said[: LONGEST_REMARK - 1]}…"
