"""The commands: what they do, what they print, and how they end."""

from pathlib import Path

import asyncpg
import pytest

from app.db import migrate
from app.db.embedded import EmbeddedPostgres
from app.schema import schema
from tests.cli.commands import colloquy, colloquy_now
from tests.conftest import execute
from tests.conversations import rows
from tests.migrations import EVERY_STEP

PRINTED = schema.as_str() + "\n"

TABLES = "SELECT count(*) AS tables FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"


async def tables(dsn: str) -> int:
    return int((await rows(dsn, TABLES))[0]["tables"])


async def test_migrate_makes_the_tables_and_then_finds_nothing_to_do(empty_dsn: str) -> None:
    first = await colloquy("migrate", DATABASE_URL=empty_dsn)
    made = await tables(empty_dsn)
    again = await colloquy("migrate", DATABASE_URL=empty_dsn)

    at = f"the database is at {migrate.head()}"
    assert (first.exit_code, again.exit_code, first.stdout) == (0, 0, "")
    *steps, last = first.stderr.splitlines()
    assert [line.partition(":")[0] for line in steps] == EVERY_STEP
    assert (last, again.stderr) == (at, f"{at}\n")
    assert made > 0


async def test_migrate_down_to_base_empties_the_database_and_up_again_fills_it(dsn: str) -> None:
    full = await tables(dsn)

    down = await colloquy("migrate", "--down", "--to", "base", DATABASE_URL=dsn)
    left = await tables(dsn)
    up = await colloquy("migrate", "--to", migrate.head(), DATABASE_URL=dsn)

    assert (down.exit_code, left) == (0, 0)
    assert down.stderr.splitlines()[-1] == "the database is at base: it has no tables"
    assert down.stderr.startswith("took back ")
    assert (up.exit_code, await tables(dsn)) == (0, full)


async def test_migrate_down_asks_where_to(dsn: str) -> None:
    before = await tables(dsn)

    answer = await colloquy("migrate", "--down", DATABASE_URL=dsn)

    assert answer.exit_code == 2
    assert answer.stderr.startswith("colloquy: say with --to which revision")
    assert await tables(dsn) == before


@pytest.mark.parametrize("direction", [(), ("--down",)])
async def test_unknown_revision_is_told_in_one_line_and_nothing_is_changed(
    dsn: str, direction: tuple[str, ...]
) -> None:
    before = await tables(dsn)

    answer = await colloquy("migrate", *direction, "--to", "nonsense", DATABASE_URL=dsn)

    assert (answer.exit_code, answer.stdout) == (2, "")
    assert answer.stderr == (
        "colloquy: Can't locate revision identified by 'nonsense'; "
        f"the revisions are the files in {migrate.FOLDER / 'versions'}\n"
    )
    assert await tables(dsn) == before


async def test_database_of_a_newer_version_is_left_as_it_is(dsn: str) -> None:
    await execute(dsn, "UPDATE alembic_version SET version_num = '29990101_future'")

    answer = await colloquy("migrate", DATABASE_URL=dsn)

    assert answer.exit_code == 0
    assert answer.stderr.splitlines() == [
        "the database is at 29990101_future, which a newer version made: left as it is",
        "the database is at 29990101_future",
    ]


async def test_user_who_may_not_create_tables_is_told_what_to_do(empty_dsn: str) -> None:
    await execute(empty_dsn, "CREATE ROLE reader_only LOGIN")
    try:
        answer = await colloquy("migrate", DATABASE_URL=empty_dsn.replace("//postgres@", "//reader_only@"))
    finally:
        await execute(empty_dsn, "DROP ROLE reader_only")

    assert answer.exit_code == 2
    assert answer.stderr == (
        "colloquy: the migrations cannot be applied: permission denied for schema public; "
        "let the database's user create tables in its schema\n"
    )
    assert await tables(empty_dsn) == 0


async def test_database_in_another_encoding_is_refused(cluster: str) -> None:
    await execute(
        cluster, "CREATE DATABASE old_letters ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0"
    )
    try:
        answer = await colloquy("migrate", DATABASE_URL=cluster.replace("/postgres?", "/old_letters?"))
    finally:
        await execute(cluster, "DROP DATABASE old_letters")

    assert answer.exit_code == 2
    assert answer.stderr == "colloquy: the database is not encoded in UTF8: create one with ENCODING 'UTF8'\n"


