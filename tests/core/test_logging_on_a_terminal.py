"""What a person at a terminal sees of a failure: the stack, and not what was being worked on (S3-17)."""

import os
import pty
import subprocess
import sys

FAILING = """
import structlog
from app.core.logging import configure_logging

def store(content):
    raise RuntimeError("the disk is full")

configure_logging("info")
try:
    store("0451-" + "secret")
except RuntimeError:
    structlog.get_logger("colloquy").exception("resolver_failed")
"""


def shown_on_a_terminal(program: str) -> str:
    """What a Python program writes to standard error when that is a terminal."""
    screen, keyboard = pty.openpty()
    program_ = subprocess.Popen([sys.executable, "-c", program], stderr=keyboard, env={**os.environ, "COLUMNS": "200"})
    os.close(keyboard)
    pieces = []
    try:
        while piece := os.read(screen, 65536):
            pieces.append(piece)
    except OSError:
        pass  # Linux says so when the last writer has closed its end.
    finally:
        os.close(screen)
        program_.wait(30)
    return b"".join(pieces).decode()


def test_local_variables_are_not_shown() -> None:
    shown = shown_on_a_terminal(FAILING)

    assert "resolver_failed" in shown
    assert "the disk is full" in shown
    assert "0451-secret" not in shown
