"""`colloquy serve` in a process of its own, as an operator would start it."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

START_SECONDS = 30.0


@asynccontextmanager
async def serving(dsn: str, folder: Path) -> AsyncIterator[int]:
    """The port of a server over the database; it is stopped at the end. Its log is in `folder`."""
    port = _free_port()
    with (folder / "serve.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "from app.cli import main; main()", "serve", "--port", str(port),
            cwd=Path(__file__).parents[1], env={**os.environ, "DATABASE_URL": dsn, "COLLOQUY_LOG_LEVEL": "warning"},
            stdout=log, stderr=log,
        )  # fmt: skip
        try:
            await _until_ready(process, port, folder / "serve.log")
            yield port
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _until_ready(process: asyncio.subprocess.Process, port: int, log: Path) -> None:
    async with asyncio.timeout(START_SECONDS):
        while not await _answers(port):
            if process.returncode is not None:
                raise RuntimeError(f"the server ended: {await asyncio.to_thread(log.read_text)}")
            await asyncio.sleep(0.05)


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
