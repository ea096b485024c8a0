"""How far an import is, and what became of it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from rich.console import Console

from app.core import progress
from app.exchange.values import Stored, Totals


@asynccontextmanager
async def shown(totals: Totals, total_bytes: int, console: Console | None = None) -> AsyncIterator[None]:
    """Show on standard error how far the import is, for as long as the block runs."""
    # Bytes, for nobody knows how many lines there are. Of a pipe not even these are known.
    done = progress.Done(lambda: how_far(totals), lambda: totals.read_bytes, total_bytes or None)
    async with progress.shown(done, console):
        yield


def how_far(totals: Totals) -> str:
    """The totals in one line, while the import runs."""
    refused = f", {totals.refused:,} refused" if totals.refused else ""
    return (
        f"{totals.conversations_done:,} conversations{refused}, {totals.messages.new:,} new messages, "
        f"{totals.messages_per_second:,.0f}/s"
    )


def summary(totals: Totals) -> Iterator[str]:
    """What became of the file, in lines."""
    conversations = totals.conversations
    yield (
        f"conversations: {conversations.new:,} new, {totals.completed:,} completed, {conversations.known:,} already "
        f"there, {totals.refused:,} refused"
    )
    yield f"messages: {totals.messages.new:,} new, {totals.messages.known:,} already there"
    yield f"tool calls: {totals.calls.new:,} new, {totals.calls.known:,} already there"
    for name, stored in (("executions", totals.executions), ("attachments", totals.attachments)):
        if stored != Stored():
            yield f"{name}: {stored.new:,} new, {stored.known:,} already there"
    yield f"{totals.elapsed_seconds:,.1f} seconds, {totals.messages_per_second:,.0f} messages/s"


def refusals(totals: Totals) -> Iterator[str]:
    """The lines that were not taken, with the reasons: the first of them, and how many more there are."""
    for refusal in sorted(totals.refusals, key=lambda one: (one.file, one.line)):
        where = f"{refusal.file}, " if refusal.file else ""
        yield in_one_line(f"{where}{totals.unit} {refusal.line}: {refusal.reason}")
    more = totals.refused - len(totals.refusals)
    if more:
        yield f"and {more:,} more {totals.unit}s"


def in_one_line(reason: str) -> str:
    """`reason` without what would steer a terminal."""
    # A reason may hold a key as the file has it: nothing of it may steer the terminal.
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in reason)
