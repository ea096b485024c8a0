"""How far the seeding is, and what it has stored."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from rich.console import Console

from app.core import progress
from app.seeding.values import Totals


@asynccontextmanager
async def shown(totals: Totals, console: Console | None = None) -> AsyncIterator[None]:
    """Show on standard error how far it is, for as long as the block runs."""
    done = progress.Done(lambda: how_far(totals), lambda: totals.sessions + totals.known, totals.wanted)
    async with progress.shown(done, console):
        yield


def how_far(totals: Totals) -> str:
    """The totals in one line."""
    return f"{totals.sessions:,} sessions, {totals.messages:,} messages, {totals.messages_per_second:,.0f}/s"


def summary(totals: Totals) -> Iterator[str]:
    """What became of it, in lines."""
    if not (totals.sessions or totals.projects or totals.templates):
        there = f"{totals.known:,} sessions and {totals.known_projects:,} projects of this seed"
        yield f"{there} are there already: nothing was added"
        return
    known = f", {totals.known:,} already there" if totals.known else ""
    yield f"sessions: {totals.sessions:,} new{known}"
    yield f"messages: {totals.messages:,} new; rows of all tables: {totals.rows:,}"
    known = f", {totals.known_projects:,} already there" if totals.known_projects else ""
    yield f"projects: {totals.projects:,} new{known}"
    yield templates(totals.templates)
    yield f"{totals.elapsed_seconds:,.1f} seconds, {totals.messages_per_second:,.0f} messages/s"


def templates(installed: int) -> str:
    """What became of the templates that come with the server, in one line."""
    return f"templates of the workflow: {installed:,} new"
