"""`colloquy serve` in a process of its own, as an operator would start it."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 120.0
"""Two seconds on a machine that does nothing else; those of benchmarks are shared."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where it listens, and which process it is."""

    port: int
    pid: int


@asynccontextmanager
async def serving(dsn: str, folder: Path, **settings: str) -> AsyncIterator[Server]:
    """A server over the database; it is stopped at the end. Its log is in `folder`."""
    port = free_port()
    command = [sys.executable, "-c", "from app.cli import main; main()", "serve", "--port", str(port)]
    environment = {"DATABASE_URL": dsn, "COLLOQUY_LOG_LEVEL": "warning", **settings}
    async with running(command, port, folder / "serve.log", environment) as server:
        yield server


@asynccontextmanager
async def running(
    command: Sequence[str], port: int, log: Path, environment: Mapping[str, str]
) -> AsyncIterator[Server]:
    """A process that serves on the port, from when it does; it is stopped at the end."""
    with log.open("wb") as written:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=Path(__file__).parents[1], env={**os.environ, **environment}, stdout=written, stderr=written
        )
        try:
            await until_ready(process, port, log)
            yield Server(port, process.pid)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def until_ready(process: asyncio.subprocess.Process, port: int, log: Path | None) -> None:
    """Return when somebody listens on the port; RuntimeError, with what it logged, when the process ends before."""
    async with asyncio.timeout(START_SECONDS):
        while not await _answers(port):
            if process.returncode is not None:
                said = await asyncio.to_thread(log.read_text) if log else ""
                raise RuntimeError(f"the server ended: {said}")
            await asyncio.sleep(0.05)


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
