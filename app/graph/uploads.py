"""Files as they arrive: counted and digested while they are read, and kept out of memory where they are long."""

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256
from tempfile import SpooledTemporaryFile

from app.graph.body import BodyTooLarge

LARGEST_FILE_BYTES = 10 * 1024 * 1024
"""Of one file, 10 MiB (S1-10): what is longer is refused while it is read."""

MEMORY_BYTES = 256 * 1024
"""Of one file that is being read; the rest waits on disk, so that slow senders hold no memory, however many."""


class FileTooLarge(BodyTooLarge):
    """A file was longer than one may be."""

    def __init__(self) -> None:
        super().__init__(LARGEST_FILE_BYTES, what="the file", hint="send a smaller one", field="file")


class UploadedFile:
    """One file that a client sends. Whoever reads it from the request closes it."""

    def __init__(self, file_name: str | None, claimed_type: str) -> None:
        self.file_name = file_name
        """By the client's account, as is the type."""
        self.claimed_type = claimed_type
        self.size = 0
        self._digest = sha256()
        self._kept = SpooledTemporaryFile(max_size=MEMORY_BYTES)  # noqa: SIM115 - closed by `close`

    def __repr__(self) -> str:
        return "<a file>"

    @property
    def digest(self) -> bytes:
        """SHA-256 of what was written."""
        return self._digest.digest()

    def count(self, size: int) -> None:
        """Take so many more bytes into account, before they are written; FileTooLarge where that is too many."""
        self.size += size
        if self.size > LARGEST_FILE_BYTES:
            raise FileTooLarge

    async def write(self, piece: bytes) -> None:
        """Keep what was counted."""
        self._digest.update(piece)
        if self.size > MEMORY_BYTES:
            await asyncio.to_thread(self._kept.write, piece)
        else:
            self._kept.write(piece)

    async def content(self) -> bytes:
        """All of it, in memory."""
        return await asyncio.to_thread(self._read)

    def _read(self) -> bytes:
        self._kept.seek(0)
        return self._kept.read()

    def close(self) -> None:
        """Give up what is kept on disk."""
        self._kept.close()


async def filled(file: UploadedFile, pieces: AsyncIterator[bytes]) -> UploadedFile:
    """The file with all that comes; FileTooLarge as soon as it is too much."""
    async for piece in pieces:
        file.count(len(piece))
        await file.write(piece)
    return file
