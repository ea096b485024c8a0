"""What a process stands on: the database that the settings name, or an embedded one, checked and ready."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from app.core.settings import Settings, direct_address
from app.db import migrate
from app.db.embedded import EmbeddedPostgres, EmbeddedPostgresError
from app.db.errors import DatabaseProblem
from app.db.migrate import Progress

EMBEDDED_DATABASE = "colloquy"
OLDEST_SERVER = 150_000
"""PostgreSQL 15: unique keys over nullable columns need its NULLS NOT DISTINCT."""


@asynccontextmanager
async def reachable_database(settings: Settings, progress: Progress = lambda _: None) -> AsyncIterator[str]:
    """The address of a database that answers. The embedded server is left, and by its last user stopped, at the end.

    DatabaseProblem says in one line what is wrong and what to do.
    """
    if settings.dsn is not None:
        for address in dict.fromkeys((settings.dsn, direct_address(settings, settings.dsn))):
            await check_server(address, settings.connect_timeout_seconds)
        yield settings.dsn
        return
    # Terse: the details of a refused row would put the text of messages into the log.
    server = EmbeddedPostgres(settings.data_dir / "postgres", settings={"log_error_verbosity": "terse"})
    progress(f"embedded PostgreSQL in {settings.data_dir}")
    # A thread cannot be cancelled: who is stopped while it starts the server waits for it, and leaves the cluster then.
    starting = asyncio.get_running_loop().run_in_executor(None, server.start)
    try:
        try:
            dsn = await asyncio.shield(starting)
        except EmbeddedPostgresError as error:
            raise DatabaseProblem(str(error)) from error
        await _make_database(dsn)
        yield dsn.replace("/postgres?", f"/{EMBEDDED_DATABASE}?")
    finally:
        await asyncio.wait([starting])
        await asyncio.to_thread(server.stop)


@asynccontextmanager
async def ready_database(settings: Settings, progress: Progress = lambda _: None) -> AsyncIterator[str]:
    """A reachable database with the tables of this version, migrated where the settings allow it."""
    async with reachable_database(settings, progress) as dsn:
        direct = direct_address(settings, dsn)
        if settings.migrate_on_start:
            await apply_migrations(direct, progress)
        elif await migrate.current(direct) is None:
            raise DatabaseProblem(
                "the database has no tables yet: run `colloquy migrate`, or set COLLOQUY_MIGRATE_ON_START"
            )
        yield dsn


async def apply_migrations(dsn: str, progress: Progress, to: str = "head") -> None:
    """Bring the database to this version's tables; DatabaseProblem when the user may not."""
    try:
        await migrate.upgrade(dsn, to, progress)
    except Exception as error:
        cause = _server_error(error)
        if cause is None:
            raise
        mend = (
            "a table is in use: try again when the database is quiet"
            if isinstance(cause, asyncpg.LockNotAvailableError)
            else "let the database's user create tables in its schema"
        )
        raise DatabaseProblem(f"the migrations cannot be applied: {_in_one_line(cause)}; {mend}") from error


async def check_server(dsn: str, timeout_seconds: float) -> None:
    """Raise DatabaseProblem, without the password, when the server cannot be used."""
    try:
        # Without a name, a statement leaves nothing behind at a pooler.
        connection = await asyncpg.connect(dsn, timeout=timeout_seconds, statement_cache_size=0)
    except asyncpg.InvalidPasswordError:
        raise DatabaseProblem("PostgreSQL refuses the password: correct DATABASE_URL or POSTGRES_PASSWORD") from None
    except asyncpg.InvalidCatalogNameError as error:
        raise DatabaseProblem(f"{_in_one_line(error)}: create it, or correct DATABASE_URL or POSTGRES_DB") from None
    except asyncpg.PostgresError as error:
        reason = _in_one_line(error)
        raise DatabaseProblem(f"PostgreSQL refuses the connection: {reason}; correct DATABASE_URL") from None
    except (OSError, TimeoutError, asyncpg.InterfaceError) as error:
        reason = "no answer in time" if isinstance(error, TimeoutError) else _in_one_line(error)
        raise DatabaseProblem(
            f"PostgreSQL cannot be reached: {reason}; start it, correct DATABASE_URL, or unset it for the embedded one"
        ) from None
    except (ValueError, OverflowError):
        # What was raised may quote the address: of a password with a slash in it, its beginning is taken for the port.
        raise DatabaseProblem(
            "DATABASE_URL is not an address: write postgresql://user:password@host:port/database, "
            "special characters in the user and the password percent-encoded (/ as %2F)"
        ) from None
    try:
        version = int(await connection.fetchval("SHOW server_version_num"))
        if version < OLDEST_SERVER:
            raise DatabaseProblem(f"PostgreSQL {version // 10_000} is too old: use version 15 or newer")
        if await connection.fetchval("SHOW server_encoding") != "UTF8":
            raise DatabaseProblem("the database is not encoded in UTF8: create one with ENCODING 'UTF8'")
    finally:
        await connection.close()


async def _make_database(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", EMBEDDED_DATABASE):
            await connection.execute(f'CREATE DATABASE "{EMBEDDED_DATABASE}"')
    except (asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
        pass  # Another process that started at the same moment made it.
    finally:
        await connection.close()


def _in_one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def _server_error(error: BaseException | None) -> Any:
    while error is not None and not isinstance(error, asyncpg.PostgresError):
        error = error.__cause__ or error.__context__
    return error
