"""The clients that docs/streaming.md shows are complete: they show an answer once, over connections that are cut."""

import json
import re
from pathlib import Path

import pytest

from tests.cutting import cutter_before
from tests.forked import REPOSITORY
from tests.node import WEB, command_for, printed
from tests.processes import serving

PAGE = REPOSITORY / "docs" / "streaming.md"
CLIENTS = dict(re.findall(r"^```\w+ title=(\S+)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL))
"""The programs of the page by the names of their files."""

SERVER = "127.0.0.1:8000"
"""Where they look for it."""

CUTS = 4


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

        told = await printed(command_for(file), tmp_path)

        query = "{ sessions { nodes { messages(last: 1) { nodes { content } } } } }"
        [session] = (await alice.data(query))["sessions"]["nodes"]
    stored = session["messages"]["nodes"][0]["content"]
    assert cutter.cuts_done == CUTS, told
    assert told.endswith(f"COMPLETED: {stored}\n"), json.dumps(told)
