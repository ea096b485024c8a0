"""What is shown of an import while it runs."""

import asyncio
from io import StringIO

from rich.console import Console

from app.exchange.display import how_far, refusals, shown, summary
from app.exchange.values import Stored, Totals


async def _screen(totals: Totals, *, terminal: bool) -> str:
    screen = StringIO()
    async with shown(totals, 100, Console(file=screen, force_terminal=terminal, width=120)):
        await asyncio.sleep(0)
        totals.read_bytes = 100
    return screen.getvalue()


async def test_a_terminal_shows_a_bar_up_to_the_end() -> None:
    totals = Totals(conversations=Stored(2, 3), completed=1, messages=Stored(12), refused=4)

    screen = await _screen(totals, terminal=True)

    assert "100%" in screen
    assert "6 conversations, 4 refused, 12 new messages" in screen


async def test_elsewhere_nothing_is_written_of_a_short_import() -> None:
    assert await _screen(Totals(messages=Stored(12)), terminal=False) == ""


def test_nothing_is_said_of_refused_lines_where_there_are_none() -> None:
    totals = Totals()

    assert "refused" not in how_far(totals)
    assert list(refusals(totals)) == []
    assert next(iter(summary(totals))) == "conversations: 0 new, 0 completed, 0 already there, 0 refused"
