"""What all commands have: how they are set up, what they say, and how they end."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from app.chat.errors import ChatProblem
from app.core.actor import CorrelationId
from app.core.errors import AppError
from app.core.ids import new_id
from app.core.logging import configure_logging, correlate
from app.core.settings import Settings, SettingsError, load_settings
from app.db.errors import DatabaseProblem
from app.messages.intent_catalogue import IntentCatalogueError

T = TypeVar("T")

SOME_REFUSED = 1
"""Exit code when part of what was asked for could not be done; the rest was."""
UNUSABLE = 2
"""Exit code when settings, arguments or the database have to be mended first."""
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Folder of the embedded database [.data].")]


def settings_of(**flags: object) -> Settings:
    """The settings of a command: its flags first, then the environment. SettingsError."""
    settings = load_settings(**flags)
    configure_logging(settings.log_level)
    return settings


def one_correlation() -> CorrelationId:
    """The correlation id of a command, which its lines and statements bear from now on."""
    correlation = CorrelationId(str(new_id()))
    correlate(correlation)
    return correlation


def say(line: str) -> None:
    """Tell the operator; the standard output is for what was asked for."""
    typer.echo(line, err=True)


@contextmanager
def problems_in_one_line() -> Iterator[None]:
    """What the operator can mend is told in one line, with exit code 2; anything else keeps its stack."""
    try:
        yield
    except (SettingsError, DatabaseProblem, IntentCatalogueError, ChatProblem, AppError) as problem:
        say(f"colloquy: {problem}")
        raise typer.Exit(UNUSABLE) from None


def run(work: Coroutine[Any, Any, T]) -> T:
    """What comes of the work of a command."""
    with problems_in_one_line():
        return asyncio.run(work)


def run_resumable(work: Coroutine[Any, Any, T]) -> T:
    """The same for work that the next command goes on with where this one was stopped."""
    try:
        return run(work)
    except KeyboardInterrupt:
        say("stopped; run the same command again, and it goes on from there")
        raise typer.Exit(INTERRUPTED) from None


@contextmanager
def held(resource: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """Hold an async resource around code that runs an event loop of its own."""
    with asyncio.Runner() as runner:
        held = runner.run(resource.__aenter__())
        try:
            yield held
        finally:
            runner.run(resource.__aexit__(None, None, None))
