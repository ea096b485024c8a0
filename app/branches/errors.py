"""What can be wrong with a fork."""

from app.core.errors import AppError, ErrorCode


class UnfinishedPath(AppError):
    """A message that is still being written would never be finished in a copy."""

    code = ErrorCode.INVALID_TRANSITION
    retryable = True

    def __init__(self, status: str) -> None:
        super().__init__(
            f"a message that leads there is {status.upper()}",
            field="atMessageId",
            hint="name a message before it, or fork when it is finished",
        )
