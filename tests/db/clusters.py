"""Clusters and their users for the tests of the embedded server, and a look at the processes they leave."""

import asyncio
import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import asyncpg

from app.db.embedded import EmbeddedPostgres

PROJECT = Path(__file__).parents[2]
FAST = {"fsync": "off"}
PATIENCE_SECONDS = 30.0

Open = Callable[..., EmbeddedPostgres]
Run = Callable[..., "UserProcess"]


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
    found = [pid for pid, words in processes_in(root).items() if "-D" in words]
    # A process that the server has just forked has its command line, until it gives itself a name.
    return [pid for pid in found if _parent(pid) not in found]


def _parent(pid: int) -> int | None:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return None


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
