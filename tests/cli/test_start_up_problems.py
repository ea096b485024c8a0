"""What stands in the way of a start is told in one line, with how to mend it and exit code 2; never with a password."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.db.embedded import EmbeddedPostgres
from tests.cli.commands import colloquy, colloquy_now
from tests.conftest import address_of

PASSWORD = "sekret"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        (
            "COLLOQUY_PORT",
            "abc",
            "COLLOQUY_PORT: Input should be a valid integer, unable to parse string as an integer",
        ),
        ("COLLOQUY_PORT", "70000", "COLLOQUY_PORT: Input should be less than or equal to 65535"),
        ("COLLOQUY_POOL_SIZE", "0", "COLLOQUY_POOL_SIZE: Input should be greater than or equal to 1"),
        (
            "COLLOQUY_MIGRATE_ON_START",
            "maybe",
            "COLLOQUY_MIGRATE_ON_START: Input should be a valid boolean, unable to interpret input",
        ),
        ("COLLOQUY_LOG_LEVEL", "loud", "COLLOQUY_LOG_LEVEL: must be debug, info, warning or error"),
        ("COLLOQUY_AUTH", "ajar", "COLLOQUY_AUTH: must be off or on"),
        (
            "COLLOQUY_HOST",
            "0.0.0.0",
            "COLLOQUY_HOST=0.0.0.0 with COLLOQUY_AUTH=off would let everybody on the network in as anybody: "
            "listen on 127.0.0.1 or ::1",
        ),
        (
            "COLLOQUY_SHUTDOWN_SECONDS",
            "inf",
            "COLLOQUY_SHUTDOWN_SECONDS: Input should be a finite number",
        ),
        (
            "COLLOQUY_STATEMENT_TIMEOUT_SECONDS",
            "0.0001",
            "COLLOQUY_STATEMENT_TIMEOUT_SECONDS: Input should be greater than or equal to 0.001",
        ),
        (
            "COLLOQUY_CONNECT_TIMEOUT_SECONDS",
            "nan",
            "COLLOQUY_CONNECT_TIMEOUT_SECONDS: Input should be a finite number",
        ),
        ("COLLOQUY_INTENT_CATALOGUE", "/nowhere", "COLLOQUY_INTENT_CATALOGUE: there is no file /nowhere"),
        ("COLLOQUY_INTENT_CATALOGUE", "/etc", "COLLOQUY_INTENT_CATALOGUE: there is no file /etc"),
        ("POSTGRES_PORT", "70000", "POSTGRES_PORT: Input should be less than or equal to 65535"),
        ("DATABASE_URL", f"mysql://u:{PASSWORD}@h/x", "DATABASE_URL: must start with postgresql://"),
    ],
)
def test_wrong_setting_is_told_with_its_name_and_what_it_should_be(name: str, value: str, told: str) -> None:
    answer = colloquy_now("serve", **{name: value})

    assert (answer.exit_code, answer.stdout, answer.stderr) == (2, "", f"colloquy: {told}\n")


def test_several_wrong_settings_are_told_at_once() -> None:
    answer = colloquy_now("serve", COLLOQUY_AUTH="ajar", COLLOQUY_PORT="-1")

    assert answer.exit_code == 2
    assert answer.stderr == (
        "colloquy: COLLOQUY_PORT: Input should be greater than or equal to 0; COLLOQUY_AUTH: must be off or on\n"
    )


NOT_AN_ADDRESS = (
    "colloquy: DATABASE_URL is not an address: write postgresql://user:password@host:port/database, "
    "special characters in the user and the password percent-encoded (/ as %2F)\n"
)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:abc/sekret@127.0.0.1/x",
        "postgresql://u:sekret#1@127.0.0.1/x",
        "postgresql://u:sekret@127.0.0.1:99999/x",
        "postgresql://u:sekret@127.0.0.1:abc/x",
        "postgresql://u:sekret@[::1/x",
    ],
)
def test_unreadable_address_is_told_without_any_part_of_the_password(url: str) -> None:
    answer = colloquy_now("serve", "--port", 0, DATABASE_URL=url)

    assert (answer.exit_code, answer.stdout, answer.stderr) == (2, "", NOT_AN_ADDRESS)


@pytest.mark.parametrize("place", ["127.0.0.1:1", "nowhere.invalid:5432"])
def test_unreachable_server_is_told_without_the_password(place: str) -> None:
    answer = colloquy_now("serve", "--port", 0, DATABASE_URL=f"postgresql://u:{PASSWORD}@{place}/x")

    assert answer.exit_code == 2
    assert_one_line(answer.stderr, "PostgreSQL cannot be reached: ")
    assert answer.stderr.endswith("; start it, correct DATABASE_URL, or unset it for the embedded one\n")


def test_server_that_never_answers_is_told_after_the_time_limit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://u:{PASSWORD}@127.0.0.1:{silent.getsockname()[1]}/x"

        answer = colloquy_now("serve", "--port", 0, DATABASE_URL=url, COLLOQUY_CONNECT_TIMEOUT_SECONDS="0.2")

    assert answer.exit_code == 2
    assert_one_line(answer.stderr, "PostgreSQL cannot be reached: no answer in time; start it")


def test_unknown_option_of_the_address_is_told() -> None:
    answer = colloquy_now("serve", "--port", 0, DATABASE_URL=f"postgresql://u:{PASSWORD}@h/x?sslmode=bogus")

    assert answer.exit_code == 2
    assert_one_line(answer.stderr, "PostgreSQL cannot be reached: `sslmode` parameter must be one of: ")


async def test_missing_database_is_named(cluster: str) -> None:
    answer = await colloquy("doctor", DATABASE_URL=address_of(cluster, "nothing_here"))

    assert answer.exit_code == 2
    assert answer.stderr.splitlines()[-1] == (
        'colloquy: database "nothing_here" does not exist: create it, or correct DATABASE_URL or POSTGRES_DB'
    )


@pytest.fixture
async def with_passwords(tmp_path: Path) -> AsyncIterator[str]:
    """The address, without user and password, of a cluster that asks the user `colloquy` for a password."""
    made = EmbeddedPostgres(tmp_path / "pg", settings={"fsync": "off"})
    address = await asyncio.to_thread(made.start)
    # Read for each connection's turn at the next start.
    (tmp_path / "pg" / "data" / "pg_hba.conf").write_text("local all postgres trust\nlocal all all scram-sha-256\n")
    await asyncio.to_thread(made.stop)
    await asyncio.to_thread(made.start)
    try:
        yield address.replace("//postgres@", "//")
    finally:
        await asyncio.to_thread(made.stop)


async def test_wrong_password_is_told_and_not_shown(with_passwords: str) -> None:
    url = with_passwords.replace("//", f"//colloquy:{PASSWORD}@")

    answer = await colloquy("doctor", DATABASE_URL=url)

    assert answer.exit_code == 2
    assert answer.stderr.splitlines()[-1] == (
        "colloquy: PostgreSQL refuses the password: correct DATABASE_URL or POSTGRES_PASSWORD"
    )
    assert PASSWORD not in answer.output


async def test_database_without_tables_is_refused_where_migrations_are_left_to_the_operator(empty_dsn: str) -> None:
    answer = await colloquy("import", __file__, DATABASE_URL=empty_dsn, COLLOQUY_MIGRATE_ON_START="false")

    assert answer.exit_code == 2
    assert_one_line(answer.stderr, "the database has no tables yet: run `colloquy migrate`")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[", "line 1 column 2: is not JSON (Expecting value); correct it there"),
        ("[]", "top level: must be a list of at least one intent"),
        ('["GREET"]', "intents[0]: "),
    ],
)
def test_invalid_catalogue_is_told_before_anything_is_started(tmp_path: Path, text: str, told: str) -> None:
    catalogue = tmp_path / "intents.json"
    catalogue.write_text(text)

    answer = colloquy_now("serve", "--data-dir", tmp_path / "data", COLLOQUY_INTENT_CATALOGUE=str(catalogue))

    assert answer.exit_code == 2
    assert_one_line(answer.stderr, f"intent catalogue {catalogue}, {told}")
    assert not (tmp_path / "data").exists()


def test_port_in_use_is_told_before_anything_is_started(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        answer = colloquy_now("serve", "--port", port, "--data-dir", tmp_path / "data")

    assert (answer.exit_code, answer.stderr) == (
        2,
        f"colloquy: cannot listen on port {port} of 127.0.0.1: address already in use; "
        "choose another (--port or COLLOQUY_PORT)\n",
    )
    assert not (tmp_path / "data").exists()


def test_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    answer = colloquy_now("doctor", "--data-dir", tmp_path / "file")

    assert answer.exit_code == 2
    assert answer.stderr.splitlines()[-1].startswith(f"colloquy: cannot use {tmp_path}/file/postgres: [Errno 20] ")
    assert "--data-dir or COLLOQUY_DATA_DIR" in answer.stderr


def assert_one_line(told: str, beginning: str) -> None:
    assert told.startswith(f"colloquy: {beginning}")
    assert told.count("\n") == 1
    assert PASSWORD not in told
