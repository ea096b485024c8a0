"""`colloquy serve` and `colloquy worker` as processes of their own; a server on a port the system picks."""

import asyncio
import re
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import uuid4

import httpx2

from tests.client import GraphQLClient
from tests.forked import REPOSITORY, Forked, environment_of
from tests.leaks import WATCH, Leak

PATIENCE_SECONDS = 60.0

_ADDRESS = re.compile(r"Uvicorn running on (http://[\w.]+:\d+)")


class Served:
    """A process that was started; what it says on standard error goes to a file."""

    def __init__(self, process: Forked | Process, log: Path) -> None:
        self.process = process
        self._log = log

    @property
    def said(self) -> str:
        """All it said so far."""
        return self._log.read_text()

    async def says(self, words: str, times: int) -> None:
        """Return when it has said `words` so often."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.said.count(words) < times:
                assert self.process.returncode is None, self.said
                await asyncio.sleep(0.02)

    async def address(self) -> str:
        """Where it listens, once it does and is ready."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (found := _ADDRESS.search(self.said)) is None:
                assert self.process.returncode is None, self.said
                await asyncio.sleep(0.02)
            async with httpx2.AsyncClient(base_url=found[1]) as http:
                while not await _is_ready(http):
                    assert self.process.returncode is None, self.said
                    await asyncio.sleep(0.02)
        return found[1]

    @asynccontextmanager
    async def client(self, user: str = "alice") -> AsyncIterator[GraphQLClient]:
        """Asks it as `user`."""
        async with httpx2.AsyncClient(
            base_url=await self.address(), headers={"X-Colloquy-User": user}, timeout=PATIENCE_SECONDS
        ) as http:
            yield GraphQLClient(http)

    async def ended(self) -> int:
        """Its exit code, once it has ended."""
        return await asyncio.wait_for(self.process.wait(), PATIENCE_SECONDS)

    async def stop(self) -> int:
        """Its exit code after SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        return await self.ended()

    def pause(self) -> None:
        """Have it do nothing at all, as on a machine that is suspended."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """End a pause."""
        self.process.send_signal(signal.SIGCONT)

    async def kill(self) -> None:
        """End it without a chance to do anything."""
        self.process.kill()
        assert await self.ended() == -signal.SIGKILL


@asynccontextmanager
async def serving(folder: Path, *flags: object, **environment: str) -> AsyncIterator[Served]:
    """A server with its embedded database in `folder`, unless `environment` names another; ended with the block."""
    async with _running(folder, ("serve", "--port", "0", *map(str, flags)), environment) as served:
        yield served


@asynccontextmanager
async def two_servers(folder: Path, **environment: str) -> AsyncIterator[tuple[Served, Served]]:
    """Two of them over one database, both ready. While one is paused, what is asked of the other is worked there."""
    async with serving(folder, **environment) as first, serving(folder, **environment) as second:
        await first.address()
        await second.address()
        yield first, second


@asynccontextmanager
async def working(folder: Path, **environment: str) -> AsyncIterator[Served]:
    """A process that works answers and serves nobody, once it does; ended with the block."""
    async with _running(folder, ("worker",), environment) as worker:
        await worker.says("working answers", times=1)
        yield worker


@asynccontextmanager
async def _running(folder: Path, command: tuple[str, ...], environment: dict[str, str]) -> AsyncIterator[Served]:
    async with AsyncExitStack() as stack:
        started = await _started(folder, command, environment)
        stack.callback(_look_through, started)
        stack.push_async_callback(_end, started)
        yield started


async def _started(folder: Path, command: tuple[str, ...], environment: dict[str, str]) -> Served:
    log = _new_log(folder)
    arguments, variables = (*command, "--data-dir", str(folder)), environment_of(environment)
    if "--workers" not in command:
        return Served(Forked(arguments, variables, log, log), log)
    # uvicorn starts its workers by the same library, whose processes do not start others from within a fork.
    with log.open("wb") as told:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "from app.cli import main; main()", *arguments,
            cwd=REPOSITORY, env=variables, stdout=told, stderr=told,
        )  # fmt: skip
    return Served(process, log)


def _new_log(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"log-{uuid4().hex[:8]}"
    log.touch()
    return log


async def _end(served: Served) -> None:
    if served.process.returncode is None:
        # It may be paused: a test failed meanwhile.
        served.go_on()
        await served.stop()


def _look_through(served: Served) -> None:
    """Nothing that it said is a secret, or what a client sent it."""
    found = WATCH.found(served.said)
    if found is not None:
        raise Leak(found)


async def _is_ready(http: httpx2.AsyncClient) -> bool:
    try:
        return (await http.get("/health/ready")).status_code == 200
    except httpx2.TransportError:
        return False
