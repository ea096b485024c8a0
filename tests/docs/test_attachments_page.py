"""The commands that docs/attachments.md shows send a file and bring it back."""

import asyncio
import json
import re
import shutil
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from tests.attachments.files import Message
from tests.forked import REPOSITORY
from tests.node import node
from tests.processes import Served, serving

PAGE = REPOSITORY / "docs" / "attachments.md"
SHOWN = dict(re.findall(r"^```\w+ title=(\S+)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL))
PDF = b"%PDF-1.7\n" + bytes(300_000)

CALL = """
import { openAsBlob } from "node:fs";
const file = Object.assign(await openAsBlob("plan.pdf"), { name: "путь.pdf" });
console.log(JSON.stringify(await send(process.argv[2], file)));
"""


async def ran(folder: Path, *command: str, **environment: str) -> bytes:
    """What a command says."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env={"PATH": "/usr/bin:/bin:/usr/local/bin", **environment}, stdout=PIPE, stderr=PIPE
    )
    said, complaints = await process.communicate()
    assert process.returncode == 0, complaints.decode()
    return said


async def a_message(served: Served) -> Message:
    """A message of `system`, as whom the commands ask."""
    async with served.client("system") as client:
        session = await client.create_session()
        return Message(client, session, (await client.say(session))["message"]["id"])


async def test_what_the_page_shows_sends_a_file_and_brings_it_back(tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("no curl on this machine")
    (tmp_path / "plan.pdf").write_bytes(PDF)

    async with serving(tmp_path / "data") as served:
        address = await served.address()
        message = await a_message(served)
        shell = {name: text.replace("http://127.0.0.1:8000", address) for name, text in SHOWN.items()}

        sent = json.loads(await ran(tmp_path, "sh", "-c", shell["send.sh"], MESSAGE=message.id))
        mutated = json.loads(await ran(tmp_path, "sh", "-c", shell["mutate.sh"], MESSAGE=message.id))
        await ran(tmp_path, "sh", "-c", shell["get.sh"], URL=sent["url"])

    assert (sent["fileName"], sent["contentType"], sent["size"]) == ("plan.pdf", "application/pdf", len(PDF))
    assert mutated["data"]["uploadAttachment"]["success"] is True
    assert (tmp_path / "copy.pdf").read_bytes() == PDF


async def test_what_the_page_shows_for_browsers_sends_a_file(tmp_path: Path) -> None:
    program_of_node = node()
    (tmp_path / "plan.pdf").write_bytes(PDF)

    async with serving(tmp_path / "data") as served:
        message = await a_message(served)
        program = SHOWN["send.mjs"].replace("http://127.0.0.1:8000", await served.address())
        (tmp_path / "send.mjs").write_text(program + CALL)

        sent = json.loads(await ran(tmp_path, program_of_node, "send.mjs", message.id))

    assert (sent["fileName"], sent["contentType"], sent["size"]) == ("путь.pdf", "application/pdf", len(PDF))
