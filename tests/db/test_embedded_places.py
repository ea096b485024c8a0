"""Folders and accounts: where a cluster may live, and as whom its server runs."""

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.db.embedded import EmbeddedPostgresError
from tests.db.clusters import PATIENCE_SECONDS, PROJECT, Open, Run, ask, end_processes, postmasters, processes_in

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has another user to become")


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
    open_root: Path, without_namespaces: list[str], use: Open, run: Run
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
