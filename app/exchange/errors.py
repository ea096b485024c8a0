"""Why an import cannot begin or go on."""

from app.core.errors import AppError, ErrorCode


class UnusableFile(AppError):
    """The file cannot be read."""

    code = ErrorCode.BAD_USER_INPUT

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(f"{path} cannot be read: {reason}", hint="name a file of conversations")


class ImportStopped(AppError):
    """The database failed on the way. What was stored stays, and the next run goes on from there."""

    code = ErrorCode.PERSISTENCE_ERROR
    retryable = True

    def __init__(self, stored: int, what: str = "new messages") -> None:
        super().__init__(
            f"the database failed; the import stopped after {stored:,} {what}: run the same command again, and it goes "
            "on from there"
        )


class UnusableTarget(AppError):
    """The file cannot be written."""

    code = ErrorCode.BAD_USER_INPUT

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(f"{path} cannot be written: {reason}", hint="name a file in a folder that you may write to")
