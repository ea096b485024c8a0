"""What can be wrong with who is asking."""

from app.core.errors import AppError, ErrorCode


class Unauthenticated(AppError):
    """Nobody known is asking."""

    code = ErrorCode.UNAUTHENTICATED
