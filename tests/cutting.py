"""A TCP proxy before the server that cuts connections in the middle of an answer."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

PIECE_OF_ANSWER = b"CompletionDelta"
"""Stands in every piece of an answer, whichever way it is carried."""


class Cutter:
    """Passes on what both sides say, until it is time to cut."""

    def __init__(self, server: str) -> None:
        self.server = server
        """Where connections go; may be changed while it runs."""
        self.cuts_left = 0
        self.cuts_done = 0
        self._passing: set[asyncio.Task[None]] = set()

    def cut_answers(self, times: int) -> None:
        """Cut so many connections at a piece of an answer: one behind it, the next inside, and so on."""
        self.cuts_left = times

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Called for every client."""
        task = asyncio.create_task(self._pass(reader, writer))
        self._passing.add(task)
        task.add_done_callback(self._passing.discard)

    async def end(self) -> None:
        """Return when no connection is left."""
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    async def _pass(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        place = urlsplit(self.server)
        try:
            from_server, to_server = await asyncio.open_connection(place.hostname, place.port)
        except (OSError, asyncio.CancelledError):
            to_client.transport.abort()
            return
        ways = [
            asyncio.create_task(self._pump(from_client, to_server, cuts=False)),
            asyncio.create_task(self._pump(from_server, to_client, cuts=True)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            # Before anything is waited for: whoever ends the proxy cancels that.
            to_server.close()
            to_client.close()
            await asyncio.gather(*ways, return_exceptions=True)
            for writer in (to_server, to_client):
                with contextlib.suppress(OSError):
                    await writer.wait_closed()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, cuts: bool) -> None:
        while chunk := await reader.read(1 << 16):
            if cuts and self.cuts_left and PIECE_OF_ANSWER in chunk:
                self.cuts_left -= 1
                self.cuts_done += 1
                writer.write(chunk if self.cuts_left % 2 else chunk[: len(chunk) // 2])
                await writer.drain()
                return
            writer.write(chunk)
            await writer.drain()


@asynccontextmanager
async def cutter_before(server: str) -> AsyncIterator[tuple[Cutter, str]]:
    """A proxy before the server at that address, and the address of the same behind it."""
    cutter = Cutter(server)
    listener = await asyncio.start_server(cutter.accept, "127.0.0.1", 0)
    try:
        yield cutter, f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    finally:
        listener.close()
        await cutter.end()
