"""What can be wrong with who is asking."""

from app.core.errors import AppError, ErrorCode


class Unauthenticated(AppError):
    """Nobody known is asking."""

    code = ErrorCode.UNAUTHENTICATED


class InvalidToken(Unauthenticated):
    """A token that lets nobody in; the reason names no part of it."""

    def __init__(self, reason: str = "the token is not valid") -> None:
        super().__init__(reason, hint="come with a new token")


class KeysAway(Unauthenticated):
    """Who is asking cannot be found out for now: the keys that tokens are checked with cannot be fetched."""

    retryable = True

    def __init__(self) -> None:
        super().__init__("tokens cannot be checked for now", hint="try again in a moment")
