"""A standby that serves queries, as soon as it has all that was committed before they came."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, Generic, NamedTuple, Self, TypeVar

import asyncpg
import structlog
from sqlalchemy import BigInteger, literal_column, select

from app.core.errors import AppError
from app.core.settings import Settings
from app.db.database import Database, PoolSettings
from app.db.errors import StatementTooSlow
from app.db.faults import Fault, fault_of
from app.db.scopes import ReadScope, StatementLog, fetch
from app.db.statement import Query

R = TypeVar("R")
T = TypeVar("T")

LOOK_SECONDS = 0.002
"""Between two looks at how far the standby is: it replays a commit within a millisecond or so of hearing of it."""

PAUSE_SECONDS = 1.0
"""Before a standby that was away, or behind, is tried again: meanwhile no query waits for it."""

log = structlog.get_logger("colloquy.replica")


class Position(NamedTuple):
    """A place in the log of a server, bytes from its beginning, on one of its timelines."""

    timeline: int
    lsn: int


class Standing(NamedTuple):
    """What a server says of itself as a standby."""

    system: int
    """Which cluster it is a copy of."""
    database: int
    timeline: int
    """That of its last restart point: after a failover it is the new one some minutes later."""
    lsn: int | None
    """How far it has replayed; none where it is no standby."""
    started_at: datetime
    counted_since: datetime


def _column(sql: str, name: str) -> Any:
    return literal_column(sql, BigInteger).label(name)


_POSITION = Query(
    Position,
    select(
        _column("('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint", "timeline"),
        # What is acknowledged is on the disk, and no more is sent to a standby; without synchronous commits it may be
        # acknowledged before, and only the end of the log is surely behind it.
        _column(
            "(CASE current_setting('synchronous_commit') WHEN 'off' THEN pg_current_wal_insert_lsn() "
            "ELSE pg_current_wal_flush_lsn() END - '0/0'::pg_lsn)::bigint",
            "lsn",
        ),
    ),
)
_SYSTEM = "(SELECT system_identifier FROM pg_control_system())"
_DATABASE = "(SELECT oid::bigint FROM pg_database WHERE datname = current_database())"
_STANDING = Query(
    Standing,
    select(
        _column(_SYSTEM, "system"),
        _column(_DATABASE, "database"),
        _column("(SELECT timeline_id FROM pg_control_checkpoint())", "timeline"),
        _column("CASE WHEN pg_is_in_recovery() THEN (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint END", "lsn"),
        _column("pg_postmaster_start_time()", "started_at"),
        _column("pg_stat_get_bgwriter_stat_reset_time()", "counted_since"),
    ),
)
_LIFE = "SELECT pg_postmaster_start_time(), pg_stat_get_bgwriter_stat_reset_time()"
"""What changes when a standby begins anew, also after a crash that its postmaster outlives: it may then be further back
than it was."""


class Standby(Database):
    """The pool of a standby, each of whose connections knows the life of the server that it belongs to."""

    @classmethod
    async def _prepare(cls, chosen: PoolSettings, connection: Any) -> None:
        await super()._prepare(chosen, connection)
        connection.life = tuple(await connection.fetchrow(_LIFE))

    @asynccontextmanager
    async def borrowed(self, standing: Standing) -> AsyncIterator[Any]:
        """A connection to the very server that has said so; ConnectionResetError where it is another by now."""
        async with self._borrow() as connection:
            if connection.life != standing[-2:]:
                await self._lender.expire()
                raise ConnectionResetError("the standby has begun anew")
            yield connection


class Question(Generic[T]):
    """Asks for many at once: who comes before it is sent shares its answer, who comes later waits for the next one."""

    def __init__(self, ask: Callable[[], Awaitable[T]]) -> None:
        self._ask = ask
        self._under_way: asyncio.Task[T] | None = None
        self._next: asyncio.Task[T] | None = None

    async def answer(self) -> T:
        """The answer to a question that was sent after this was called; what `ask` raises."""
        if self._next is None:
            self._next = asyncio.create_task(self._after(self._under_way))
            # Seen here for the case that all who waited have left.
            self._next.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(self._next)

    async def close(self) -> None:
        """Ask no more."""
        tasks = [task for task in (self._under_way, self._next) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _after(self, previous: asyncio.Task[T] | None) -> T:
        if previous is not None:
            await asyncio.wait([previous])
        self._under_way, self._next = self._next, None
        return await self._ask()


class Replica:
    """Chooses for each query where it is read: from the standby, or from the primary.

    The fence is a position: a query that comes asks the primary how far its log is, and goes to the standby once that
    has replayed as much. So it sees all that was acknowledged before it came, whoever wrote it. A standby that does not
    get there in time, is away, or is none, costs one wait and a line in the log; then it is watched from here, and no
    query waits for it.
    """

    def __init__(self, primary: Database, dsn: str, pool_settings: PoolSettings, wait_seconds: float) -> None:
        self._primary = primary
        self._dsn = dsn
        self._pool_settings = replace(pool_settings, name="replica", pooled=False, read_only=True)
        self._wait_seconds = wait_seconds
        self._standby: Standby | None = None
        self._reached: Standing | None = None
        """The farthest that it is known to have come."""
        self._told = False
        self._unfit = asyncio.Event()
        self._unfit.set()
        self._position = Question(self._ask_primary)
        self._standing = Question(self._ask_standby)
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._primary.choose_for_queries(self.for_query)
        self._watching = asyncio.create_task(self._watch(), name="replica")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])
        await self._position.close()
        await self._standing.close()
        if self._standby is not None:
            await self._standby.close()

    async def for_query(self) -> Database:
        """Where to read: from the standby if it has, in time, all that was committed before this, else from here."""
        if self._unfit.is_set():
            return self._primary
        try:
            position = await self._position.answer()
        except AppError:
            # The primary itself will say so.
            return self._primary
        standby, standing = self._standby, await self._reaches(position)
        if standby is None or standing is None:
            return self._primary
        return _Reading(self._primary, standby, standing, self)

    def rest(self, reason: str) -> None:
        """Use the standby no more, until it was seen to be fit."""
        if not self._told:
            log.warning("queries are read from the primary", reason=reason)
            self._told = True
        self._reached = None
        self._unfit.set()

    async def _watch(self) -> None:
        """See to a standby that is not used, until it can be; for ever."""
        while True:
            await self._unfit.wait()
            try:
                if self._standby is None:
                    self._standby = await Standby.connect(self._dsn, self._pool_settings)
                if await self._reaches(await self._position.answer()) is not None:
                    self._unfit.clear()
                    self._told = False
                    log.info("queries are read from the replica")
                    continue
            except Exception as error:
                # Whatever it is, the primary serves; the text may quote the address, so it is not told.
                self.rest(type(error).__name__)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _reaches(self, position: Position) -> Standing | None:
        """How the standby stands once it has come so far; None, and it rests, where it does not in time."""
        try:
            async with asyncio.timeout(self._wait_seconds):
                while True:
                    reached = self._reached
                    if reached is not None and _has(reached, position):
                        return reached
                    self._reached = await self._standing.answer()
                    if self._reached.timeline != position.timeline:
                        raise _Unfit("it follows another timeline")  # noqa: TRY301 - told as all else that is wrong
                    if not _has(self._reached, position):
                        await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            self.rest("the replica is behind")
        except _Unfit as unfit:
            self.rest(f"the replica cannot be used: {unfit}")
        except (AppError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            self.rest(type(error).__name__)
        return None

    async def _ask_primary(self) -> Position:
        async with self._primary.read() as scope:
            [position] = await scope.all(_POSITION)
            return position

    async def _ask_standby(self) -> Standing:
        assert self._standby is not None  # noqa: S101 - asked once there is one
        async with self._primary.read() as primary, self._standby.read() as standby:
            [found] = await standby.all(_STANDING)
            if self._reached is None:
                # Once for each time that it is taken into use: a copy of another cluster has positions, too.
                [ours] = await primary.all(_STANDING)
                if found[:2] != ours[:2]:
                    raise _Unfit("it is no copy of DATABASE_URL")
        if found.lsn is None:
            raise _Unfit("it is no standby")
        return found


class _Unfit(Exception):
    """The server at the other address is not what it should be."""


def _has(standing: Standing, position: Position) -> bool:
    return standing.timeline == position.timeline and standing.lsn is not None and standing.lsn >= position.lsn


class _Reading(Database):
    """Of one operation: queries go to the standby, and once one has failed there, this one and all others do not."""

    def __init__(self, primary: Database, standby: Standby, standing: Standing, replica: Replica) -> None:
        super().__init__(primary._lender, primary._settings, primary._log)
        self._announce = primary._announce
        self._standby = standby
        self._standing = standing
        self._replica = replica
        self._left = False

    def borrowed(self) -> AbstractAsyncContextManager[Any] | None:
        """A connection to the standby; None once it was left: what comes then must not be older than what was seen."""
        return None if self._left else self._standby.borrowed(self._standing)

    def leave(self, error: Exception) -> None:
        """Read from the primary from now on; a standby that cannot be reached rests."""
        self._left = True
        if isinstance(error, AppError | OSError) or fault_of(error, wrote=False) is Fault.NOTHING_WRITTEN:
            # A conflict with what it replays says nothing about the standby; nor does a pool that is crowded.
            crowded = isinstance(error.__cause__, TimeoutError)
            if not crowded and not isinstance(error, asyncpg.SerializationError | asyncpg.DeadlockDetectedError):
                self._replica.rest(type(error).__name__)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadScope]:
        """A scope for queries, as the primary's."""
        yield _ReadingScope(self, self._borrow, self._log)


class _ReadingScope(ReadScope):
    def __init__(self, reading: _Reading, borrow: Any, statements: StatementLog | None) -> None:
        super().__init__(borrow, statements)
        self._reading = reading

    async def all(self, query: Query[R], **values: object) -> list[R]:
        """Every row of the answer."""
        borrowed = self._reading.borrowed()
        if borrowed is not None:
            try:
                async with borrowed as connection:
                    return await fetch(connection, query, values, self._log)
            except (AppError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                if isinstance(error, asyncpg.QueryCanceledError) and "recovery" not in str(error):
                    raise StatementTooSlow from error
                self._reading.leave(error)
        return await super().all(query, **values)


@asynccontextmanager
async def reading_from(settings: Settings, primary: Database) -> AsyncIterator[None]:
    """While the block lasts, queries over `primary` are read from the standby that the settings name, if they do."""
    if settings.database_read_url is None:
        yield
        return
    dsn = settings.database_read_url.get_secret_value()
    async with Replica(primary, dsn, PoolSettings.of(settings), settings.read_wait_seconds):
        yield
