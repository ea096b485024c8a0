"""What can go wrong between us and PostgreSQL, as the caller may see it."""

from app.core.errors import AppError, ErrorCode


class DatabaseUnavailable(AppError):
    """No connection was to be had, it broke before a write, or a conflict was rolled back: nothing happened."""

    code = ErrorCode.PERSISTENCE_ERROR
    retryable = True

    def __init__(self) -> None:
        super().__init__("the database cannot do this at the moment; nothing was stored", hint="try again shortly")


class OutcomeUnknown(AppError):
    """The connection broke while a write was on its way: it may have happened."""

    code = ErrorCode.PERSISTENCE_ERROR
    retryable = True

    def __init__(self) -> None:
        super().__init__(
            "the connection to the database broke while this was being stored; it may or may not have happened",
            hint="with a clientKey, send the same again: it is stored once; without one, read before you send again",
        )


class StatementTooSlow(AppError):
    """The database cancelled a statement that ran into the time limit; nothing was stored."""

    code = ErrorCode.PERSISTENCE_ERROR
    retryable = True

    def __init__(self) -> None:
        super().__init__("the database took too long; nothing was stored", hint="try again, or ask for less at once")


class Duplicate(Exception):
    """A unique key refused the row: somebody stored one like it since the statement began. Nothing was written.

    For the room that owns the key, which knows what it means; to anybody else it is a fault of ours.
    """

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class DatabaseProblem(Exception):
    """Why the database cannot be used, in one line for the operator, with what to do."""
