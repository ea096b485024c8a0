"""What an exception from the database tells: whether anything was written, and what the caller should know."""

from enum import Enum, auto

import asyncpg

from app.core.errors import AppError
from app.db.errors import DatabaseUnavailable, OutcomeUnknown, StatementTooSlow


class Fault(Enum):
    """What is known about the work that failed."""

    NOTHING_WRITTEN = auto()
    """The server refused or rolled back, or was never reached: the same may be tried again."""
    UNKNOWN = auto()
    """The connection broke with a write under way."""
    TOO_SLOW = auto()
    """The server cancelled it at the time limit."""
    OTHER = auto()
    """Not the connection's fault: a constraint, a mistake of ours."""


_GOODBYES = (asyncpg.AdminShutdownError, asyncpg.CrashShutdownError, asyncpg.IdleInTransactionSessionTimeoutError)
"""The server ended the connection with a word: what was under way had not been committed."""

_ROLLED_BACK = (
    *_GOODBYES,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    DatabaseUnavailable,
)
_BROKEN = (OSError, asyncpg.PostgresConnectionError)


def fault_of(error: BaseException, *, wrote: bool) -> Fault:
    """What `error` says; `wrote` tells whether a command had been sent when a connection broke."""
    if isinstance(error, _ROLLED_BACK):
        return Fault.NOTHING_WRITTEN
    if isinstance(error, asyncpg.QueryCanceledError):
        return Fault.TOO_SLOW
    if isinstance(error, asyncpg.InterfaceError) and "closed" in str(error):
        # asyncpg 0.32 refuses on its own side to use a connection it knows to be closed: nothing left this process.
        return Fault.NOTHING_WRITTEN
    if isinstance(error, asyncpg.InternalClientError) and "cannot switch to state" in str(error):
        # asyncpg 0.32 has read the server's goodbye and not yet the end of the connection: it sends nothing.
        return Fault.NOTHING_WRITTEN
    if isinstance(error, asyncpg.ConnectionDoesNotExistError) and isinstance(error.__cause__, _GOODBYES):
        # asyncpg 0.32 tells of the broken connection, and why the server ended it only as the cause.
        return Fault.NOTHING_WRITTEN
    if isinstance(error, _BROKEN):
        return Fault.UNKNOWN if wrote else Fault.NOTHING_WRITTEN
    return Fault.OTHER


def refusal(error: BaseException, *, wrote: bool) -> AppError | None:
    """What the caller is told about `error`; None when it is not about the connection."""
    match fault_of(error, wrote=wrote):
        case Fault.NOTHING_WRITTEN:
            return DatabaseUnavailable()
        case Fault.UNKNOWN:
            return OutcomeUnknown()
        case Fault.TOO_SLOW:
            return StatementTooSlow()
        case Fault.OTHER:
            return None
