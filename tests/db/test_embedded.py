import asyncio
import contextlib
import os
import pwd
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest
import sqlalchemy
from sqlalchemy.ext.asyncio import create_async_engine

from app.db.embedded import MAX_LOG_BYTES, EmbeddedPostgres, EmbeddedPostgresError

PROJECT = Path(__file__).parents[2]
FAST = {"fsync": "off"}
PATIENCE_SECONDS = 30.0

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has another user to become")

Open = Callable[..., EmbeddedPostgres]


class UserProcess:
    def __init__(self, action: str, root: Path, *prefix: str) -> None:
        script = Path(__file__).with_name("embedded_user.py")
        self.process = subprocess.Popen(
            [*prefix, sys.executable, str(script), action, str(root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._input, self._output = self.process.stdin, self.process.stdout

    def begin(self) -> None:
        self._input.write(b"\n")

    def line(self) -> str:
        readable, _, _ = select.select([self._output], [], [], PATIENCE_SECONDS)
        assert readable
        return self._output.readline().decode().strip()

    def leave(self) -> str:
        self._input.close()
        return self.line()

    def kill(self) -> list[str]:
        """Ends it at once; what it had printed and nobody had read."""
        self.process.kill()
        self.process.wait(PATIENCE_SECONDS)
        rest: bytes = self._output.read()
        return rest.decode().split()

    def close(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE_SECONDS)
        self._input.close()
        self._output.close()


@pytest.fixture(scope="session")
def made_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made") / "pg"
    server = EmbeddedPostgres(root, settings=FAST)
    server.start()
    assert server.stop()
    return root


@pytest.fixture
def empty_root(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "pg"
    end_processes(tmp_path / "pg")


@pytest.fixture
def root(made_root: Path, empty_root: Path) -> Path:
    """A cluster that was stopped, so that a test need not wait for initdb."""
    shutil.copytree(made_root, empty_root)
    return empty_root


@pytest.fixture
def use() -> Iterator[Open]:
    users: list[EmbeddedPostgres] = []

    def new(root: Path, settings: dict[str, str] = FAST) -> EmbeddedPostgres:
        users.append(EmbeddedPostgres(root, settings=settings))
        return users[-1]

    yield new
    for user in users:
        user.stop()


@pytest.fixture
def run() -> Iterator[Callable[..., UserProcess]]:
    with contextlib.ExitStack() as stack:

        def new(*words: str | Path) -> UserProcess:
            action, root, *prefix = words
            process = UserProcess(str(action), Path(root), *map(str, prefix))
            stack.callback(process.close)
            return process

        yield new


def ask(address: str, statement: str) -> object:
    async def fetch() -> object:
        connection = await asyncpg.connect(address, timeout=PATIENCE_SECONDS)
        try:
            return await connection.fetchval(statement, timeout=PATIENCE_SECONDS)
        finally:
            await connection.close()

    return asyncio.run(fetch())


def processes_in(root: Path) -> dict[int, list[str]]:
    """The command lines of all processes that work in the cluster's folder."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if any(folder.joinpath("cwd").samefile(cluster) for cluster in root.glob("data*")):
                found[int(folder.name)] = folder.joinpath("cmdline").read_bytes().decode().split("\0")
    return found


def postmasters(root: Path) -> list[int]:
    return [pid for pid, words in processes_in(root).items() if "-D" in words]


def end_processes(root: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while left := processes_in(root):
        assert time.monotonic() < deadline
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.001)


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


def test_server_runs_until_the_last_user_leaves(root: Path, use: Open, run: Callable[..., UserProcess]) -> None:
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


def test_processes_that_start_at_once_share_one_new_cluster(
    empty_root: Path, use: Open, run: Callable[..., UserProcess]
) -> None:
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


def test_killed_user_loses_no_acknowledged_row(root: Path, use: Open, run: Callable[..., UserProcess]) -> None:
    writer = run("write", root)
    writer.begin()
    acknowledged = [writer.line() for _ in range(200)]
    [postmaster] = postmasters(root)

    acknowledged += writer.kill()
    server = use(root)
    address = server.start()

    assert postmasters(root) == [postmaster]
    assert ask(address, f"SELECT count(*) FROM written WHERE id < {len(acknowledged)}") == len(acknowledged)
    assert server.stop()
    assert processes_in(root) == {}


def test_killed_postmaster_is_replaced_with_its_rows(root: Path, use: Open, run: Callable[..., UserProcess]) -> None:
    writer = run("write", root)
    writer.begin()
    acknowledged = [writer.line() for _ in range(200)]
    [postmaster] = postmasters(root)

    os.kill(postmaster, signal.SIGKILL)
    address = use(root).start()

    acknowledged += writer.kill()
    assert ask(address, f"SELECT count(*) FROM written WHERE id < {len(acknowledged)}") == len(acknowledged)
    [replacement] = postmasters(root)
    assert replacement != postmaster


def test_stop_after_a_killed_postmaster_hurts_nobody(root: Path, use: Open) -> None:
    server = use(root)
    server.start()
    os.kill(postmasters(root)[0], signal.SIGKILL)
    bystander = subprocess.Popen(["sleep", "60"])
    (root / "server").write_text(str(bystander.pid))

    stopped = server.stop()

    alive = bystander.poll() is None
    bystander.kill()
    bystander.wait()
    assert stopped
    assert alive
    assert processes_in(root) == {}


@pytest.mark.parametrize("content", ["{pid}\n/data\n1\n5432\n/tmp\n\n1 2\nready\n", "", "{pid}"])
def test_stale_pid_files_of_a_living_process_do_not_matter(root: Path, use: Open, content: str) -> None:
    server = use(root)
    socket_folder = Path(server.start().partition("host=")[2].partition("&")[0])
    end_processes(root)
    (root / "data" / "postmaster.pid").write_text(content.format(pid=os.getpid()))
    (socket_folder / ".s.PGSQL.5432.lock").write_text(content.format(pid=os.getpid()))
    (socket_folder / ".s.PGSQL.5432").unlink()
    with socket.socket(socket.AF_UNIX) as fake:
        fake.bind(str(socket_folder / ".s.PGSQL.5432"))
        fake.listen()

        address = use(root).start()

    assert ask(address, "SELECT 1") == 1
    assert len(postmasters(root)) == 1


def test_server_started_by_hand_is_not_joined_by_a_second_one(root: Path, use: Open) -> None:
    first = use(root)
    first.start()
    shutil.move(root / "server", root / "elsewhere")  # the lock is gone from its place, as if nobody had taken it
    socket_folder = Path(first.start().partition("host=")[2].partition("&")[0])
    shutil.rmtree(socket_folder)

    with pytest.raises(EmbeddedPostgresError, match="pre-existing shared memory block"):
        use(root).start()

    assert len(postmasters(root)) == 1


def test_cluster_of_another_version_is_refused_untouched(root: Path, use: Open) -> None:
    (root / "data" / "PG_VERSION").write_text("17\n")

    with pytest.raises(
        EmbeddedPostgresError, match="made by PostgreSQL 17 and this is PostgreSQL 18: dump it"
    ) as error:
        use(root).start()

    assert "\n" not in str(error.value)
    assert (root / "data" / "PG_VERSION").read_text() == "17\n"
    assert processes_in(root) == {}


@pytest.mark.parametrize("name", ["d" * 200, "with space, comma:100%+'é'"])
def test_root_may_have_a_long_or_odd_path(made_root: Path, tmp_path: Path, use: Open, name: str) -> None:
    root = tmp_path / name / "pg"
    shutil.copytree(made_root, root)
    first, second = use(root), use(root)

    address = first.start()

    assert second.start() == address
    assert ask(address, "SELECT 1") == 1
    assert [first.stop(), second.stop()] == [False, True]
    assert not Path(address.partition("host=")[2].partition("&")[0]).exists()


def test_socket_folder_of_somebody_else_is_refused(made_root: Path, tmp_path: Path, use: Open) -> None:
    root = tmp_path / ("d" * 200)
    shutil.copytree(made_root, root)
    server = use(root)
    folder = Path(server.start().partition("host=")[2].partition("&")[0])
    server.stop()
    folder.symlink_to(tmp_path)

    with pytest.raises(EmbeddedPostgresError, match="is somebody else's: remove it"):
        server.start()

    folder.unlink()
    assert processes_in(root) == {}


def test_user_killed_in_initdb_leaves_nothing_half_made(
    empty_root: Path, use: Open, run: Callable[..., UserProcess]
) -> None:
    user = run("hold", empty_root)
    user.begin()
    wait_for(empty_root / "data.new" / "global")

    user.kill()
    assert not (empty_root / "data").exists()
    address = use(empty_root).start()

    assert ask(address, "SELECT 1") == 1
    assert not (empty_root / "data.new").exists()


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


@as_root
def test_root_may_use_a_folder_that_only_root_may_enter(made_root: Path, tmp_path: Path, use: Open) -> None:
    (tmp_path / "private").mkdir(mode=0o700)
    root = tmp_path / "private" / "pg"
    shutil.copytree(made_root, root)

    address = use(root).start()

    assert ask(address, "SELECT 1") == 1
    assert (tmp_path / "private").stat().st_mode & 0o777 == 0o700
    assert (root / "data").stat().st_uid == 0


@pytest.fixture
def open_root() -> Iterator[Path]:
    """A folder that everybody may enter, in one that belongs to us."""
    folder = Path("/tmp") / f"colloquy-test-{os.getpid()}"
    folder.mkdir(mode=0o755)
    yield folder / "pg"
    end_processes(folder / "pg")
    shutil.rmtree(folder)


@pytest.fixture
def without_namespaces(tmp_path: Path) -> list[str]:
    """A command prefix under which no user namespace can be made: the kernel allows none in a changed root."""
    (tmp_path / "slash").mkdir()
    script = f'mount --rbind / {tmp_path}/slash && exec chroot {tmp_path}/slash "$@"'
    prefix = ["unshare", "--mount", "sh", "-c", script, "sh"]
    if shutil.which("unshare") is None or subprocess.run([*prefix, "true"], timeout=PATIENCE_SECONDS).returncode != 0:
        pytest.skip("cannot change the root here")
    assert subprocess.run([*prefix, "unshare", "--user", "true"], stderr=subprocess.DEVNULL).returncode != 0
    return prefix


@as_root
def test_without_namespaces_root_runs_the_server_as_nobody(
    open_root: Path, without_namespaces: list[str], use: Open, run: Callable[..., UserProcess]
) -> None:
    user = run("hold", open_root, *without_namespaces)
    user.begin()
    address = user.line()

    # With namespaces again: the owner of the cluster decides, not what would be possible.
    server = use(open_root)
    assert server.start() == address

    nobody = pwd.getpwnam("nobody").pw_uid
    [postmaster] = postmasters(open_root)
    assert Path(f"/proc/{postmaster}").stat().st_uid == nobody
    assert (open_root / "data").stat().st_uid == nobody
    assert open_root.stat().st_uid == 0
    assert user.leave() == "False"
    assert server.stop()
    assert ask(server.start(), "SELECT 1") == 1


@as_root
def test_folder_that_nobody_may_not_enter_is_named(empty_root: Path, without_namespaces: list[str]) -> None:
    empty_root.mkdir()
    empty_root.chmod(0o700)
    script = Path(__file__).with_name("embedded_user.py")

    answer = subprocess.run(
        [*without_namespaces, sys.executable, str(script), "hold", str(empty_root)],
        input="\n",
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )

    assert (
        f"Permission denied: '{empty_root}'; choose another folder (--data-dir or COLLOQUY_DATA_DIR)" in answer.stderr
    )
    assert empty_root.stat().st_mode & 0o777 == 0o700
    assert not (empty_root / "data").exists()
