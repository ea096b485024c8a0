"""How answers get to the socket: the head with the first of the body.

uvicorn 0.54 writes each on its own, and uvloop passes on at once what is written: two calls of the system for each
answer, and two packets.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class HeadWithBody(asyncio.Transport):
    """A connection that holds the head of an answer for what follows, at most to the end of the loop's turn.

    What follows goes at once, so that the connection below says when it is full.
    """

    def __init__(self, connection: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self.connection = connection
        self._loop = loop
        self._held: bytes | None = None
        self._is_head = True

    def write(self, data: Any) -> None:
        """Write, behind what is held."""
        if self._is_head:
            self._is_head, self._held = False, data
            self._loop.call_soon(self.flush)
        elif self._held is None:
            self.connection.write(data)
        else:
            held, self._held = self._held, None
            self.connection.writelines((held, data))

    def flush(self) -> None:
        """Write what is held."""
        if self._held is not None:
            held, self._held = self._held, None
            self.connection.write(held)

    def complete(self) -> None:
        """An answer is: what is written next is the head of another."""
        self.flush()
        self._is_head = True

    def lost(self) -> None:
        """Nothing can be written any more."""
        self._held = None

    def close(self) -> None:
        """Write what is held, and close the connection when all of it was sent."""
        self.flush()
        self.connection.close()

    def is_closing(self) -> bool:
        """Whether it is closed, or will be when all was sent."""
        return self.connection.is_closing()

    def pause_reading(self) -> None:
        """Take nothing more from the client."""
        self.connection.pause_reading()

    def resume_reading(self) -> None:
        """Go on taking."""
        self.connection.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What the connection knows of itself."""
        return self.connection.get_extra_info(name, default)


class WrittenAtOnce(HttpToolsProtocol):
    """uvicorn's protocol over such a connection. A WebSocket gets the connection itself."""

    transport: HeadWithBody

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Called by the loop."""
        super().connection_made(HeadWithBody(transport, self.loop))

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop."""
        self.transport.lost()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Called after the last of an answer was written, before a next one is begun."""
        self.transport.complete()
        super().on_response_complete()

    def handle_websocket_upgrade(self) -> None:
        """Called when the head of a request asks for a socket."""
        self.transport.flush()
        self.transport = self.transport.connection  # type: ignore[assignment]
        super().handle_websocket_upgrade()
