"""Large bodies against a server in a process of its own: what is sent does not grow its memory."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2

from app.graph.uploads import LARGEST_FILE_BYTES
from tests.attachments.files import PNG, Message
from tests.processes import Served, serving
from tests.uploads import FileToSend

MEGABYTE = bytes(1024 * 1024)
SENT_MEGABYTES = 150


def peak_megabytes(served: Served) -> int:
    """The most memory that the server has had."""
    status = Path(f"/proc/{served.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


async def body(opening: bytes = b"") -> AsyncIterator[bytes]:
    """Much more than anybody may send; there are two of them."""
    yield opening
    for _ in range(SENT_MEGABYTES):
        yield MEGABYTE


def form_opening() -> bytes:
    """A multipart request up to its file."""
    query = "mutation ($input: UploadAttachmentInput!) { uploadAttachment(input: $input) { success } }"
    operation = json.dumps({"query": query, "variables": {"input": {"messageId": "x", "file": None}}})
    parts = [("operations", operation), ("map", '{"0": ["variables.input.file"]}')]
    fields = "".join(
        f'--xyz\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in parts
    )
    return (fields + '--xyz\r\nContent-Disposition: form-data; name="0"; filename="a"\r\n\r\n').encode()


async def refused(http: httpx2.AsyncClient, url: str, opening: bytes, content_type: str) -> int:
    """The status of an answer to a body without an end in sight; it comes while that is sent, or cuts it."""
    headers = {"Content-Type": content_type, "X-Colloquy-Preflight": "1"}
    return (await http.post(url, content=body(opening), headers=headers)).status_code


async def test_bodies_of_any_length_leave_the_memory_flat(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, served.client() as client:
        session = await client.create_session()
        message = Message(client, session, (await client.say(session))["message"]["id"])
        url = f"/messages/{message.id}/attachments"
        await message.attach(FileToSend(bytes(LARGEST_FILE_BYTES)))
        before = peak_megabytes(served)

        first, second = await asyncio.gather(
            refused(client.http, url, b"", "application/octet-stream"),
            refused(client.http, "/graphql", form_opening(), "multipart/form-data; boundary=xyz"),
        )
        largest = await asyncio.gather(*(message.post(bytes(LARGEST_FILE_BYTES)) for _ in range(10)))
        taken = await message.attach(FileToSend(PNG, "a.png"))
        back = await client.http.get(taken["attachment"]["url"])

        assert (first, second) == (413, 413)
        assert [answer.status_code for answer in largest] == [201] * 10
        assert back.content == PNG
        # Four at a time may be in memory, and more than once on their way to the database.
        assert peak_megabytes(served) - before < 150
