"""The lines of a file, one at a time: a file may be larger than memory, a line may not."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, NamedTuple

from app.core.errors import ValidationError
from app.core.text import too_deep
from app.exchange.errors import UnusableFile

LONGEST_LINE_BYTES = 16 * 1024 * 1024
"""A conversation of several long books. As many lines are in memory as conversations are stored side by side."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """One line that is not blank, without its end; or the text of one member of a list."""

    number: int
    text: bytes
    is_whole: bool
    """Whether the file goes on, or the line was ended: one that was not may have been cut off."""
    is_too_long: bool
    """Then `text` is only its beginning."""
    end_offset: int
    """Bytes of the file up to its end."""
    unit: str = "line"
    """What it is called."""
    most_bytes: int = LONGEST_LINE_BYTES

    def decoded(self) -> str:
        """Its text; ValidationError when it is too long or not UTF-8."""
        if self.is_too_long:
            raise ValidationError(f"the {self.unit} is longer than {self.most_bytes:,} bytes")
        try:
            return self.text.decode()
        except UnicodeDecodeError as error:
            raise ValidationError(f"not UTF-8: byte {error.start + 1} of the {self.unit}") from None


def parsed(line: Line, *, names_once: bool = False) -> Any:
    """The value of its JSON, whether it can be stored or not; ValidationError says where it is none.

    `names_once`: an object that has a member twice is refused, where else the last would count.
    """
    # Python's reader and not orjson: it lets through what can be named as the reason for a refusal, and keeps whole
    # numbers of more than 64 bits apart from numbers with a fraction. Storing takes a hundred times as long.
    try:
        return json.loads(line.decoded(), object_pairs_hook=_once if names_once else None)
    except RecursionError:
        raise too_deep("it") from None
    except json.JSONDecodeError as error:
        cut = "" if line.is_whole else f"; the {line.unit} has no end, the file may have been cut off"
        raise ValidationError(f"not JSON: {error.msg.removesuffix(' at')} at character {error.pos + 1}{cut}") from None
    except ValueError:
        raise ValidationError("not JSON that can be stored: it has a number of thousands of digits") from None


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        names = [name for name, _ in members]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValidationError(f"an object in it has the member {twice[:100]} twice")
    return found


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


def lines_of(file: IO[bytes]) -> Iterator[Line]:
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
        raise UnusableFile(getattr(file, "name", "the file"), error.strerror or str(error)) from None


def _skip_rest(file: IO[bytes]) -> tuple[bool, int]:
    skipped = 0
    while piece := file.readline(LONGEST_LINE_BYTES):
        skipped += len(piece)
        if piece.endswith(b"\n"):
            return True, skipped
    return False, skipped
