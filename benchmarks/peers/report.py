"""What is shown and kept of a run."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import report
from benchmarks.peers.measure import Effort, Measured, of_clients
from benchmarks.peers.sides import SIDES


def show(console: Console, where: Mapping[str, str], found: Sequence[Measured]) -> None:
    """Print a table for each question, and the machine."""
    for measured in found:
        table = Table(title=f"{measured.question.title}, {of_clients(measured.clients)}", title_justify="left")
        table.add_column("server")
        for heading in (
            "a second",
            "p50 ms",
            "p99 ms",
            "KB",
            "CPU ms",
            "PostgreSQL ms",
            "ratio: median (least … most)",
        ):
            table.add_column(heading, justify="right")
        for side in measured.turns:
            ratio = measured.against_anchor(side)
            table.add_row(
                SIDES[side],
                f"{measured.typical(side, lambda turn: turn.load.per_second):,.1f}",
                f"{measured.typical(side, lambda turn: turn.load.p50_ms):,.1f}",
                f"{measured.typical(side, lambda turn: turn.load.p99_ms):,.1f}",
                f"{measured.typical(side, lambda turn: turn.load.answer_bytes / 1000):,.0f}",
                f"{measured.typical(side, lambda turn: turn.server_ms):,.2f}",
                f"{measured.typical(side, lambda turn: turn.postgres_ms):,.2f}",
                f"{ratio.median:.2f} ({ratio.least:.2f} … {ratio.most:.2f})",
            )
        console.print(table)
    client = max(turn.load.cpu for measured in found for turns in measured.turns.values() for turn in turns)
    console.print(f"the client took at most {client:.0%} of a core", highlight=False)
    console.print(", ".join(f"{name} {value}" for name, value in where.items()), highlight=False)


def keep(folder: Path, where: Mapping[str, str], effort: Effort, found: Sequence[Measured]) -> Path:
    """Write everything to `<folder>/<timestamp>.json`; returns that file."""
    kept = {"machine": dict(where), "effort": asdict(effort), "peers": [as_json(measured) for measured in found]}
    return report.write(folder, kept)


def as_json(measured: Measured) -> dict[str, object]:
    """Every turn of every side, with its ratio."""
    return {
        "question": measured.question.name,
        "clients": measured.clients,
        "sides": {
            side: {"turns": [asdict(turn) for turn in turns], "ratio": asdict(measured.against_anchor(side))}
            for side, turns in measured.turns.items()
        },
    }