async def test_embedded_database_is_made_migrated_examined_and_stopped(tmp_path: Path) -> None:
    examined = await colloquy("doctor", "--data-dir", tmp_path)
    migrated = await colloquy("migrate", "--data-dir", tmp_path)
    again = await colloquy("doctor", "--data-dir", tmp_path)

    newest = migrate.head()
    assert (examined.exit_code, migrated.exit_code, again.exit_code) == (0, 0, 0)
    assert examined.stderr.splitlines()[:4] == [
        "settings: fine",
        "intent catalogue: fine",
        f"database: answers; embedded in {tmp_path}",
        f"tables: none, newest is {newest}; run `colloquy migrate`",
    ]
    assert migrated.stderr.splitlines()[0] == f"embedded PostgreSQL in {tmp_path}"
    assert migrated.stderr.splitlines()[-1] == f"the database is at {newest}"
    assert again.stderr.splitlines()[3] == "tables: newest"
    assert again.stderr.splitlines()[-1] == "authentication: off; everybody on this machine may be anybody"
    # Nobody is left to stop it: whoever comes next is its first user and its last.
    assert not (tmp_path / "postgres" / "data" / "postmaster.pid").exists()
    server = EmbeddedPostgres(tmp_path / "postgres")
    await (await asyncpg.connect(server.start())).close()
    assert server.stop()


async def test_doctor_tells_of_a_database_of_ones_own(dsn: str) -> None:
    guarded = {
        "COLLOQUY_AUTH": "on", "COLLOQUY_JWT_SECRET": "s3cret" * 6, "COLLOQUY_JWT_JWKS_URL": "https://keys.example/?s3cret",
    }  # fmt: skip
    answer = await colloquy("doctor", DATABASE_URL=dsn, **guarded)

    assert (answer.exit_code, answer.stdout) == (0, "")
    assert "s3cret" not in answer.stderr
    assert answer.stderr.splitlines()[-1] == (
        "authentication: on; API keys, tokens by HS256, tokens by the keys of keys.example"
    )
    assert answer.stderr.splitlines()[:4] == [
        "settings: fine",
        "intent catalogue: fine",
        "database: answers; yours",
        "tables: newest",
    ]
    assert answer.stderr.splitlines()[4].startswith("console: ")
    assert answer.stderr.splitlines()[5].startswith("playground: ")
    assert "postgres" not in answer.output


def test_schema_is_printed_alone() -> None:
    answer = colloquy_now("schema")

    assert (answer.exit_code, answer.stdout, answer.stderr) == (0, PRINTED, "")


def test_written_schema_passes_its_own_check(tmp_path: Path) -> None:
    file = tmp_path / "schema.graphql"

    written = colloquy_now("schema", "--write", file)
    checked = colloquy_now("schema", "--check", file)

    assert (written.exit_code, written.output, file.read_text()) == (0, "", PRINTED)
    assert (checked.exit_code, checked.output) == (0, "")


@pytest.mark.parametrize("content", [None, b"", PRINTED.encode() + b"\n", b"\xff"])
def test_file_that_differs_from_the_schema_ends_the_check_with_1(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "schema.graphql"
    if content is not None:
        file.write_bytes(content)

    answer = colloquy_now("schema", "--check", file)

    assert (answer.exit_code, answer.stdout) == (1, "")
    assert answer.stderr == f"{file} is not the served schema: run `make schema`\n"


def test_schema_that_cannot_be_written_is_told_in_one_line(tmp_path: Path) -> None:
    answer = colloquy_now("schema", "--write", tmp_path / "nowhere" / "file")

    assert (answer.exit_code, answer.stdout) == (2, "")
    assert answer.stderr == f"colloquy: {tmp_path}/nowhere/file cannot be written: No such file or directory\n"


@pytest.mark.parametrize(
    ("command", "flags"),
    [
        ("serve", ["--host", "--port", "--data-dir", "--workers"]),
        ("worker", ["--data-dir"]),
        ("migrate", ["--data-dir", "--to", "--down", "--new"]),
        ("schema", ["--write", "--check"]),
        ("doctor", ["--data-dir"]),
        ("import", ["--format", "--user-field", "--user", "--tenant", "--data-dir"]),
    ],
)
def test_help_of_a_command_says_what_it_does_and_names_its_flags(command: str, flags: list[str]) -> None:
    overview = colloquy_now("--help")
    answer = colloquy_now(command, "--help")

    assert (answer.exit_code, answer.stderr) == (0, "")
    assert command in overview.stdout
    assert [flag for flag in flags if f"{flag} " not in answer.stdout] == []
    assert "No such" not in answer.stdout


def test_without_a_command_the_help_is_shown() -> None:
    answer = colloquy_now()

    assert answer.exit_code == 2
    assert "Conversations of people and language models" in answer.output


@pytest.mark.parametrize("command", ["serve", "migrate", "schema", "doctor", "import"])
def test_unknown_flag_is_refused(command: str) -> None:
    answer = colloquy_now(command, "--nonsense")

    assert (answer.exit_code, answer.stdout) == (2, "")
    assert "No such option: --nonsense" in answer.stderr


def test_unknown_command_is_refused() -> None:
    answer = colloquy_now("nonsense")

    assert answer.exit_code == 2
    assert "No such command 'nonsense'" in answer.stderr


def test_no_workers_at_all_are_refused() -> None:
    answer = colloquy_now("serve", "--workers", 0)

    assert answer.exit_code == 2
    assert "--workers" in answer.stderr
