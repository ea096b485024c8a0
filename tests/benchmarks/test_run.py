"""`python -m benchmarks`, from end to end."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import orjson

ROOT = Path(__file__).parents[2]
LIMIT_SECONDS = 100.0
"""A cluster is made, filled and removed: some seconds, on a busy machine many."""


async def run(*arguments: str) -> tuple[int | None, str, str]:
    """The exit code, what was printed, and what was told on the way."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks", *arguments, cwd=ROOT,
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


async def test_messages_are_stored_over_http_and_by_pgbench(tmp_path: Path) -> None:
    code, printed, told = await run(
        "--quick", "--rounds", "1", "--only", "append", "--only", "http", "--only", "page", "--results", str(tmp_path)
    )

    assert code == 0, told
    assert "append, 16 writers, 1 session" in printed
    assert "3 statements" in printed
    (kept,) = results(tmp_path)
    assert [len(found["ours"]["per_second"]) for found in kept["comparisons"]] == [1, 1, 1, 1, 1]


async def test_answers_are_followed_beside_a_bare_socket(tmp_path: Path) -> None:
    code, printed, told = await run("--quick", "--rounds", "1", "--only", "streams", "--results", str(tmp_path))

    assert code == 0, told
    assert "of CPU per event" in printed
    (kept,) = results(tmp_path)
    carried, most, waited = kept["comparisons"]
    assert carried["ours"]["per_second"][0] > 0
    assert most["anchor"]["per_second"][0] > 0
    assert waited["ours"]["per_second"][0] > 0


async def test_statistics_are_compared_with_a_row(tmp_path: Path) -> None:
    code, printed, told = await run("--quick", "--rounds", "1", "--only", "statistics", "--results", str(tmp_path))

    assert code == 0, told
    assert "a user of 500 sessions, known" in printed
    (kept,) = results(tmp_path)
    assert [len(found["ours"]["per_second"]) for found in kept["comparisons"]] == [1] * 8


async def test_searches_are_compared_with_a_row_and_timed(tmp_path: Path) -> None:
    code, printed, told = await run("--quick", "--rounds", "1", "--only", "search", "--results", str(tmp_path))

    assert code == 0, told
    assert "three common words, of 12,500 messages" in printed
    (kept,) = results(tmp_path)
    assert [len(found["ours"]["per_second"]) for found in kept["comparisons"]] == [1] * 12
    assert all("p95" in found["notes"][0] for found in kept["comparisons"])


async def test_the_workflow_is_asked_through_the_schema_and_timed(tmp_path: Path) -> None:
    code, printed, told = await run("--quick", "--rounds", "1", "--only", "workflow", "--results", str(tmp_path))

    assert code == 0, told
    assert "50 of 50 projects with their progress" in printed
    (kept,) = results(tmp_path)
    assert [len(found["ours"]["per_second"]) for found in kept["comparisons"]] == [1] * 4
    assert all("p95" in found["notes"][0] for found in kept["comparisons"])


async def test_an_unknown_benchmark_is_named_before_anything_is_measured(tmp_path: Path) -> None:
    code, _, told = await run("--only", "juggling", "--results", str(tmp_path))

    assert code == 2
    assert "juggling" in told
    assert "append, http, list, page, search, statistics, streams, workflow" in told
    assert results(tmp_path) == []
