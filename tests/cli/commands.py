"""Commands run in this process, as the console script would run them."""

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from logging import getLogger

from typer.testing import CliRunner, Result

from app.cli import cli


async def colloquy(*arguments: object, lines: str | None = None, **environment: str) -> Result:
    """What a command answers, in a thread of its own: it runs an event loop."""
    return await asyncio.to_thread(colloquy_now, *arguments, lines=lines, **environment)


def colloquy_now(*arguments: object, lines: str | None = None, **environment: str) -> Result:
    """What a command answers to `lines`; with the variables of `environment` alone of those that are ours."""
    with left_as_found():
        ours = [name for name in os.environ if name.startswith(("COLLOQUY_", "POSTGRES_", "DATABASE_URL"))]
        result = CliRunner().invoke(cli, list(map(str, arguments)), lines, {**dict.fromkeys(ours), **environment})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@contextmanager
def left_as_found() -> Iterator[None]:
    """Undo what a command does to a process that it takes for its own: variables, logging, the handler of SIGTERM."""
    root = getLogger()
    handlers, level, environment = root.handlers[:], root.level, dict(os.environ)
    on_sigterm = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        os.environ.clear()
        os.environ.update(environment)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, on_sigterm)
