"""Migrations: up, down and up again; one process at a time; all of one or nothing."""

import asyncio
import shutil
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from app.db import migrate
from app.tables import metadata
from tests.conftest import execute
from tests.conversations import rows, value, waiting_for_locks
from tests.migrations import EVERY_STEP, with_sync

PROJECT = Path(__file__).parents[2]

MIGRATE = """
import asyncio, sys
from app.db import migrate
print("ready", flush=True)
sys.stdin.readline()
asyncio.run(migrate.upgrade(sys.argv[1], progress=print))
"""

SHAPE = {
    "columns": """
        SELECT table_name, column_name, data_type, udt_name, is_nullable, column_default, numeric_precision,
               numeric_scale
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'
        ORDER BY table_name, column_name""",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version' ORDER BY 1, 2""",
    "indexes": """
        SELECT tablename, indexname, indexdef FROM pg_indexes
        WHERE schemaname = 'public' AND tablename <> 'alembic_version' ORDER BY 1, 2""",
}
"""What a database looks like, as PostgreSQL tells it."""

TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
LEFT = """
SELECT (SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version')
     + (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace)
     + (SELECT count(*) FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype = 'e')
"""


async def _shape(dsn: str) -> dict[str, list[tuple[Any, ...]]]:
    return {name: [tuple(row) for row in await rows(dsn, question)] for name, question in SHAPE.items()}


async def test_way_up_and_down_and_up_again_ends_where_it_began(empty_dsn: str) -> None:
    told: list[str] = []
    assert await migrate.current(empty_dsn) is None

    await migrate.upgrade(empty_dsn, progress=told.append)
    first = await _shape(empty_dsn)
    assert await migrate.current(empty_dsn) == migrate.head()

    await migrate.downgrade(empty_dsn, "base", told.append)
    assert await migrate.current(empty_dsn) is None
    assert await value(empty_dsn, LEFT) == 0

    await migrate.upgrade(empty_dsn, progress=told.append)
    assert await _shape(empty_dsn) == first
    applied = [line for line in told if line.startswith("applied ")]
    assert [line.split(":")[0] for line in applied] == EVERY_STEP * 2
    assert len(told) == 3 * len(EVERY_STEP)
    assert applied[0].startswith("applied 20261121_conversations: Sessions with their metadata")


async def test_sessions_of_projects_are_conversations_again_on_the_way_down(dsn: str) -> None:
    project, session = uuid4(), uuid4()
    made = "INSERT INTO projects (tenant_id, id, name, description, created_by, updated_by)"
    await rows(dsn, f"{made} VALUES ('t', $1, 'x', 'x', 'a', 'a')", project)
    added = "INSERT INTO chat_sessions (tenant_id, id, user_id, title, project_id)"
    await rows(dsn, f"{added} VALUES ('t', $1, 'a', 'x', $2)", session, project)

    await migrate.downgrade(dsn, "20261121_prompt_executions", lambda _: None)
    below = await rows(dsn, "SELECT id, user_id FROM chat_sessions")
    await migrate.upgrade(dsn)

    assert [tuple(row) for row in below] == [(session, "a")]
    assert await rows(dsn, "SELECT id FROM chat_sessions WHERE project_id IS NULL") == [(session,)]
    assert await value(dsn, "SELECT count(*) FROM projects") == 0


async def test_second_time_applies_nothing(empty_dsn: str) -> None:
    told: list[str] = []
    await migrate.upgrade(empty_dsn)

    await migrate.upgrade(empty_dsn, progress=told.append)

    assert told == []


async def test_alembic_finds_no_difference_between_tables_and_migrated_database(dsn: str) -> None:
    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(
            connection, opts={"compare_server_default": True, "compare_type": True, "include_name": migrate.is_ours}
        )
        return list(compare_metadata(context, metadata))

    assert await with_sync(dsn, differences) == []


async def test_migrations_make_what_the_tables_say_to_the_last_constraint(dsn: str, empty_dsn: str) -> None:
    # Alembic compares neither checks nor the parts of a primary key.
    await with_sync(empty_dsn, metadata.create_all)

    migrated, made = await _shape(dsn), await _shape(empty_dsn)

    for name in SHAPE:
        assert [row for row in migrated[name] if migrate.is_ours(row[0], "table", None)] == made[name]


