"""Bodies of multipart/form-data, parsed while they are read: no memory grows with what a client sends."""

from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from app.core.errors import LimitExceeded
from app.graph.body import BadRequest, BodyTooLarge
from app.graph.uploads import LARGEST_FILE_BYTES, UploadedFile

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

_OVERHEAD_BYTES = 64 * 1024
"""Of boundaries, headers and whatever stands around the parts."""


@dataclass(frozen=True, slots=True)
class FormLimits:
    """How much one form may hold."""

    field_bytes: int
    """Of all fields that are no files, together."""
    fields: int
    files: int

    @property
    def bytes(self) -> int:
        """Of the whole body."""
        return self.field_bytes + self.files * LARGEST_FILE_BYTES + _OVERHEAD_BYTES


@dataclass(slots=True)
class Form:
    """The parts by their names, in the order they came."""

    fields: dict[str, bytes] = field(default_factory=dict)
    files: dict[str, UploadedFile] = field(default_factory=dict)


async def read_form(content_type: str, pieces: AsyncIterator[bytes], limits: FormLimits, closing: ExitStack) -> Form:
    """The form in a body; its files are closed with `closing`.

    BadRequest for what is no form, BodyTooLarge or FileTooLarge as soon as something proves too long.
    """
    reader = _Reader(_boundary(content_type), limits, closing)
    async for piece in pieces:
        await reader.take(piece)
        if reader.is_complete:
            return reader.form
    raise _malformed("it ends before its last boundary")


def _boundary(content_type: str) -> bytes:
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if not 1 <= len(boundary) <= 70:
        raise _malformed("its Content-Type names no boundary of 1 to 70 characters")
    return boundary


class _Reader:
    """Takes a body piece by piece."""

    def __init__(self, boundary: bytes, limits: FormLimits, closing: ExitStack) -> None:
        self.form = Form()
        self.is_complete = False
        self._limits = limits
        self._closing = closing
        self._taken = 0
        self._field_bytes = 0
        self._headers: dict[bytes, bytes] = {}
        self._header = b""
        self._value = b""
        self._file: UploadedFile | None = None
        self._field: bytearray | None = None
        self._name = ""
        self._to_write: list[tuple[UploadedFile, bytes]] = []
        self._parser = MultipartParser(boundary, self._callbacks())

    def _callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._part_begins,
            "on_header_field": self._header_goes_on,
            "on_header_value": self._value_goes_on,
            "on_header_end": self._header_ends,
            "on_headers_finished": self._headers_end,
            "on_part_data": self._part_goes_on,
            "on_part_end": self._part_ends,
            "on_end": self._form_ends,
        }

    async def take(self, piece: bytes) -> None:
        """Parse the next piece and write what it holds of files."""
        self._taken += len(piece)
        if self._taken > self._limits.bytes:
            raise BodyTooLarge(self._limits.bytes)
        try:
            self._parser.write(piece)
        except FormParserError:
            raise _malformed("its parts are not where its boundaries say") from None
        for file, content in self._to_write:
            await file.write(content)
        self._to_write.clear()

    def _part_begins(self) -> None:
        self._headers = {}

    def _header_goes_on(self, piece: bytes, start: int, end: int) -> None:
        self._header += piece[start:end]

    def _value_goes_on(self, piece: bytes, start: int, end: int) -> None:
        self._value += piece[start:end]

    def _header_ends(self) -> None:
        self._headers[self._header.lower()] = self._value
        self._header = self._value = b""

    def _headers_end(self) -> None:
        disposition, options = parse_options_header(self._headers.get(b"content-disposition", b"").decode("latin-1"))
        self._name = options.get(b"name", b"").decode(errors="replace")
        if disposition != b"form-data" or not self._name:
            raise _malformed("a part has no name")
        if self._name in self.form.fields or self._name in self.form.files:
            raise _malformed("two parts have the same name")
        if b"filename" in options:
            self._begin_file(options[b"filename"].decode(errors="replace"))
        elif len(self.form.fields) >= self._limits.fields:
            raise _malformed("it has more fields than are taken")
        else:
            self._field = bytearray()

    def _begin_file(self, file_name: str) -> None:
        if len(self.form.files) >= self._limits.files:
            raise LimitExceeded(
                f"the form has more than {self._limits.files} files", hint="send them one after the other"
            )
        claimed_type = self._headers.get(b"content-type", b"").decode("latin-1")
        self._file = self.form.files[self._name] = UploadedFile(file_name, claimed_type)
        self._closing.callback(self._file.close)

    def _part_goes_on(self, piece: bytes, start: int, end: int) -> None:
        if self._file is not None:
            self._file.count(end - start)
            self._to_write.append((self._file, piece[start:end]))
        elif self._field is not None:
            self._field_bytes += end - start
            if self._field_bytes > self._limits.field_bytes:
                raise BodyTooLarge(self._limits.field_bytes)
            self._field += piece[start:end]

    def _part_ends(self) -> None:
        if self._field is not None:
            self.form.fields[self._name] = bytes(self._field)
        self._file = self._field = None

    def _form_ends(self) -> None:
        self.is_complete = True


def _malformed(why: str) -> BadRequest:
    return BadRequest(f"the form cannot be read: {why}", hint="send multipart/form-data as RFC 7578 describes it")
