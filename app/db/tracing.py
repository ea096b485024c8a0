"""What PostgreSQL is told of the request on whose behalf a statement runs: its correlation id."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import asyncpg

from app.core.actor import CORRELATION_ID
from app.core.logging import current_correlation

if TYPE_CHECKING:
    _Connection = asyncpg.Connection[asyncpg.Record]
else:
    _Connection = asyncpg.Connection

APPLICATION_NAME = "colloquy"

LONGEST_NAME_BYTES = 63
"""PostgreSQL cuts `application_name` there; so do we, for the same name everywhere."""

_BEGIN = "BEGIN;"
"""How asyncpg 0.32 begins a transaction without options."""


def named(correlation: str) -> str:
    """What a transaction is called in `pg_stat_activity`, and in PostgreSQL's log where its lines have %a."""
    return f"{APPLICATION_NAME} {correlation}"[:LONGEST_NAME_BYTES]


class TracedConnection(_Connection):
    """A connection whose transactions bear their correlation id, in the round trip that BEGIN takes anyway.

    asyncpg's own transactions, so that all they know of errors, cancelling and the pool stays in force.
    """

    begins_with = ""
    """What every transaction begins with besides, in the same round trip: settings that end with it."""
    names_statements = True
    """Whether `prepare` leaves a name on the server, which another server behind a pooler would not know."""
    life: tuple[datetime, datetime] | None = None
    """Which life of a standby it belongs to (`app.db.replica`)."""

    async def execute(self, query: str, *arguments: Any, timeout: float | None = None) -> str:  # noqa: ASYNC109
        """As asyncpg's."""
        if query == _BEGIN:
            correlation = _fit_correlation()
            # The setting ends with the transaction: who borrows the connection next has nothing to take back.
            name = "" if correlation is None else f" SET LOCAL application_name = '{named(correlation)}';"
            query = f"{query}{name}{self.begins_with}"
        return await super().execute(query, *arguments, timeout=timeout)

    async def prepare(self, query: str, **options: Any) -> Any:
        """As asyncpg's."""
        if not self.names_statements:
            options["name"] = ""
        return await super().prepare(query, **options)


class CommentedConnection(TracedConnection):
    """A connection whose statements all begin with their correlation id, in a comment: for debugging.

    Each is a new one to PostgreSQL, which parses and plans it.
    """

    async def execute(self, query: str, *arguments: Any, timeout: float | None = None) -> str:  # noqa: ASYNC109
        """As asyncpg's."""
        # Behind BEGIN, which is known by its text.
        commented = query if query == _BEGIN else _commented(query)
        return await super().execute(commented, *arguments, timeout=timeout)

    async def fetch(self, query: str, *arguments: Any, **options: Any) -> Any:
        """As asyncpg's."""
        return await super().fetch(_commented(query), *arguments, **options)

    async def prepare(self, query: str, **options: Any) -> Any:
        """As asyncpg's."""
        return await super().prepare(_commented(query), **options)


def _commented(query: str) -> str:
    correlation = _fit_correlation()
    return query if correlation is None else f"/* correlation_id={correlation} */ {query}"


def _fit_correlation() -> str | None:
    """The correlation id, where it can break out of nothing: what comes in is checked too, but here it becomes SQL."""
    found = current_correlation()
    return found if found is not None and CORRELATION_ID.fullmatch(found) else None
