"""What an import reads: a file, several, a folder, or an archive; each part as a stream."""

import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from app.exchange.errors import UnusableFile
from app.exchange.files.lines import opened
from app.exchange.formats.names import ImportFormat

MOST_INFLATION = 200
"""How many times its size in the archive a part may have: conversations come to ten times, a bomb to a thousand."""
SMALL_BYTES = 64 * 1024 * 1024
"""A part up to here is read whatever it was made of."""

_CONVERSATIONS = re.compile(r"conversations(-\d+)?\.json", re.IGNORECASE)
"""In an export of ChatGPT: one file, or since 2026 several that are numbered from 000."""


@dataclass(frozen=True, slots=True)
class Part:
    """One file of conversations, by itself or inside an archive."""

    path: Path
    size_bytes: int
    """0 of a pipe."""
    member: str | None = None
    """Its name inside the archive at `path`."""

    @property
    def name(self) -> str:
        """What it is called in a refusal, where there are several."""
        return self.member or self.path.name

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """The part as a stream; an archive's member is unpacked while it is read. UnusableFile, also on the way."""
        if self.member is None:
            with opened(self.path) as file:
                yield file
            return
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(self.member) as file:
                yield file
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
            # RuntimeError is what the library says of an encrypted member.
            raise UnusableFile(f"{self.path} ({self.member})", _reason(error)) from None


def parts_of(paths: Iterable[Path], format_: ImportFormat) -> list[Part]:
    """What there is to read in these places, in order; UnusableFile names one that has nothing."""
    return [part for path in paths for part in _parts(path, format_)]


def guessed(paths: Iterable[Path]) -> ImportFormat:
    """How files are written whose format was not named, by their names and first bytes; UnusableFile."""
    found = {_guess(path) for path in paths}
    if len(found) > 1:
        raise UnusableFile("this", "the files are of several formats: import them one by one, or name --format")
    return found.pop()


def _guess(path: Path) -> ImportFormat:
    if path.is_dir():
        return ImportFormat.CHATGPT
    # A pipe is read once.
    if not path.is_file():
        return ImportFormat.OPENAI_JSONL
    with opened(path) as file:
        start = file.read(4_096).removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"PK") or _CONVERSATIONS.fullmatch(path.name):
        return ImportFormat.CHATGPT
    return ImportFormat.JSONL if _COLLOQUY.match(start) else ImportFormat.OPENAI_JSONL


_COLLOQUY = re.compile(rb'\{\s*"type"\s*:\s*"session"\s*,\s*"version"\s*:')


def _parts(path: Path, format_: ImportFormat) -> list[Part]:
    try:
        found = path.stat()
    except OSError as error:
        raise UnusableFile(path, error.strerror or str(error)) from None
    if format_ is not ImportFormat.CHATGPT:
        return [_file(path, found)]
    if stat.S_ISDIR(found.st_mode):
        inside = [one for one in path.iterdir() if _CONVERSATIONS.fullmatch(one.name)]
        if not inside:
            raise UnusableFile(path, "the folder holds no conversations.json")
        return [_file(one, one.stat()) for one in sorted(inside)]
    part = _file(path, found)
    return _members(path) if stat.S_ISREG(found.st_mode) and _is_archive(path) else [part]


def _is_archive(path: Path) -> bool:
    # By its beginning, so that one whose end is missing is told to be a broken archive.
    with opened(path) as file:
        return file.read(2) == b"PK"


def _file(path: Path, found: os.stat_result) -> Part:
    # Here and not on the way: several files are looked at before the first is stored.
    if stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode):
        with opened(path):
            pass
    return Part(path, found.st_size if stat.S_ISREG(found.st_mode) else 0)


def _members(path: Path) -> list[Part]:
    try:
        with zipfile.ZipFile(path) as archive:
            inside = [one for one in archive.infolist() if _CONVERSATIONS.fullmatch(Path(one.filename).name)]
    except (zipfile.BadZipFile, OSError) as error:
        raise UnusableFile(path, _reason(error)) from None
    if not inside:
        raise UnusableFile(path, "the archive holds no conversations.json")
    for member in inside:
        # The library stops reading at the size that is declared here.
        if member.file_size > max(SMALL_BYTES, member.compress_size * MOST_INFLATION):
            raise UnusableFile(
                path, f"{member.filename} would be {member.file_size:,} bytes, packed into {member.compress_size:,}"
            )
    return [Part(path, one.file_size, one.filename) for one in sorted(inside, key=lambda one: one.filename)]


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or "it ends too early"
