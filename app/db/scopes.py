"""Read scopes and units of work: the only two ways to run a statement."""

import asyncio
import re
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from time import perf_counter_ns
from typing import Any, Protocol, TypeVar
from uuid import UUID

import asyncpg
from sqlalchemy import Table

from app.db.errors import Duplicate, OutcomeUnknown
from app.db.faults import Fault, fault_of, refusal
from app.db.statement import Command, Query, ReplannedQuery, Statement
from app.telemetry.observation import OBSERVED
from app.telemetry.spans import TRACING

R = TypeVar("R")

Borrow = Callable[[], AbstractAsyncContextManager[Any]]
Action = Callable[[], Awaitable[None]]
LastStep = Callable[["UnitOfWork", Sequence[Any]], Awaitable[None]]
"""Is told of all that a unit of work has gathered for it, as the last before the commit."""
Announce = Callable[[frozenset[UUID]], None]
"""Is told which streams (the events of a session …) a committed unit of work has added to."""

_NUMBER = re.compile(r"_\d+\Z")

MOST_TRIES = 3
"""Of one statement on a connection that turned out to be dead: the pool may hold several from before a restart."""


class StatementLog(Protocol):
    """Is told of every statement that was sent: for development, and for tests that count."""

    def ran(self, sql: str, elapsed_ms: float, rows: int) -> None:
        """`sql` returned `rows` rows after `elapsed_ms`. Values are never passed."""


class ReadScope:
    """Runs queries, each on a connection of its own that it gives back at once."""

    def __init__(self, borrow: Borrow, log: StatementLog | None) -> None:
        self._borrow = borrow
        self._log = log

    async def all(self, query: Query[R], **values: object) -> list[R]:
        """Every row of the answer."""
        return await self._again_when_dead(query, values, writes=False, replayable=True)

    async def first(self, query: Query[R], **values: object) -> R | None:
        """The first row, or None."""
        found = await self.all(query, **values)
        return found[0] if found else None

    async def _again_when_dead(
        self, statement: Statement[R], values: dict[str, object], *, writes: bool, replayable: bool
    ) -> list[R]:
        """Run a statement that is its own transaction; `replayable` when it may be sent twice.

        Once a write was lost on its way the outcome is unknown, until an answer comes: a later refusal tells only that
        the later attempt stored nothing.
        """
        unknown = False
        for attempt in range(1, MOST_TRIES + 1):
            try:
                async with self._borrow() as connection:
                    return await fetch(connection, statement, values, self._log)
            except Exception as error:
                found = fault_of(error, wrote=writes)
                unknown = unknown or found is Fault.UNKNOWN
                # A time-out means that all connections are busy, or the network is silent: to ask again would only
                # make the queue longer.
                crowded = isinstance(error, TimeoutError) or isinstance(error.__cause__, TimeoutError)
                again = found is Fault.NOTHING_WRITTEN or (found is Fault.UNKNOWN and replayable)
                if again and not crowded and attempt < MOST_TRIES:
                    await asyncio.sleep(0.05 * 2**attempt)
                    continue
                refused = OutcomeUnknown() if unknown else refusal(error, wrote=writes)
                if refused is None or refused is error:
                    raise
                raise refused from error
        raise AssertionError("the last attempt returns or raises")


