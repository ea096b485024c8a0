"""Attaching files to a message, in both ways, and getting them back."""

from dataclasses import dataclass
from typing import Any

import httpx2

from tests.client import GraphQLClient
from tests.uploads import FileToSend

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde"
HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
SVG = b'<?xml version="1.0"?>\n<!-- drawn --><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'

ATTACHMENT = "attachment { id fileName contentType size sha256 uploadedAt url message { id } }"


@dataclass(frozen=True, slots=True)
class Message:
    """A message, and who wrote it."""

    client: GraphQLClient
    session: str
    id: str

    async def attach(self, file: FileToSend, **input_: Any) -> dict[str, Any]:
        """The payload of uploadAttachment."""
        return await self.client.mutate("uploadAttachment", ATTACHMENT, {"messageId": self.id, "file": file, **input_})

    async def post(self, content: Any, content_type: str = "application/octet-stream", **more: Any) -> httpx2.Response:
        """The answer to a file that is sent as the body of a plain request."""
        headers = {"Content-Type": content_type, **more.pop("headers", {})}
        return await self.client.http.post(f"/messages/{self.id}/attachments", content=content, headers=headers, **more)

    async def url(self, content: bytes, name: str = "notes.txt") -> str:
        """Where a new attachment is downloaded."""
        payload = await self.attach(FileToSend(content, name))
        assert payload["success"], payload
        return str(payload["attachment"]["url"])

    async def attached(self) -> list[dict[str, Any]]:
        """The attachments as the message lists them."""
        query = "query ($id: ID!) { message(id: $id) { attachments { id fileName contentType size } } }"
        found: list[dict[str, Any]] = (await self.client.data(query, {"id": self.id}))["message"]["attachments"]
        return found
