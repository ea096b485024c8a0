"""Why a user cannot be erased."""

from app.core.errors import AppError, ErrorCode


class NotYoursToErase(AppError):
    """Only an admin may erase others."""

    code = ErrorCode.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("only an admin may erase another user", field="userId", hint="name yourself, or ask an admin")
