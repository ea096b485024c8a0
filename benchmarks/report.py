"""What is shown and kept of a run."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import orjson
from rich.console import Console
from rich.table import Table

from benchmarks.measure import Comparison, Effort


def show(console: Console, machine: Mapping[str, str], found: Sequence[Comparison]) -> None:
    """Print the table, what is to be said beside it, and the machine."""
    table = Table(title="Rates a second, and their ratio: median of the rounds (least … most)")
    for heading in ("measured", "ours", "against", "ratio", "wanted"):
        table.add_column(heading)
    for comparison in found:
        ratios = comparison.ratios
        table.add_row(
            comparison.title,
            f"{comparison.ours}: {median(comparison.our_rates):,.0f}",
            f"{comparison.anchor}: {median(comparison.anchor_rates):,.0f}",
            f"{median(ratios):.2f} ({min(ratios):.2f} … {max(ratios):.2f})",
            comparison.wanted,
        )
    console.print(table)
    for comparison in found:
        for note in comparison.notes:
            console.print(f"{comparison.title}: {note}", highlight=False)
    console.print(", ".join(f"{name} {value}" for name, value in machine.items()), highlight=False)


def keep(folder: Path, machine: Mapping[str, str], effort: Effort, found: Sequence[Comparison]) -> Path:
    """Write everything to `<folder>/<timestamp>.json`; returns that file."""
    return write(
        folder,
        {
            "machine": dict(machine),
            "effort": {"rounds": effort.rounds, "seconds": effort.seconds, "listed_sessions": effort.listed_sessions},
            "comparisons": [comparison.as_json() for comparison in found],
        },
    )


def write(folder: Path, kept: Mapping[str, object]) -> Path:
    """Write it, and when, to `<folder>/<timestamp>.json`; returns that file."""
    folder.mkdir(parents=True, exist_ok=True)
    at = datetime.now(UTC)
    file = folder / f"{at:%Y%m%dT%H%M%S.%fZ}.json"
    file.write_bytes(orjson.dumps({"at": at.isoformat(), **kept}, option=orjson.OPT_INDENT_2))
    return file
