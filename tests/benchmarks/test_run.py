"""`python -m benchmarks`, from end to end."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

ROOT = Path(__file__).parents[2]
LIMIT_SECONDS = 360.0
"""A cluster is made, filled and removed: half a minute for all, on a busy machine minutes."""


async def run(*arguments: str, module: str = "benchmarks") -> tuple[int | None, str, str]:
    """The exit code, what was printed, and what was told on the way."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, cwd=ROOT,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            printed, told = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    return process.returncode, printed.decode(), told.decode()


def results(folder: Path) -> list[Any]:
    """What the runs kept."""
    return [orjson.loads(file.read_bytes()) for file in folder.glob("*.json")]


async def test_a_run_prints_a_table_and_keeps_its_figures(tmp_path: Path) -> None:
    code, printed, told = await run("--quick", "--only", "list", "--rounds", "3", "--results", str(tmp_path))

    assert code == 0, told
    assert "list of 5,000 sessions, page 50" in printed
    assert "round 3 of 3, page 1" in told
    (kept,) = results(tmp_path)
    assert kept["machine"]["postgresql"].startswith("18.")
    assert [found["title"] for found in kept["comparisons"]] == [
        "list of 5,000 sessions, page 50",
        "the same page by OFFSET, for contrast",
    ]
    for found in kept["comparisons"]:
        ratio = found["ratio"]
        assert len(found["ours"]["per_second"]) == len(found["anchor"]["per_second"]) == 3
        assert 0 < ratio["min"] <= ratio["median"] <= ratio["max"]


@pytest.mark.timeout(420)
async def test_every_benchmark_runs_and_keeps_its_figures(tmp_path: Path) -> None:
    code, printed, told = await run("--quick", "--rounds", "1", "--seconds", "0.1", "--results", str(tmp_path))

    assert code == 0, told
    (kept,) = results(tmp_path)
    told_of = [text for found in kept["comparisons"] for text in (found["title"], *found["notes"])]
    assert all(found["title"].split(",")[0] in printed for found in kept["comparisons"][:1])
    for line in (
        "append, 16 writers, 1 session", "3 statements", "of CPU per event", "a user of 500 sessions, known",
        "three common words, of 12,500 messages", "50 of 50 projects with their progress", "from within: view",
        "of which, µs: feed",
    ):  # fmt: skip
        assert any(line in text for text in told_of), line
    assert all(
        side["per_second"][0] > 0 for found in kept["comparisons"] for side in (found["ours"], found["anchor"]) if side
    )
    timed = [found for found in kept["comparisons"] if any("p95" in note for note in found["notes"])]
    assert len(timed) >= 16


async def test_an_unknown_benchmark_is_named_before_anything_is_measured(tmp_path: Path) -> None:
    code, _, told = await run("--only", "juggling", "--results", str(tmp_path))

    assert code == 2
    assert "juggling" in told
    assert "append, console, events, execution, http, list, page, search, statistics, streams, view, workflow" in told
    assert results(tmp_path) == []
