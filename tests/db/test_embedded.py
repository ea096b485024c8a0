"""The embedded server: who starts it, who shares it, who stops it, and what is said when it cannot be had."""

import asyncio
import contextlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest
import sqlalchemy
from sqlalchemy.ext.asyncio import create_async_engine

from app.db.embedded import MAX_LOG_BYTES, EmbeddedPostgres, EmbeddedPostgresError
from tests.db.clusters import (
    PATIENCE_SECONDS,
    PROJECT,
    Open,
    Run,
    ask,
    postmasters,
    processes_in,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")


def test_first_user_gets_a_utf8_cluster_without_tcp(empty_root: Path, use: Open) -> None:
    server = use(empty_root, {})

    address = server.start()

    assert ask(address, "SHOW server_encoding") == "UTF8"
    assert ask(address, "SHOW listen_addresses") == ""
    assert ask(address, "SHOW fsync") == "on"
    assert ask(address, "SELECT datlocprovider::text || datlocale FROM pg_database LIMIT 1") == "bC.UTF-8"
    assert ask(address, "SELECT to_tsvector('simple', '«Grüße» — Мир')::text") == "'grüße':1 'мир':2"
    socket_folder = Path(address.partition("host=")[2].partition("&")[0])
    assert socket_folder.stat().st_mode & 0o777 == 0o700
    assert (server.bin_folder / "pgbench").exists()


def test_address_is_understood_by_sqlalchemy(root: Path, use: Open) -> None:
    address = use(root).start().replace("postgresql://", "postgresql+asyncpg://")

    async def fetch() -> object:
        engine = create_async_engine(address)
        async with engine.connect() as connection:
            answer = await connection.scalar(sqlalchemy.text("SELECT 7"))
        await engine.dispose()
        return answer

    assert asyncio.run(fetch()) == 7


def test_server_runs_until_the_last_user_leaves(root: Path, use: Open, run: Run) -> None:
    first, second, third = use(root), use(root), run("hold", root)
    address = first.start()
    assert second.start() == first.start() == address
    third.begin()
    assert third.line() == address

    left = [first.stop(), second.stop(), second.stop()]

    assert left == [False, False, False]
    assert ask(address, "SELECT 1") == 1
    assert third.leave() == "True"
    assert processes_in(root) == {}


def test_stopped_cluster_starts_again_with_its_rows(root: Path, use: Open) -> None:
    server = use(root)
    ask(server.start(), "CREATE TABLE kept AS SELECT 1 AS id")

    assert server.stop()

    assert processes_in(root) == {}
    assert ask(server.start(), "SELECT count(*) FROM kept") == 1


def test_open_connections_do_not_hold_up_the_last_user(root: Path, use: Open) -> None:
    server = use(root)
    address = server.start()

    async def stop_while_connected() -> bool:
        connection = await asyncpg.connect(address)
        stopped = await asyncio.to_thread(server.stop)
        with contextlib.suppress(asyncpg.PostgresError, OSError):
            await connection.close(timeout=PATIENCE_SECONDS)
        return stopped

    assert asyncio.run(stop_while_connected())
    assert processes_in(root) == {}


def test_processes_that_start_at_once_share_one_new_cluster(empty_root: Path, use: Open, run: Run) -> None:
    users = [run("hold", empty_root) for _ in range(3)]

    for user in users:
        user.begin()

    addresses = {user.line() for user in users}
    assert len(addresses) == 1
    assert ask(addresses.pop(), "SELECT 1") == 1
    assert len(postmasters(empty_root)) == 1
    assert sorted(user.leave() for user in users) == ["False", "False", "True"]
    assert processes_in(empty_root) == {}
    assert use(empty_root).start()


def test_threads_that_start_at_once_share_one_server(root: Path, use: Open) -> None:
    users = [use(root) for _ in range(4)]

    with ThreadPoolExecutor(len(users)) as pool:
        addresses = set(pool.map(EmbeddedPostgres.start, users))
        running = len(postmasters(root))
        left = sorted(pool.map(EmbeddedPostgres.stop, users))

    assert len(addresses) == running == 1
    assert left == [False, False, False, True]


def test_server_inherits_only_the_lock_that_is_its_own(root: Path, use: Open) -> None:
    use(root).start()

    [postmaster] = postmasters(root)
    files = {os.readlink(file) for file in Path(f"/proc/{postmaster}/fd").iterdir()}

    assert {file for file in files if Path(file).parent == root} == {str(root / "server"), str(root / "log")}
    assert os.getsid(postmaster) != os.getsid(0)


def test_cluster_of_another_version_is_refused_untouched(root: Path, use: Open) -> None:
    (root / "data" / "PG_VERSION").write_text("17\n")

    with pytest.raises(
        EmbeddedPostgresError, match="made by PostgreSQL 17 and this is PostgreSQL 18: dump it"
    ) as error:
        use(root).start()

    assert "\n" not in str(error.value)
    assert (root / "data" / "PG_VERSION").read_text() == "17\n"
    assert processes_in(root) == {}


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"shared_buffers": "garbage"}, 'invalid value for parameter "shared_buffers": "garbage"'),
        ({"no_such_thing": "1"}, 'unrecognized configuration parameter "no_such_thing"'),
    ],
)
def test_failing_start_tells_the_reason_of_the_server(
    root: Path, use: Open, settings: dict[str, str], reason: str
) -> None:
    server = use(root, settings)

    with pytest.raises(EmbeddedPostgresError) as error:
        server.start()

    assert reason in str(error.value)
    assert "\n" not in str(error.value)
    assert server.stop() is False
    assert ask(use(root).start(), "SELECT 1") == 1


def test_failing_initdb_tells_its_reason(empty_root: Path, use: Open) -> None:
    empty_root.joinpath("data").mkdir(parents=True)
    (empty_root / "data" / "notes").write_text("not a cluster")

    with pytest.raises(EmbeddedPostgresError, match="Directory not empty") as error:
        use(empty_root).start()

    assert str(empty_root) in str(error.value)
    assert (empty_root / "data" / "notes").read_text() == "not a cluster"


def test_big_log_is_put_aside_at_start(root: Path, use: Open) -> None:
    (root / "log").write_bytes(b"x" * (MAX_LOG_BYTES + 1))

    use(root).start()

    assert (root / "log.1").stat().st_size == MAX_LOG_BYTES + 1
    assert b"ready to accept connections" in (root / "log").read_bytes()


def test_missing_wheel_points_at_database_url(tmp_path: Path) -> None:
    code = f"import sys; sys.path.insert(0, {str(PROJECT)!r})\nfrom pathlib import Path\n"
    code += "from app.db.embedded import EmbeddedPostgres\nEmbeddedPostgres(Path(sys.argv[1])).start()"

    # -S leaves out what is installed.
    command = [sys.executable, "-I", "-S", "-c", code, str(tmp_path / "pg")]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS)

    assert "EmbeddedPostgresError: PostgreSQL is not installed here" in answer.stderr
    assert "set DATABASE_URL" in answer.stderr
