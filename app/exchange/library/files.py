"""Files of templates: a list in JSON, JSON lines, or CSV; one template at a time."""

import csv
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import partial
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import Any, cast

from app.core.errors import ValidationError
from app.core.text import require_storable
from app.exchange.errors import UnusableFile
from app.exchange.files.lines import Line, lines_of, opened, parsed
from app.exchange.files.members import members_of

LONGEST_TEMPLATE_BYTES = 1024 * 1024
"""Of one member of a list: a template has at most 10,000 characters of text, and 64 KiB of variables."""

_BLANK = b" \t\r\n"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Unread:
    """One template of a file."""

    number: int
    unit: str
    """What it is counted by: line, or template."""
    read: Callable[[], dict[str, Any]]
    """Its columns; ValidationError says why it cannot be taken."""
    is_csv: bool = False
    """Whether an empty cell may be no value at all."""


def templates_of(path: Path) -> Generator[Unread, None, None]:
    """Every template of a file, in its order; UnusableFile when reading fails."""
    with opened(path) as file:
        reader = cast("BufferedReader", file)
        start = reader.peek(4_096)[:4_096].removeprefix(_BYTE_ORDER_MARK).lstrip(_BLANK)
        if start.startswith(b"["):
            for line in members_of(reader, "template", LONGEST_TEMPLATE_BYTES):
                yield Unread(line.number, "template", partial(_members, line))
        elif start.startswith(b"{"):
            for line in lines_of(reader):
                yield Unread(line.number, "line", partial(_members, line))
        elif start:
            yield from _rows(path, reader)


def _members(line: Line) -> dict[str, Any]:
    found = parsed(line, names_once=True)
    if not isinstance(found, dict):
        raise ValidationError("it is no object with the members of a template")
    require_storable(found, "it")
    return found


def _rows(path: Path, file: BufferedReader) -> Iterator[Unread]:
    """The rows of a file with commas, whose first row names the columns."""
    text = TextIOWrapper(file, "utf-8-sig", newline="")
    reader = csv.reader(text, strict=True)
    try:
        columns = next(reader)
        if len(set(columns)) < len(columns) or not {"name", "content"} <= set(columns):
            raise UnusableFile(
                path, "it is neither JSON, nor CSV whose first row names its columns: id, name, content …"
            )
        for cells in reader:
            if cells:
                yield Unread(reader.line_num, "line", partial(_row, columns, cells), is_csv=True)
    except UnicodeDecodeError:
        raise UnusableFile(path, f"it is not UTF-8 behind line {reader.line_num}") from None
    except csv.Error as error:
        raise UnusableFile(path, f"line {reader.line_num} is no CSV: {error}") from None
    except OSError as error:
        raise UnusableFile(path, error.strerror or str(error)) from None
    finally:
        # The file is closed by whoever opened it.
        text.detach()


def _row(columns: list[str], cells: list[str]) -> dict[str, Any]:
    if len(cells) != len(columns):
        raise ValidationError(f"it has {len(cells)} cells, the first row names {len(columns)} columns")
    found = dict(zip(columns, cells, strict=True))
    require_storable(found, "it")
    return found
