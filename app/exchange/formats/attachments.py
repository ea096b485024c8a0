"""The line of an attachment: written a slice at a time, and kept in a file until it is stored, never many in memory."""

from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from tempfile import TemporaryFile
from typing import IO

import orjson

from app.attachments.errors import AttachmentNotFound
from app.attachments.models import MessageAttachment
from app.attachments.pipeline import slices
from app.attachments.values import AttachmentId, file_name
from app.core.actor import TenantId
from app.core.errors import ValidationError
from app.db.database import Database
from app.exchange.files.lines import Line, parsed
from app.exchange.formats.records import ATTACHMENT, Record, given, moment
from app.exchange.values import ReadAttachment

COPIES_IN_MEMORY = 5
"""Of an attachment's line while it is stored: bytes, text, the text in it, what that means, and what is sent."""


async def written(database: Database, attachment: MessageAttachment, number: int) -> AsyncIterator[bytes]:
    """The line of an attachment of the message `number`; nothing, when it was deleted before the line began.

    One that is deleted meanwhile has the member `deleted` behind what could be read of it.
    """
    content = slices(
        database, TenantId(attachment.tenant_id), AttachmentId(attachment.id), range(attachment.size)
    )  # fmt: skip
    head = orjson.dumps(_head(attachment, number))[:-1] + b',"data":"'
    left, has_begun = b"", False
    try:
        async for piece in content:
            whole = left + piece
            # Three bytes are four letters: what is left over waits for the next slice.
            end = len(whole) - len(whole) % 3
            left = whole[end:]
            yield (b"" if has_begun else head) + b64encode(whole[:end])
            has_begun = True
    except AttachmentNotFound:
        if has_begun:
            yield b'","deleted":true}\n'
        return
    yield (b"" if has_begun else head) + b64encode(left) + b'"}\n'


def _head(attachment: MessageAttachment, number: int) -> Record:
    return {
        "type": ATTACHMENT, "message": number, "id": attachment.global_id, "fileName": attachment.file_name,
        "contentType": attachment.content_type, "size": attachment.size, "sha256": attachment.digest,
        "uploadedAt": attachment.uploaded_at,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spooled:
    """A line that waits in a file."""

    line: Line
    """Without its text."""
    file: IO[bytes]
    start: int
    length: int

    def whole(self) -> Line:
        """The line with its text."""
        self.file.seek(self.start)
        return self.line._replace(text=self.file.read(self.length))


class Spool:
    """The file of one session's attachments; there is none before the first. It is gone when it is closed."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self.longest = 0
        """Bytes of the longest line."""

    def keep(self, line: Line) -> Spooled:
        """Put a line at the end."""
        if self._file is None:
            self._file = TemporaryFile(prefix="colloquy-")  # noqa: SIM115 - it is closed with its session
        start = self._file.seek(0, 2)
        self._file.write(line.text)
        self.longest = max(self.longest, len(line.text))
        return Spooled(line._replace(text=b""), self._file, start, len(line.text))

    def close(self) -> None:
        """Give up the file."""
        if self._file is not None:
            self._file.close()


def read_attachment(record: Record, spooled: Spooled) -> ReadAttachment | None:
    """The attachment of a line, without its content; None where it was deleted meanwhile. ValidationError."""
    if record.get("deleted") is True:
        return None
    content = _decoded(given(record, "data", str))
    if len(content) != given(record, "size", int) or sha256(content).hexdigest() != given(record, "sha256", str):
        raise ValidationError("sha256 or size is not that of data: the file was changed or damaged")
    return ReadAttachment(
        # In the place of an id of any length.
        sha256(given(record, "id", str).encode()).hexdigest()[:32],
        file_name(given(record, "fileName", str)),
        sha256(content).digest(),
        len(content),
        moment(record, "uploadedAt"),
        partial(_content_of, spooled),
    )


def _content_of(spooled: Spooled) -> bytes:
    return _decoded(parsed(spooled.whole())["data"])


def _decoded(data: str) -> bytes:
    try:
        return b64decode(data, validate=True)
    except (Error, ValueError):
        raise ValidationError("data must be base64") from None
