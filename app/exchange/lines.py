"""The lines of a file, one at a time: a file may be larger than memory, a line may not."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from app.core.errors import ValidationError
from app.exchange.errors import UnusableFile

LONGEST_LINE_BYTES = 16 * 1024 * 1024
"""A conversation of several long books. As many lines are in memory as conversations are stored side by side."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """One line that is not blank, without its end."""

    number: int
    text: bytes
    is_whole: bool
    """Whether the file goes on, or the line was ended: one that was not may have been cut off."""
    is_too_long: bool
    """Then `text` is only its beginning."""
    end_offset: int
    """Bytes of the file up to its end."""

    def decoded(self) -> str:
        """Its text; ValidationError when it is too long or not UTF-8."""
        if self.is_too_long:
            raise ValidationError(f"the line is longer than {LONGEST_LINE_BYTES:,} bytes")
        try:
            return self.text.decode()
        except UnicodeDecodeError as error:
            raise ValidationError(f"not UTF-8: byte {error.start + 1} of the line") from None


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file, open for reading; UnusableFile when it is not there or not a file."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise UnusableFile(path, error.strerror or str(error)) from None
    with file:
        yield file


def size_of(file: BinaryIO) -> int:
    """Its bytes; 0 of a pipe."""
    return os.fstat(file.fileno()).st_size


def lines_of(file: BinaryIO) -> Iterator[Line]:
    """Every line with something in it; UnusableFile when reading fails."""
    number, offset = 0, 0
    try:
        while text := file.readline(LONGEST_LINE_BYTES + 1):
            number += 1
            offset += len(text)
            too_long = len(text) > LONGEST_LINE_BYTES and not text.endswith(b"\n")
            if too_long:
                ended, skipped = _skip_rest(file)
                offset += skipped
            else:
                ended = text.endswith(b"\n")
            text = text.removeprefix(_BYTE_ORDER_MARK) if number == 1 else text
            if text.strip():
                yield Line(number, text.strip(), ended, too_long, offset)
    except OSError as error:
        raise UnusableFile(file.name, error.strerror or str(error)) from None


def _skip_rest(file: BinaryIO) -> tuple[bool, int]:
    skipped = 0
    while piece := file.readline(LONGEST_LINE_BYTES):
        skipped += len(piece)
        if piece.endswith(b"\n"):
            return True, skipped
    return False, skipped