class UnitOfWork(ReadScope):
    """A scope that may write. What others must learn of it waits for the commit."""

    def __init__(self, borrow: Borrow, log: StatementLog | None, announce: Announce) -> None:
        super().__init__(borrow, log)
        self._after_commit: list[Action] = []
        self._grown: set[UUID] = set()
        self._announce = announce

    @abstractmethod
    async def run(self, command: Command[R], **values: object) -> list[R]:
        """Run a command and return what its RETURNING (or last SELECT) gives."""

    async def run_one(self, command: Command[R], **values: object) -> R | None:
        """Run a command; its first row, or None."""
        found = await self.run(command, **values)
        return found[0] if found else None

    async def copy(self, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        """Add rows by PostgreSQL's COPY, many times as fast as by statements. TypeError in a single statement."""
        what = f"{len(rows)} rows to {table.name} ({', '.join(columns)})"
        raise TypeError(f"a single statement was promised: open a unit of work to copy {what}")

    def after_commit(self, action: Action) -> None:
        """Have `action` called once the work is committed; never when it is rolled back."""
        self._after_commit.append(action)

    def announce(self, stream_id: UUID) -> None:
        """Have those who follow a stream told, once the work is committed, that it has grown."""
        self._grown.add(stream_id)

    def at_last(self, step: LastStep, item: object) -> None:
        """Have `step` take `item`, together with all others that are given for it, right before the commit.

        For rows that many want: they are locked for the time of a commit, and all of them in one order. What the step
        raises rolls the work back. TypeError in a single statement.
        """
        raise TypeError(f"a single statement was promised: open a unit of work to have {step} take {item} at last")

    async def committed(self) -> None:
        """Called by the database when the commit is done."""
        if self._grown:
            self._announce(frozenset(self._grown))
        for action in self._after_commit:
            await action()


class SingleStatement(UnitOfWork):
    """A unit of work of one command, which commits itself. Queries before or after it are free."""

    def __init__(self, borrow: Borrow, log: StatementLog | None, announce: Announce, *, replayable: bool) -> None:
        super().__init__(borrow, log, announce)
        self._replayable = replayable
        self._spent = False

    async def run(self, command: Command[R], **values: object) -> list[R]:
        """Run the one command; TypeError for a second one, which would be a transaction of its own."""
        if self._spent:
            raise TypeError("a single statement was promised; open a unit of work for several")
        self._spent = True
        return await self._again_when_dead(command, values, writes=True, replayable=self._replayable)


class Transaction(UnitOfWork):
    """A unit of work of several statements on one connection, in one transaction."""

    def __init__(self, connection: Any, log: StatementLog | None, announce: Announce) -> None:
        super().__init__(_never_borrow, log, announce)
        self._connection = connection
        self._last: dict[LastStep, list[object]] = {}
        self.wrote = False

    def at_last(self, step: LastStep, item: object) -> None:
        """Gather `item` for a step that comes right before the commit."""
        self._last.setdefault(step, []).append(item)

    async def conclude(self) -> None:
        """Called by the database before the commit: what was to come last comes now."""
        for step, items in self._last.items():
            await step(self, items)

    async def all(self, query: Query[R], **values: object) -> list[R]:
        """Every row of the answer, as this transaction sees it."""
        return await fetch(self._connection, query, values, self._log)

    async def run(self, command: Command[R], **values: object) -> list[R]:
        """Run a command inside the transaction."""
        self.wrote = True
        return await fetch(self._connection, command, values, self._log)

    async def copy(self, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        """Add rows inside the transaction. Keys and checks of the table hold, its triggers run. Duplicate."""
        self.wrote = True
        try:
            await self._connection.copy_records_to_table(table.name, records=rows, columns=columns)
        except asyncpg.PostgresError as error:
            # As in `fetch`: the detail quotes the refused row.
            error.detail = None
            if isinstance(error, asyncpg.UniqueViolationError):
                raise Duplicate(_key_of(error)) from error
            raise


async def fetch(
    connection: "asyncpg.Connection[Any]", statement: Statement[R], values: dict[str, object], log: StatementLog | None
) -> list[R]:
    """Send a statement and return its records; Duplicate when a unique key refuses a row."""
    arguments = statement.arguments(values)
    started_ns, failed = perf_counter_ns(), True
    try:
        # What is prepared here is not kept: its first run is planned for its values.
        runs = await connection.prepare(statement.sql) if isinstance(statement, ReplannedQuery) else None
        found = await (runs.fetch(*arguments) if runs else connection.fetch(statement.sql, *arguments))
        failed = False
    except asyncpg.PostgresError as error:
        # The detail quotes the refused row, with the text of a message: it would stand in every log line (S3-17).
        error.detail = None
        if isinstance(error, asyncpg.UniqueViolationError):
            raise Duplicate(_key_of(error)) from error
        raise
    finally:
        elapsed_ns = perf_counter_ns() - started_ns
        if (observed := OBSERVED.get()) is not None:
            observed.statements += 1
            observed.statement_ns += elapsed_ns
        if TRACING.spans is not None:
            TRACING.spans.statement(statement.sql, elapsed_ns, "refused" if failed else None)
    if log is not None:
        log.ran(statement.sql, elapsed_ns // 1000 / 1000, len(found))
    return statement.records(found)


def _key_of(error: asyncpg.UniqueViolationError) -> str:
    """The name of the key, also where the table is in parts: there it ends in a number, that of the part or shard."""
    return _NUMBER.sub("", str(error.constraint_name))


def _never_borrow() -> AbstractAsyncContextManager[Any]:
    raise AssertionError("a transaction keeps to its own connection")
