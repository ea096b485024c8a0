"""Migrations: applied one process at a time, by the server when it starts or by `colloquy migrate`."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from app.db.errors import DatabaseProblem

FOLDER = Path(__file__).parents[2] / "migrations"

LOCK = 0x636F6C6C6F717579
"""The advisory lock of migrating processes: "colloquy" in ASCII, unlikely to be another program's."""

LIBRARY_TABLES = "pgqueuer"
"""How the names of tables begin that a migration makes and a library, not `app.tables`, describes."""

Progress = Callable[[str], None]


@cache
def head() -> str:
    """The newest revision this version of the program knows."""
    newest = ScriptDirectory(str(FOLDER)).get_current_head()
    if newest is None:
        raise DatabaseProblem(f"there are no migrations in {FOLDER}: the installation is incomplete")
    return newest


@cache
def known() -> frozenset[str]:
    """Every revision this version of the program knows. It reads a hundred files: in a thread, where others wait."""
    return frozenset(script.revision for script in ScriptDirectory(str(FOLDER)).walk_revisions())


def is_behind(revision: str | None) -> bool:
    """Whether a database at that revision lacks tables of this version; one that a newer version made does not."""
    return revision is None or (revision != head() and revision in known())


async def current(dsn: str) -> str | None:
    """The revision of the database; None when it is empty."""
    async with _connection(dsn) as connection:
        return await connection.run_sync(_revision)


async def upgrade(dsn: str, to: str = "head", progress: Progress = lambda _step: None) -> None:
    """Apply what is missing. A second process waits for the first, then finds nothing to do.

    A database that a newer version of the program has migrated is left alone: old releases keep running after it.
    """
    async with _connection(dsn) as connection:
        await connection.run_sync(_up, to, progress)


async def downgrade(dsn: str, to: str, progress: Progress = lambda _step: None) -> None:
    """Take migrations back to the revision `to`, or `base` for an empty database."""
    async with _connection(dsn) as connection:
        await connection.run_sync(lambda sync: command.downgrade(_config(sync, progress), to))


async def new_migration(dsn: str, name: str) -> None:
    """Write a migration from the difference between the tables and the database."""
    async with _connection(dsn) as connection:
        await connection.run_sync(
            lambda sync: command.revision(_config(sync, lambda _: None), message=name, autogenerate=True)
        )


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Whether Alembic shall compare what it found in the database with our tables."""
    return kind != "table" or name is None or not name.startswith(LIBRARY_TABLES)


@asynccontextmanager
async def _connection(dsn: str) -> AsyncIterator[AsyncConnection]:
    # Tables take the time they take, whatever limit the database's user has for statements.
    unlimited = {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda *_a, **_k: asyncpg.connect(dsn, server_settings=unlimited),
        poolclass=NullPool,
    )
    try:
        async with engine.connect() as connection:
            # Held by the session, not by a transaction: each migration commits for itself.
            await connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
            await connection.commit()
            try:
                yield connection
            except CommandError as error:
                raise DatabaseProblem(f"{error}; the revisions are the files in {FOLDER / 'versions'}") from None
            finally:
                await connection.rollback()
                await connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})
                await connection.commit()
    finally:
        await engine.dispose()


def _up(connection: Connection, to: str, progress: Progress) -> None:
    found = _revision(connection)
    if found is not None and found not in known():
        progress(f"the database is at {found}, which a newer version made: left as it is")
        return
    command.upgrade(_config(connection, progress), to)


def _revision(connection: Connection) -> str | None:
    found = MigrationContext.configure(connection).get_current_revision()
    connection.commit()
    return found


def _config(connection: Connection, progress: Progress) -> Config:
    def applied(*, step: Any, **_: Any) -> None:
        direction = "applied" if step.is_upgrade else "took back"
        progress(f"{direction} {step.up_revision.revision}: {step.up_revision.doc}")

    config = Config(str(FOLDER.parent / "alembic.ini"))
    config.attributes["connection"] = connection
    config.attributes["on_version_apply"] = applied
    return config
