"""Logs: one line of JSON for each entry where nobody watches a terminal."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]

PROGRAM = """
import logging, structlog
from app.core.logging import configure_logging
configure_logging("info")
log = structlog.get_logger("ours")
log.debug("not shown")
log.info("two\\nlines", count=3, path="/ä")
logging.getLogger("library").warning("a %s", "library")
logging.getLogger("alembic").info("not shown")
logging.getLogger("httpx2").info("not shown")
with structlog.contextvars.bound_contextvars(correlation_id="c-1"):
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("failed")
"""


def test_every_entry_is_one_line_of_json_off_a_terminal() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=PROJECT, capture_output=True, text=True, check=True, timeout=60
    )

    entries: list[dict[str, Any]] = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.stdout == ""
    assert [(entry["event"], entry["level"], entry["logger"]) for entry in entries] == [
        ("two\nlines", "info", "ours"),
        ("a library", "warning", "library"),
        ("failed", "error", "ours"),
    ]
    assert (entries[0]["count"], entries[0]["path"]) == (3, "/ä")
    assert all(entry["timestamp"].endswith("Z") for entry in entries)
    assert entries[2]["correlation_id"] == "c-1"
    assert "ZeroDivisionError: division by zero" in entries[2]["exception"]