async def test_two_processes_at_once_apply_every_migration_once(empty_dsn: str) -> None:
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", MIGRATE, empty_dsn, cwd=PROJECT,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )
        for _ in range(2)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"

    ended = await asyncio.gather(*(process.communicate(b"\n") for process in processes))

    assert [(process.returncode, errors) for process, (_, errors) in zip(processes, ended, strict=True)] == [
        (0, b""), (0, b""),
    ]  # fmt: skip
    first, second = sorted((output.decode().splitlines() for output, _ in ended), key=len)
    assert first == []
    assert [line.split(":")[0] for line in second] == EVERY_STEP
    assert await migrate.current(empty_dsn) == migrate.head()


async def test_process_waits_for_the_one_that_migrates(empty_dsn: str) -> None:
    other = await asyncpg.connect(empty_dsn)
    try:
        await other.execute(f"SELECT pg_advisory_lock({migrate.LOCK})")
        waiting = asyncio.create_task(migrate.upgrade(empty_dsn))
        await waiting_for_locks(empty_dsn, 1)
        assert await value(empty_dsn, TABLES) == 0
        await other.execute(f"SELECT pg_advisory_unlock({migrate.LOCK})")
        await waiting
    finally:
        await other.close()

    assert await migrate.current(empty_dsn) == migrate.head()


async def test_database_of_a_newer_version_is_left_alone(dsn: str) -> None:
    await execute(dsn, "UPDATE alembic_version SET version_num = '20991231_from_the_future'")
    before = await _shape(dsn)
    told: list[str] = []

    await migrate.upgrade(dsn, progress=told.append)

    assert told == ["the database is at 20991231_from_the_future, which a newer version made: left as it is"]
    assert await migrate.current(dsn) == "20991231_from_the_future"
    assert await _shape(dsn) == before


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the migrations to add to."""
    copy = tmp_path / "migrations"
    shutil.copytree(PROJECT / "migrations", copy, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "alembic.ini", tmp_path)
    monkeypatch.setattr(migrate, "FOLDER", copy)
    return copy


def _add(folder: Path, body: str) -> str:
    name = "20991231_next"
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    (folder / "versions" / f"{name}.py").write_text(
        f'"""The next one."""\n\nfrom alembic import op\n\nrevision = "{name}"\ndown_revision = "{migrate.head()}"\n'
        f"\n\ndef upgrade() -> None:\n{lines}\n\ndef downgrade() -> None:\n    pass\n"
    )
    return name


async def test_migration_that_fails_leaves_nothing_half_applied(empty_dsn: str, folder: Path) -> None:
    before = migrate.head()
    _add(folder, 'op.execute("CREATE TABLE half (id int)")\nop.execute("SELECT 1 / 0")')
    told: list[str] = []

    with pytest.raises(Exception, match="division by zero"):
        await migrate.upgrade(empty_dsn, progress=told.append)

    assert await migrate.current(empty_dsn) == before
    assert [line.split(":")[0] for line in told] == EVERY_STEP
    assert await value(empty_dsn, "SELECT to_regclass('half')") is None


async def test_failed_migration_can_be_mended_and_applied(empty_dsn: str, folder: Path) -> None:
    _add(folder, 'op.execute("SELECT 1 / 0")')
    with pytest.raises(Exception, match="division by zero"):
        await migrate.upgrade(empty_dsn)
    (folder / "versions" / "20991231_next.py").unlink()
    mended = _add(folder, 'op.execute("CREATE TABLE whole (id int)")')

    await migrate.upgrade(empty_dsn)

    assert await migrate.current(empty_dsn) == mended
    assert await value(empty_dsn, "SELECT to_regclass('whole')") is not None


async def test_migration_does_not_wait_long_for_a_table(empty_dsn: str, folder: Path) -> None:
    _add(folder, "op.execute(\"CREATE TABLE seen AS SELECT current_setting('lock_timeout') AS lock_timeout\")")

    await migrate.upgrade(empty_dsn)

    assert await value(empty_dsn, "SELECT lock_timeout FROM seen") == "5s"


async def test_new_migration_is_written_from_the_difference(dsn: str, folder: Path) -> None:
    before, newest = {file.name for file in (folder / "versions").glob("*.py")}, migrate.head()
    await execute(dsn, "ALTER TABLE chat_sessions DROP COLUMN provider")

    await migrate.new_migration(dsn, "bring the provider back")

    [written] = {file.name for file in (folder / "versions").glob("*.py")} - before
    text = (folder / "versions" / written).read_text()
    assert written.endswith("_bring_the_provider_back.py")
    assert f"down_revision = '{newest}'" in text
    assert "op.add_column('chat_sessions', sa.Column('provider', sa.Text(), nullable=True))" in text
    assert "op.drop_column('chat_sessions', 'provider')" in text
    assert "pgqueuer" not in text
