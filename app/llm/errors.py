"""What can go wrong between us and the provider of a model, as the one who asked may see it."""

from collections.abc import Mapping
from enum import StrEnum

from app.core.errors import AppError, ErrorCode


class FailureReason(StrEnum):
    """Why there is no answer, or no more of it."""

    NOT_CONFIGURED = "not_configured"
    """No key or no address is set."""
    AUTHENTICATION = "authentication"
    """The provider does not accept the key, or the key may not use the model."""
    QUOTA = "quota"
    """What was paid for is used up."""
    RATE_LIMITED = "rate_limited"
    """Too many requests at the moment."""
    UNKNOWN_MODEL = "unknown_model"
    CONTEXT_LENGTH = "context_length"
    """The conversation is longer than the model can read."""
    REFUSED = "refused"
    """The provider does not take the request as it is."""
    UNAVAILABLE = "unavailable"
    """The provider cannot be reached, or says that it is out of order."""
    MALFORMED = "malformed"
    """What came back is no answer."""
    DROPPED = "dropped"
    """The connection broke, or the answer ended without an end."""
    CONNECT_TIMEOUT = "connect_timeout"
    FIRST_TOKEN_TIMEOUT = "first_token_timeout"  # noqa: S105 - a token of text
    SILENCE = "silence"
    """Nothing came for too long in the middle of an answer."""
    CIRCUIT_OPEN = "circuit_open"
    """The provider failed several times in a row and is left alone for a while."""


_PASSING = frozenset(
    {
        FailureReason.RATE_LIMITED, FailureReason.UNAVAILABLE, FailureReason.MALFORMED, FailureReason.DROPPED,
        FailureReason.CONNECT_TIMEOUT, FailureReason.FIRST_TOKEN_TIMEOUT, FailureReason.SILENCE,
        FailureReason.CIRCUIT_OPEN,
    }
)  # fmt: skip
"""What may be gone when the same is asked again."""


class ProviderFailure(AppError):
    """There is no answer, or no more of it: always one of the classes below.

    The message is fit to be shown to whoever asked: it holds no key and nothing that a provider sent unread.
    """

    def __init__(
        self, reason: FailureReason, provider: str, message: str, *, hint: str, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(message, field=None, hint=hint, details={"reason": reason.value, "provider": provider})
        self.reason = reason
        self.provider = provider
        self.retryable = reason in _PASSING
        self.retry_after_seconds = retry_after_seconds
        """How long the provider asks to be left alone; None where it does not say."""


class ProviderNotConfigured(ProviderFailure):
    """The model's provider is not known here, or has no key or address."""

    code = ErrorCode.PROVIDER_NOT_CONFIGURED

    def __init__(self, provider: str, message: str, *, hint: str) -> None:
        super().__init__(FailureReason.NOT_CONFIGURED, provider, message, hint=hint)


class ProviderError(ProviderFailure):
    """The provider refused, failed, or broke off."""

    code = ErrorCode.PROVIDER_ERROR


class ProviderTimeout(ProviderFailure):
    """The provider did not take the connection, did not begin to answer, or fell silent."""

    code = ErrorCode.PROVIDER_TIMEOUT


_SAID: Mapping[FailureReason, tuple[str, str]] = {
    FailureReason.NOT_CONFIGURED: ("{} is not set up", "set its key or address"),
    FailureReason.AUTHENTICATION: ("{} does not accept the key of this server", "check the key in the settings"),
    FailureReason.QUOTA: ("what was paid for at {} is used up", "raise the limit or the balance there"),
    FailureReason.RATE_LIMITED: ("{} takes no more requests at the moment", "try again shortly"),
    FailureReason.UNKNOWN_MODEL: ("{} has no such model", "ask for another model"),
    FailureReason.CONTEXT_LENGTH: (
        "the conversation is longer than the model of {} can read",
        "shorten it, or ask for a model that reads more",
    ),
    FailureReason.REFUSED: ("{} does not take the request as it is", "change the request, or ask for another model"),
    FailureReason.UNAVAILABLE: ("{} is out of order or cannot be reached", "try again shortly"),
    FailureReason.MALFORMED: ("{} sent something that is no answer", "try again; check the address in the settings"),
    FailureReason.DROPPED: ("{} broke off before the answer was complete", "try again"),
    FailureReason.CONNECT_TIMEOUT: ("{} did not take the connection in time", "try again; check the address"),
    FailureReason.FIRST_TOKEN_TIMEOUT: ("{} did not begin to answer in time", "try again, or ask for less"),
    FailureReason.SILENCE: ("{} fell silent in the middle of the answer", "try again"),
    FailureReason.CIRCUIT_OPEN: ("{} failed several times in a row and is left alone for a while", "try again later"),
}

_TIMEOUTS = frozenset({FailureReason.CONNECT_TIMEOUT, FailureReason.FIRST_TOKEN_TIMEOUT, FailureReason.SILENCE})


def failure(
    reason: FailureReason, provider: str, *, remark: str | None = None, retry_after_seconds: float | None = None
) -> ProviderFailure:
    """The failure in words; `remark` is the provider's own explanation, already fit to be shown."""
    said, hint = _SAID[reason]
    message = said.format(f"the provider {provider}") + (f": {remark}" if remark else "")
    kind = ProviderTimeout if reason in _TIMEOUTS else ProviderError
    return kind(reason, provider, message, hint=hint, retry_after_seconds=retry_after_seconds)


class WindowExceeded(AppError):
    """What a model must have in view is more than it can have."""

    code = ErrorCode.LIMIT_EXCEEDED

    def __init__(self, model: str, needed_tokens: int, budget_tokens: int, field: str | None = None) -> None:
        super().__init__(
            f"{model} would have to read {needed_tokens:,} tokens at the least, and has room for {budget_tokens:,}: "
            f"{needed_tokens - budget_tokens:,} too many",
            field=field,
            hint="shorten the message or what it was given, offer fewer tools, or ask for a model that reads more",
            details={"model": model, "neededTokens": needed_tokens, "budgetTokens": budget_tokens},
        )
        self.needed_tokens, self.budget_tokens = needed_tokens, budget_tokens
