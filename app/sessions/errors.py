"""What can be wrong with a session."""

from app.core.errors import AppError, ErrorCode


class SessionNotFound(AppError):
    """There is no such session, or it is not the actor's: the same answer on purpose."""

    code = ErrorCode.SESSION_NOT_FOUND

    def __init__(self, field: str = "sessionId") -> None:
        super().__init__("there is no such session", field=field, hint="list your sessions with the query sessions")
