"""`colloquy chat` as a person starts it: in a terminal that is read and typed into, or with its output in a pipe."""

import asyncio
import fcntl
import os
import pty
import re
import signal
import sys
import termios
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.cli.commands import colloquy
from tests.forked import REPOSITORY
from tests.processes import PATIENCE_SECONDS

_STEERING = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
"""What readline says to a terminal, and nobody reads."""
_HALF = re.compile(r"(\x1b(\[[0-9;?]*)?|\r)$")
"""What may become something else with what comes next."""


@dataclass(frozen=True, slots=True)
class Printed:
    """What a command left behind."""

    exit_code: int
    stdout: str
    stderr: str


def _command(arguments: tuple[object, ...]) -> list[str]:
    return [sys.executable, "-c", "from app.cli import main; main()", "chat", *map(str, arguments)]


def _environment(**chosen: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("COLLOQUY_")}
    return {**inherited, "TERM": "xterm", "PYTHONUTF8": "1", **chosen}


async def piped(*arguments: object, lines: str = "", **environment: str) -> Printed:
    """Run it in this process with its output in pipes, and `lines` on standard input."""
    command = colloquy("chat", *arguments, lines=lines, **environment)
    result = await asyncio.wait_for(command, PATIENCE_SECONDS)
    return Printed(result.exit_code, result.stdout, result.stderr)


class Terminal:
    """A terminal with a chat in it."""

    def __init__(self, process: Process, controller: int) -> None:
        self.process = process
        self._controller = controller
        self._raw = b""
        self._read_up_to = 0
        self._news = asyncio.Event()
        asyncio.get_running_loop().add_reader(controller, self._read)

    @property
    def shown(self) -> str:
        """All that it shows so far, with plain line ends."""
        return _STEERING.sub("", _HALF.sub("", self._raw.decode(errors="ignore"))).replace("\r\n", "\n")

    async def shows(self, words: str) -> None:
        """Return when it has shown `words`, after those that were waited for before."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while (at := self.shown.find(words, self._read_up_to)) < 0:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(
                f"{words!r} is not shown after {self.shown[: self._read_up_to]!r}: {self.shown!r}"
            ) from None
        self._read_up_to = at + len(words)

    def type(self, text: str) -> None:
        """Press keys; the terminal makes a signal of `\x03`."""
        os.write(self._controller, text.encode())

    async def ends_by(self, keys: str) -> int:
        """The exit code, after keys that are pressed at the prompt until it ends.

        CPython's readline shows its prompt a moment before it waits for keys, and does not see a signal in between.
        """
        waiting = asyncio.create_task(self.ended())
        while not waiting.done():
            self.type(keys)
            await asyncio.wait([waiting], timeout=1)
        return waiting.result()

    async def ended(self) -> int:
        """The exit code, once all was read."""
        try:
            code = await asyncio.wait_for(self.process.wait(), PATIENCE_SECONDS)
        except TimeoutError:
            raise AssertionError(f"it does not end: {self.shown!r}") from None
        await asyncio.sleep(0)
        self._read()
        return code

    def close(self) -> None:
        """Take the terminal away."""
        asyncio.get_running_loop().remove_reader(self._controller)
        os.close(self._controller)

    def _read(self) -> None:
        try:
            piece = os.read(self._controller, 1 << 16)
        except OSError:
            # Linux's way to say that nobody has the terminal open any more.
            asyncio.get_running_loop().remove_reader(self._controller)
            piece = b""
        self._raw += piece
        self._news.set()


@asynccontextmanager
async def terminal(*arguments: object, **environment: str) -> AsyncIterator[Terminal]:
    """A chat in a terminal of its own; ended with the block."""
    controller, its_own = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *_command(arguments), cwd=REPOSITORY, env=_environment(**environment), stdin=its_own, stdout=its_own,
        stderr=its_own, start_new_session=True, preexec_fn=_controlled_by(its_own),
    )  # fmt: skip
    os.close(its_own)
    opened = Terminal(process, controller)
    try:
        yield opened
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
            await process.wait()
        opened.close()


def _controlled_by(its_own: int) -> Callable[[], None]:
    """Make it the terminal whose Ctrl-C the process gets: only that of its session's is one."""

    def take() -> None:
        fcntl.ioctl(its_own, termios.TIOCSCTTY, 0)

    return take
