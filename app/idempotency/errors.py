"""What can be wrong with a client key."""

from app.core.errors import AppError, ErrorCode


class KeyReused(AppError):
    """The same key came with another request: one of the two would be lost if it were taken for the first."""

    code = ErrorCode.IDEMPOTENCY_KEY_REUSED

    def __init__(self) -> None:
        super().__init__(
            "this clientKey was used before with another request",
            field="clientKey",
            hint="make a new key for every new request; send the same key only with the same input",
        )
