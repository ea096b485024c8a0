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


class KeyNotFound(AppError):
    """There is no such key, or it is not the actor's to see."""

    code = ErrorCode.NOT_FOUND

    def __init__(self, field: str = "apiKeyId") -> None:
        super().__init__("there is no such API key", field=field, hint="read apiKeys again")


class BeyondYourRights(AppError):
    """A key would give more than its maker has."""

    code = ErrorCode.FORBIDDEN


class NotWithThisKey(AppError):
    """With a key of a smaller scope, no keys are made, and none is revoked but itself."""

    code = ErrorCode.FORBIDDEN

    def __init__(self) -> None:
        super().__init__(
            "an API key needs the scope ADMIN to make or revoke others",
            hint="use a key with the scope ADMIN, or come in as the user",
        )
