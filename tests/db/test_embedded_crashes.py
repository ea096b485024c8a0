"""What kills leave behind, and how the next user of the cluster deals with it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from app.db.embedded import EmbeddedPostgresError
from tests.db.clusters import Open, Run, ask, end_processes, postmasters, processes_in, wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")


def test_killed_user_loses_no_acknowledged_row(root: Path, use: Open, run: Run) -> None:
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


def test_killed_postmaster_is_replaced_with_its_rows(root: Path, use: Open, run: Run) -> None:
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


def test_user_killed_in_initdb_leaves_nothing_half_made(empty_root: Path, use: Open, run: Run) -> None:
    user = run("hold", empty_root)
    user.begin()
    wait_for(empty_root / "data.new" / "global")

    user.kill()
    assert not (empty_root / "data").exists()
    address = use(empty_root).start()

    assert ask(address, "SELECT 1") == 1
    assert not (empty_root / "data.new").exists()
