"""`python -m benchmarks`: measure, show, keep."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console

from app.core.logging import configure_logging
from benchmarks import machine, report
from benchmarks.append import append
from benchmarks.cluster import open_cluster
from benchmarks.console import console
from benchmarks.events import events
from benchmarks.execution import execution
from benchmarks.list_sessions import list_sessions
from benchmarks.measure import QUICK, Bench, Benchmark, Comparison, Effort
from benchmarks.nested_page import nested_page
from benchmarks.over_http import over_http
from benchmarks.search import search
from benchmarks.statistics import statistics
from benchmarks.streams import streams
from benchmarks.view import view
from benchmarks.workflow import workflow

BENCHMARKS: Mapping[str, Benchmark] = {
    "append": append,
    "console": console,
    "events": events,
    "execution": execution,
    "http": over_http,
    "list": list_sessions,
    "page": nested_page,
    "search": search,
    "statistics": statistics,
    "streams": streams,
    "view": view,
    "workflow": workflow,
}
RESULTS = Path(__file__).with_name("results")


cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@cli.command()
def main(
    only: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(BENCHMARKS)}; may be repeated.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Show that it runs: short rounds, small tables.")] = False,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="Length of one measurement [3].")] = None,
    rounds: Annotated[int | None, typer.Option(min=1, help="How many rounds [5].")] = None,
    results: Annotated[Path, typer.Option(help="Folder that the figures are written to.")] = RESULTS,
) -> None:
    """Measure Colloquy against PostgreSQL's own tools: ratios in one run."""
    unknown = set(only or ()) - BENCHMARKS.keys()
    if unknown:
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: there are {', '.join(BENCHMARKS)}")
    effort = QUICK if quick else Effort()
    effort = replace(effort, seconds=seconds or effort.seconds, rounds=rounds or effort.rounds)
    configure_logging("warning")
    # uvloop, as under uvicorn: what is measured is what is served.
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_measure(only or list(BENCHMARKS), effort, results))


async def _measure(names: list[str], effort: Effort, results: Path) -> None:
    progress, printed = Console(stderr=True), Console()
    if not printed.is_terminal:
        printed.width = 160  # a file is as wide as the table

    def say(step: str) -> None:
        progress.print(step, style="dim", highlight=False)

    say("starting PostgreSQL")
    found: list[Comparison] = []
    async with open_cluster() as cluster:
        where = machine.described(await cluster.version(), cluster.folder)
        for name in names:
            found += await BENCHMARKS[name](Bench(cluster, effort, say))
    report.show(printed, where, found)
    printed.print(f"kept in {report.keep(results, where, effort, found)}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    cli()
