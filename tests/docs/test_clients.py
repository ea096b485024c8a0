"""The clients that docs/streaming.md shows are complete: they show an answer once, over connections that are cut."""

import json
import re
import sys
from pathlib import Path

import pytest

from tests.cutting import cutter_before
from tests.node import WEB, node, printed, require_package
from tests.processes import REPOSITORY, serving

PAGE = REPOSITORY / "docs" / "streaming.md"
CLIENTS = dict(re.findall(r"^```\w+ title=(\S+)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL))
"""The programs of the page by the names of their files."""

SERVER = "127.0.0.1:8000"
"""Where they look for it."""

CUTS = 4


def node() -> str:
    """Node of the system, or the one that the set-up brought; the test is skipped where there is none."""
    own = WEB / ".node" / "bin" / "node"
    found = str(own) if own.exists() else shutil.which("node")
    if found is None:
        pytest.skip("no Node on this machine")
    return found


def command_for(file: Path) -> list[str]:
    """How a program is run; the test is skipped where a package that it imports is not installed."""
    if file.suffix == ".py":
        return [sys.executable, str(file)]
    for package in re.findall(r'from "([^"./:]+[^":]*)"', file.read_text()):
        if not (WEB / "node_modules" / package).is_dir():
            pytest.skip(f"{package} is not installed: run `make setup`")
    # Node has WebSocket from version 22 on; 20 has it behind this flag, which later ones take too.
    return [node(), "--experimental-websocket", str(file)]


async def _answer(file: Path) -> str:
    process = await asyncio.create_subprocess_exec(
        *command_for(file), cwd=file.parent, env={**os.environ, "NODE_ENV": "production"}, stdout=PIPE, stderr=PIPE
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, err.decode()
    return out.decode()


def test_the_page_shows_clients() -> None:
    assert list(CLIENTS) == ["graphql-ws.mjs", "graphql-sse.mjs", "apollo.mjs", "follow_ws.py", "follow_sse.py"]


@pytest.mark.parametrize("name", CLIENTS)
async def test_a_client_of_the_page_shows_an_answer_once(name: str, dsn: str, tmp_path: Path) -> None:
    file = tmp_path / name
    (tmp_path / "node_modules").symlink_to(WEB / "node_modules")
    file.write_text(CLIENTS[name])
    command_for(file)

    async with (
        serving(tmp_path / "data", DATABASE_URL=dsn, COLLOQUY_LOCAL_WORDS_PER_SECOND="20") as served,
        served.client("alice") as alice,
        cutter_before(await served.address()) as (cutter, url),
    ):
        cutter.cut_answers(CUTS)
        file.write_text(CLIENTS[name].replace(SERVER, url.removeprefix("http://")))

        told = await printed(_command(file), tmp_path)

        query = "{ sessions { nodes { messages(last: 1) { nodes { content } } } } }"
        [session] = (await alice.data(query))["sessions"]["nodes"]
    stored = session["messages"]["nodes"][0]["content"]
    assert cutter.cuts_done == CUTS, told
    assert told.endswith(f"COMPLETED: {stored}\n"), json.dumps(told)
