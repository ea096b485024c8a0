"""Where it was measured: ratios travel from machine to machine better than figures do, but not all the way."""

import os
import platform
import subprocess
from pathlib import Path
from statistics import median
from time import perf_counter

ROOT = Path(__file__).parents[1]


def described(postgres: str, folder: Path) -> dict[str, str]:
    """The machine, the versions and the commit, by name."""
    return {
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "cpu": _cpu_model(),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "fsync": f"{_flush_ms(folder):.2f} ms",
        "load": f"{os.getloadavg()[0]:.1f} at the start",
        "python": platform.python_version(),
        "postgresql": postgres,
        "commit": _commit(),
    }


def cpu_seconds(pid: int, *, ended_children: bool = False) -> float:
    """What a process has taken of the processors so far; 0 where it has ended, or the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    ticks = sum(int(field) for field in fields[11 : 15 if ended_children else 13])
    return ticks / os.sysconf("SC_CLK_TCK")


def children_of(pid: int) -> list[int]:
    """The processes that a process has started and that run."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def _flush_ms(folder: Path) -> float:
    """How long a page takes to the disk; next to nothing where the temporary folder is memory."""
    times = []
    with (folder / "flushed").open("wb", buffering=0) as file:
        for _ in range(50):
            started = perf_counter()
            file.write(bytes(8192))
            os.fsync(file.fileno())
            times.append((perf_counter() - started) * 1000)
    return median(times)


def _commit() -> str:
    try:
        commit = _git("rev-parse", "--short", "HEAD")
        return f"{commit} with changes" if _git("status", "--porcelain") else commit
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
