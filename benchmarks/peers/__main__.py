"""`python -m benchmarks.peers`: check that all agree, measure, show, keep."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console

from app.core.logging import configure_logging
from benchmarks import machine
from benchmarks.cluster import open_cluster
from benchmarks.peers import report
from benchmarks.peers.agreement import require_agreement
from benchmarks.peers.measure import Bench, Effort, Measured
from benchmarks.peers.questions import QUESTIONS
from benchmarks.peers.sides import ANCHOR, SIDES, node, open_side, versions
from benchmarks.peers.world import fill

RESULTS = Path(__file__).parents[1] / "results"

cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@cli.command()
def main(
    only: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(QUESTIONS)}; may be repeated.")] = None,
    clients: Annotated[
        list[int] | None, typer.Option(min=1, help="How many at a time; may be repeated [1, 16].")
    ] = None,
    side: Annotated[
        list[str] | None,
        typer.Option(help=f"One of {', '.join(SIDES)}; may be repeated. {SIDES[ANCHOR]} is always there."),
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="Length of one measurement.")] = 3.0,
    rounds: Annotated[int, typer.Option(min=1, help="How many rounds.")] = 5,
    warm_up: Annotated[float, typer.Option(min=0.1, help="For how long every server is asked a question first.")] = 5.0,
    results: Annotated[Path, typer.Option(help="Folder that the figures are written to.")] = RESULTS,
) -> None:
    """Measure Colloquy against PostGraphile, GraphQL Yoga and SQL by hand: ratios in one run."""
    _require(only or (), QUESTIONS)
    _require(side or (), SIDES)
    node()
    configure_logging("warning")
    effort = Effort(rounds, seconds, warm_up)
    names = [name for name in SIDES if not side or name in {ANCHOR, *side}]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_measure(only or list(QUESTIONS), clients or [1, 16], names, effort, results))


def _require(asked: Iterable[str], known: Iterable[str]) -> None:
    if unknown := set(asked) - set(known):
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: there are {', '.join(known)}")


async def _measure(
    questions: Sequence[str], clients: Sequence[int], names: Sequence[str], effort: Effort, results: Path
) -> None:
    progress, console = Console(stderr=True), Console()
    if not console.is_terminal:
        console.width = 160  # a file is as wide as the table

    def say(step: str) -> None:
        progress.print(step, style="dim", highlight=False)

    say("starting PostgreSQL")
    found: list[Measured] = []
    async with open_cluster() as cluster, cluster.database("peers") as dsn, AsyncExitStack() as open_sides:
        where = machine.described(await cluster.version(), cluster.folder) | versions()
        say("storing sessions, messages and tool calls")
        await fill(dsn)
        sides = []
        for name in names:
            say(f"starting {SIDES[name]}")
            sides.append(await open_sides.enter_async_context(open_side(name, dsn, cluster.folder)))
        bench = Bench(cluster, sides, effort, say)
        for question in (QUESTIONS[name] for name in questions):
            say(f"{question.name}: whether all agree")
            await require_agreement(question, sides)
            await bench.warm_up(question, max(clients))
            found += [await bench.measure(question, number) for number in clients]
            await require_agreement(question, sides)
    report.show(console, where, found)
    console.print(f"kept in {report.keep(results, where, effort, found)}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    cli()
