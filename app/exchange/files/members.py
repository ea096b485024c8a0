"""The members of a JSON list, one at a time: the list may be larger than memory, a member may not.

Where a member ends is found by its brackets and strings alone, then it is read by itself. So a member that is broken,
nests too deep or has a lone surrogate is refused with its reason, and the others are taken. (ijson 3.6 would end at
the first number of more than 64 bits, put a question mark in the place of a surrogate, and take memory that grows with
the square of the depth.)
"""

import re
from collections.abc import Iterator
from typing import IO

from app.exchange.errors import UnusableFile
from app.exchange.files.lines import Line

LONGEST_MEMBER_BYTES = 128 * 1024 * 1024
"""A conversation of a hundred long books. As many are in memory as conversations are stored side by side."""

CHUNK_BYTES = 1024 * 1024

_BLANK = b" \t\r\n"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_IN_LIST = re.compile(rb'["\[\]{},]')
_INSIDE = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["\[\]{}]', re.DOTALL)
"""Whole strings are passed over by one match; a quote alone begins one that goes on in the next chunk."""
_REST_OF_STRING = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)


def members_of(file: IO[bytes], unit: str, most_bytes: int = LONGEST_MEMBER_BYTES) -> Iterator[Line]:
    """Every member's text, called `unit`; UnusableFile when reading fails or there is no list."""
    reader = _Members(unit, most_bytes)
    try:
        while chunk := file.read(CHUNK_BYTES):
            yield from reader.take(chunk)
    except OSError as error:
        raise UnusableFile(getattr(file, "name", "the file"), error.strerror or str(error)) from None
    yield from reader.end()


class _Members:
    """Where in the list one is. What is kept is the text of one member, and what may be half a character."""

    def __init__(self, unit: str, most_bytes: int) -> None:
        self._unit = unit
        self._most_bytes = most_bytes
        self._number = 0
        self._text = bytearray()
        self._too_long = False
        self._depth = 0
        self._began = self._ended = self._in_string = False
        self._held = b""
        """Of a string: the backslash at the end of a chunk."""
        self._offset = 0

    def take(self, chunk: bytes) -> Iterator[Line]:
        """The members that end in the next bytes of the file."""
        chunk, self._held = self._held + chunk, b""
        self._offset += len(chunk)
        place = 0
        if not self._began:
            place = self._begin(chunk)
        while self._began and place < len(chunk):
            if self._in_string:
                place = self._string(chunk, place)
            elif self._depth > 1:
                place = self._inside(chunk, place)
            else:
                found = _IN_LIST.search(chunk, place) if not self._ended else None
                end = found.start() if found else len(chunk)
                self._keep(chunk[place:end])
                place = end
                if found:
                    yield from self._between(chunk, end)
                    place += 1
        self._offset -= len(self._held)

    def end(self) -> Iterator[Line]:
        """What is left when the file has ended: a member that was cut off, or the end of the list that is missing."""
        if not self._began:
            raise UnusableFile("the file", "it is empty")
        self._keep(self._held)
        if self._text.strip(_BLANK) or not self._ended:
            yield self._member(is_whole=False)

    def _begin(self, chunk: bytes) -> int:
        start = chunk.removeprefix(_BYTE_ORDER_MARK) if self._offset == len(chunk) else chunk
        inside = start.lstrip(_BLANK)
        if inside and not inside.startswith(b"["):
            raise UnusableFile("the file", "it is no list of conversations in JSON")
        self._began = bool(inside)
        self._depth = int(self._began)
        return len(chunk) - len(inside) + 1

    def _string(self, chunk: bytes, place: int) -> int:
        match = _REST_OF_STRING.match(chunk, place)
        end = match.end() if match else place
        if end == len(chunk):
            self._keep(chunk[place:])
        elif chunk[end] == 0x22:
            self._in_string = False
            end += 1
            self._keep(chunk[place:end])
        else:
            self._keep(chunk[place:end])
            self._held = chunk[end:]
            end = len(chunk)
        return end

    def _inside(self, chunk: bytes, place: int) -> int:
        """Go on to where the member ends, or the chunk, or a string that the chunk does not end."""
        depth, end = self._depth, len(chunk)
        for token in _INSIDE.finditer(chunk, place):
            first = chunk[token.start()]
            if first == 0x22:
                if token.end() - token.start() == 1:
                    self._in_string, end = True, token.end()
                    break
            elif first in b"[{":
                depth += 1
            else:
                depth -= 1
                if depth == 1:
                    end = token.end()
                    break
        self._depth = depth
        self._keep(chunk[place:end])
        return end

    def _between(self, chunk: bytes, place: int) -> Iterator[Line]:
        """What a sign of the list itself means."""
        sign = chunk[place : place + 1]
        match sign:
            case b",":
                yield self._member(is_whole=True)
            case b"]" | b"}":
                self._ended = True
                if self._text.strip(_BLANK):
                    yield self._member(is_whole=True)
            case b'"':
                self._in_string = True
                self._keep(sign)
            case _:
                self._depth += 1
                self._keep(sign)

    def _keep(self, text: bytes) -> None:
        room = self._most_bytes - len(self._text)
        self._text += text[:room]
        self._too_long |= len(text) > room

    def _member(self, *, is_whole: bool) -> Line:
        self._number += 1
        text = bytes(self._text.strip(_BLANK))
        found = Line(self._number, text, is_whole, self._too_long, self._offset, self._unit, self._most_bytes)
        self._text, self._too_long = bytearray(), False
        return found
