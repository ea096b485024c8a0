"""The libraries of docs/clients.md ask a real server, over connections that are cut: an answer is seen once, whole."""

import asyncio
import json
import os
import re
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.client import GraphQLClient
from tests.cutting import Cutter, cutter_before
from tests.docs.test_clients import SERVER
from tests.forked import REPOSITORY
from tests.listening import listening
from tests.node import WEB, command_for
from tests.processes import PATIENCE_SECONDS

PAGE = REPOSITORY / "docs" / "clients.md"
MODULES = dict(re.findall(r"^```js title=(\S+)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL))
DRIVER = Path(__file__).with_name("drive_clients.mjs")

LIBRARIES = ["graphql-ws", "graphql-sse", "apollo multipart", "apollo sockets", "urql"]

CUTS = 2
"""For each library: behind a piece of the answer, and inside of one."""

CONTENT = 'Ein Zug nach 🙂 Lissabon: "wann", fragt \\ sie,\n und dann kommt er doch noch an; 漢字 für {}. '
"""Enough words for two cuts, and what has to be escaped on its way; the name of the library stands before."""


@dataclass
class Driver:
    """All of the libraries, in one process."""

    process: Process
    cutter: Cutter

    async def tell(self, name: str, content: str) -> dict[str, Any]:
        """What one of them was told, when it asked for this."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"name": name, "content": content}).encode() + b"\n")
        line = await asyncio.wait_for(self.process.stdout.readline(), PATIENCE_SECONDS)
        assert line, "the driver has ended"
        told: dict[str, Any] = json.loads(line)
        assert "failed" not in told, told
        return told


@asynccontextmanager
async def driver(folder: Path, dsn: str) -> AsyncIterator[Driver]:
    """The modules of the page in a folder, with an address behind a proxy where they name the server's."""
    (folder / "node_modules").symlink_to(WEB / "node_modules")
    async with (
        listening(dsn, local_words_per_second=20) as address,
        cutter_before(address) as (cutter, url),
    ):
        for name, text in {**MODULES, DRIVER.name: DRIVER.read_text()}.items():
            (folder / name).write_text(text.replace(SERVER, url.removeprefix("http://")))
            command = command_for(folder / name)
        process = await asyncio.create_subprocess_exec(
            *command, cwd=folder, env={**os.environ, "NODE_ENV": "production"},
            stdin=PIPE, stdout=PIPE,
        )  # fmt: skip
        try:
            yield Driver(process, cutter)
        finally:
            process.kill()
            await process.communicate()


async def test_every_library_shows_an_answer_once_and_whole(dsn: str, client: GraphQLClient, tmp_path: Path) -> None:
    async with driver(tmp_path, dsn) as libraries:
        for name in LIBRARIES:
            libraries.cutter.cut_answers(CUTS)
            content = f"{name}: {CONTENT}"

            told = await libraries.tell(name, content)

            assert libraries.cutter.cuts_left == 0, name
            assert (told["user"], told["again"]) == ("alice", [told["run"], True]), name
            assert (told["refused"], told["invalid"]) == ("VALIDATION_ERROR", ["BAD_USER_INPUT"]), name
            assert told["unknown"] == ["VALIDATION_ERROR"], name
            assert shown(told["events"]) == content, name
            last = told["events"][-1]
            assert (last["run"]["status"], last["message"]["content"]) == ("COMPLETED", content), name
            assert told["connectedAgain"] == CUTS, "graphql-ws, which was first, connects again by itself"
    titles = await client.data("{ sessions { totalCount } }")
    assert titles["sessions"]["totalCount"] == len(LIBRARIES), "a message that was sent again was stored again"


async def test_persisted_queries_are_sent_once(dsn: str, tmp_path: Path) -> None:
    async with driver(tmp_path, dsn) as libraries:
        told = await libraries.tell("persisted queries", "What is a hash?")

    by_hash = [["GET", False], ["POST", False]]
    unknown = [["GET", False], ["POST", True], ["POST", False], ["POST", True]]
    assert told["sent"] == [*unknown, *by_hash, *by_hash, *by_hash]
    assert {(user, run) for _, user, run in told["told"]} == {("alice", told["told"][0][2])}


def shown(events: list[dict[str, Any]]) -> str:
    """What a person sees in the end; every event comes once, in order."""
    seqs = [event["seq"] for event in events]
    assert seqs == sorted(set(seqs)), seqs
    text = ""
    for event in events[:-1]:
        text = event["text"] if event["__typename"] == "CompletionSnapshot" else text + event["text"]
    assert [event["__typename"] for event in events].count("CompletionSnapshot") == 1, events
    return text
