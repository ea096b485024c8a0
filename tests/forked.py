"""`colloquy …` as processes of their own that start at once: forked from one that has imported the application.

Importing it takes seconds of CPU, and a run of all tests starts more than a hundred processes. The rest is as if they
had been started by a shell: arguments, variables, output, signals and exit codes are their own.
"""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

REPOSITORY = Path(__file__).parents[1]

_FORKS = get_context("forkserver")
_FORKS.set_forkserver_preload(["app.asgi", "app.cli"])


class Forked:
    """A running process; one of those that wait for its end may be cancelled."""

    def __init__(self, arguments: tuple[str, ...], environment: dict[str, str], out: Path, err: Path) -> None:
        self._process = _FORKS.Process(target=_colloquy, args=(arguments, environment, str(out), str(err)))
        self._process.start()

    @property
    def pid(self) -> int:
        """Its number."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Its exit code, once it has ended; of one that a signal ended, the signal's number below zero."""
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Nothing happens where it has ended."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it without a chance to do anything."""
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        """Its exit code, when it has ended."""
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._process.sentinel, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(self._process.sentinel)
        self._process.join()
        code = self._process.exitcode
        assert code is not None
        return code


async def colloquy_process(*arguments: object, **environment: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a command that ends by itself; bytes that are no text are escaped in them."""
    with TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = Forked(tuple(map(str, arguments)), environment_of(environment), out, err)
        try:
            code = await process.wait()
        finally:
            process.kill()
        return code, _text(out), _text(err)


def environment_of(given: dict[str, str]) -> dict[str, str]:
    """The variables of this process without those that are settings, and those that are given."""
    settings = ("COLLOQUY_", "POSTGRES_", "DATABASE_")
    return {**{name: value for name, value in os.environ.items() if not name.startswith(settings)}, **given}


def _text(file: Path) -> str:
    return file.read_bytes().decode(errors="surrogateescape")


def _colloquy(arguments: tuple[str, ...], environment: dict[str, str], out: str, err: str) -> None:
    """In the new process: what `colloquy` does when a shell starts it."""
    os.chdir(REPOSITORY)
    os.environ.clear()
    os.environ.update(environment)
    for name, number in ((out, 1), (err, 2)):
        os.dup2(os.open(name, os.O_WRONLY | os.O_APPEND | os.O_CREAT), number)
    # Tests that a shell runs in its background ignore Ctrl-C, and so would what they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = ["colloquy", *arguments]
    from app.cli import main

    main()
