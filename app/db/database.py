"""The process's one way to PostgreSQL: a pool, and the scopes that borrow from it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from random import uniform
from typing import Any, Self, TypeVar
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy import Table, literal, select

from app.core.settings import Settings
from app.db.errors import DatabaseUnavailable
from app.db.faults import refusal
from app.db.lending import Lender, Loan
from app.db.scopes import Announce, ReadScope, SingleStatement, StatementLog, Transaction, UnitOfWork
from app.db.statement import Query
from app.db.tracing import APPLICATION_NAME, CommentedConnection, TracedConnection

T = TypeVar("T")

_PING = Query(int, select(literal(1).label("pong")))

MOST_ATTEMPTS = 4
"""Of one piece of work that the database refused without having written: enough for a failover's first seconds of
refused connections, few enough that a client still waits under the usual 10 s."""

SILENCE_SECONDS = 5.0
"""How long after its statement time-out the database may take to say so."""

STALLED_SECONDS = 4.0
"""A transaction in which nothing is asked for so long is rolled back by the database: its process hangs, or is on a
machine that is suspended, and whoever takes over from it waits for its locks. Ours never pause between statements for
more than milliseconds; below the default lease of jobs, so that it costs a takeover nothing."""


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """How many connections, and how long anything may take."""

    size: int = 20
    idle_seconds: float = 30.0
    connect_timeout_seconds: float = 2.0
    statement_timeout_seconds: float = 30.0
    stalled_seconds: float = STALLED_SECONDS
    name: str = "requests"
    """What it is called in the metrics."""
    sql_comments: bool = False
    """Whether each statement begins with its correlation id; none is kept prepared then."""
    pooled: bool = False
    """Whether a pooler is between, that lends a server for a transaction: nothing may be left there for the next."""
    read_only: bool = False
    """Whether the server refuses what writes."""

    @classmethod
    def of(cls, settings: Settings) -> "PoolSettings":
        """As the operator chose."""
        return cls(
            settings.pool_size,
            settings.pool_idle_seconds,
            settings.connect_timeout_seconds,
            settings.statement_timeout_seconds,
            sql_comments=settings.sql_comments,
            pooled=settings.pooler == "transaction",
        )

    @property
    def limits(self) -> dict[str, str]:
        """The time limits that the database itself keeps, by their names there."""
        return {
            "statement_timeout": str(int(self.statement_timeout_seconds * 1000)),
            "idle_in_transaction_session_timeout": str(int(self.stalled_seconds * 1000)),
        }


class Database:
    """Scopes over a pool of connections. Nothing is held between two scopes."""

    def __init__(self, lender: Lender, pool_settings: PoolSettings, log: StatementLog | None = None) -> None:
        self._lender = lender
        self._settings = pool_settings
        self._log = log
        self._announce: Announce = _to_nobody
        self._choose_for_query: Callable[[], Awaitable[Database]] | None = None

    def announce_to(self, announce: Announce) -> None:
        """Have `announce` told of every stream that a committed unit of work has added to."""
        self._announce = announce

    def choose_for_queries(self, choose: "Callable[[], Awaitable[Database]]") -> None:
        """Have `choose` say, when a query comes, over which database it reads."""
        self._choose_for_query = choose

    async def for_query(self) -> "Database":
        """Where to read for a query that has just come: here, or where all is that was committed here before."""
        return self if self._choose_for_query is None else await self._choose_for_query()

    @classmethod
    async def connect(
        cls, dsn: str, pool_settings: PoolSettings | None = None, log: StatementLog | None = None
    ) -> Self:
        """Open the pool; what asyncpg raises when the server cannot be reached goes through."""
        chosen = pool_settings or PoolSettings()
        kept = not chosen.sql_comments and not chosen.pooled
        pool = await asyncpg.create_pool(
            dsn,
            # One to see that the server can be reached; none is kept beyond its idle time.
            init_size=1,
            min_size=0,
            max_size=chosen.size,
            max_inactive_connection_lifetime=chosen.idle_seconds,
            timeout=chosen.connect_timeout_seconds,
            # The database ends a slow statement itself; this is for a network that has gone silent.
            command_timeout=chosen.statement_timeout_seconds + SILENCE_SECONDS,
            connection_class=CommentedConnection if chosen.sql_comments else TracedConnection,
            # What is never sent twice need not be kept; 100 is asyncpg's own choice.
            # Behind a pooler they have no names: asyncpg 0.32 ends Parse by Flush and not by Sync, so that a pooler
            # takes it together with the Bind that follows for one transaction, on one server.
            statement_cache_size=100 if kept else 0,
            init=partial(cls._prepare, chosen),
            # Scopes end their transactions and set nothing on the session: the stock reset is a round trip for nothing.
            reset=_leave_as_it_is,
            server_settings={
                "application_name": APPLICATION_NAME,
                "timezone": "UTC",
                # PgBouncer refuses a connection that comes with them: it could not keep them apart.
                **({} if chosen.pooled else chosen.limits),
                **({"default_transaction_read_only": "on"} if chosen.read_only else {}),
            },
        )
        lender = Lender(pool, chosen.name, chosen.size, chosen.connect_timeout_seconds)
        return cls(lender, chosen, log)

    @classmethod
    async def _prepare(cls, chosen: PoolSettings, connection: Any) -> None:
        """Make a connection of the pool ready, when it is new."""
        # Binary jsonb is a version byte and the text: orjson's bytes go to the socket as they are.
        await connection.set_type_codec(
            "jsonb",
            schema="pg_catalog",
            format="binary",
            encoder=lambda value: b"\x01" + orjson.dumps(value),
            decoder=lambda stored: orjson.loads(memoryview(stored)[1:]),
        )
        if chosen.pooled:
            connection.names_statements = False
            connection.begins_with = "".join(f" SET LOCAL {name} = {ms};" for name, ms in chosen.limits.items())

    async def close(self) -> None:
        """Wait for borrowed connections to come back, then close all; after the connect time-out, close them anyway."""
        await self._lender.close(self._settings.connect_timeout_seconds + 1)

    async def ping(self) -> None:
        """Return when the database answers; DatabaseUnavailable when it does not."""
        async with self.read() as scope:
            await scope.first(_PING)

    def read(self) -> AbstractAsyncContextManager[ReadScope]:
        """A scope for queries. Each query borrows a connection for itself and is run again if that was found dead."""
        return nullcontext(ReadScope(self._borrow, self._log))

    @asynccontextmanager
    async def single_statement(self, *, replayable: bool = False) -> AsyncIterator[UnitOfWork]:
        """A unit of work whose one command is its own transaction: one round trip.

        `replayable`: running the command twice stores once (it has an idempotency gate), so that it may be sent again
        when the connection broke with the answer on its way.
        """
        uow = SingleStatement(self._borrow, self._log, self._announce, replayable=replayable)
        yield uow
        await uow.committed()

    @asynccontextmanager
    async def unit_of_work(self) -> AsyncIterator[UnitOfWork]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        async with self._transaction() as uow:
            yield uow
        await uow.committed()

    async def analyze(self, tables: Sequence[Table]) -> None:
        """Have the planner know of many rows that came at once; on its own it would learn of them within minutes."""
        async with self._borrow() as connection:
            await connection.execute(f"ANALYZE {', '.join(table.name for table in tables)}")

    async def run_for_library(self, sql: str, *arguments: object) -> list[Any]:
        """Run the statement of a library once, as its own transaction; what asyncpg raises goes through.

        It is not logged: what runs in the background all the time would hide what requests do.
        """
        async with self._borrow() as connection:
            found: list[Any] = await connection.fetch(sql, *arguments)
            return found

    async def transact(self, work: Callable[[UnitOfWork], Awaitable[T]]) -> T:
        """Run `work` in a unit of work, again when the database refused it without having written anything.

        Serialization failures and deadlocks are rolled back by the database; a connection that broke before the first
        command has written nothing. `work` must have no effect outside the unit of work, save through `after_commit`.
        """
        for attempt in range(1, MOST_ATTEMPTS + 1):
            try:
                async with self._transaction() as uow:
                    done = await work(uow)
                break
            except DatabaseUnavailable as error:
                # A time-out means that all connections are busy: to ask again would only make the queue longer.
                if attempt == MOST_ATTEMPTS or isinstance(error.__cause__, TimeoutError):
                    raise
                await back_off(attempt)
        # Out here: what is committed is not done again because telling others of it failed.
        await uow.committed()
        return done

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Transaction]:
        """A transaction of which nobody is told yet."""
        async with self._borrow(stays=False) as connection:
            uow = Transaction(connection, self._log, self._announce)
            try:
                async with connection.transaction():
                    yield uow
                    await uow.conclude()
            except Exception as error:
                if isinstance(error, asyncpg.PostgresError):
                    # As of each statement: the end of a transaction can be refused too, and the detail quotes the row.
                    error.detail = None
                refused = refusal(error, wrote=uow.wrote)
                if refused is None:
                    raise
                raise refused from error

    def _borrow(self, *, stays: bool = True) -> Loan:
        """A connection for one statement; for a transaction where it does not stay at hand after it."""
        return Loan(self._lender, stays=stays)


async def back_off(attempt: int) -> None:
    """Wait before the next attempt: twice as long each time, with jitter so that rivals do not meet again."""
    await asyncio.sleep(uniform(0.5, 1.0) * 0.05 * 2**attempt)  # noqa: S311 - jitter is no secret


async def _leave_as_it_is(connection: "asyncpg.Connection[Any]") -> None:
    """Called by the pool when a connection comes back."""


def _to_nobody(_grown: frozenset[UUID]) -> None:
    """Until somebody listens."""
