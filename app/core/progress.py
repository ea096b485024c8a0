"""How far something is that takes long: a bar on a terminal, plain lines elsewhere."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

BAR_SECONDS = 0.2
"""Between two looks at the totals: smooth to the eye, and nothing beside the work."""
PLAIN_SECONDS = 10.0
"""Between two lines of a log that nobody watches."""


@dataclass(frozen=True, slots=True)
class Done:
    """Tells, when asked, how far it is."""

    in_words: Callable[[], str]
    amount: Callable[[], int]
    of: int | None
    """The amount when all is done; None where nobody knows it."""


@asynccontextmanager
async def shown(done: Done, console: Console | None = None) -> AsyncIterator[None]:
    """Show on standard error how far it is, for as long as the block runs."""
    console = console or Console(stderr=True)
    show = _bar(done, console) if console.is_terminal else _plain_lines(done, console)
    task = asyncio.create_task(show)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _bar(done: Done, console: Console) -> None:
    columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("", total=done.of)
        try:
            while True:
                progress.update(bar, completed=done.amount(), description=done.in_words())
                await asyncio.sleep(BAR_SECONDS)
        finally:
            progress.update(bar, completed=done.amount(), description=done.in_words())


async def _plain_lines(done: Done, console: Console) -> None:
    while True:
        await asyncio.sleep(PLAIN_SECONDS)
        console.print(done.in_words(), highlight=False)
