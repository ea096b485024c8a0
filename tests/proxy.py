"""A TCP proxy before PostgreSQL that can cut a connection at a chosen moment."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum, auto
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

EXECUTE = b"B"
"""How asyncpg's message for one run of a prepared statement begins: Bind, followed by Execute and Sync."""

COMMIT = b"Q\x00\x00\x00\x0cCOMMIT;\x00"
"""asyncpg ends a transaction by a simple query."""

_READY = b"Z\x00\x00\x00\x05"
"""PostgreSQL has done what it was sent and is ready for more; one byte follows."""


class Moment(Enum):
    """When a connection is cut; to the client both look the same."""

    BEFORE_THE_SERVER = auto()
    """The message is lost on its way: nothing happened."""
    BEFORE_THE_ANSWER = auto()
    """The server has done what the message asked for, and its answer is lost."""


class Proxy:
    """Passes on what both sides say; each client connection has one of its own to the server."""

    def __init__(self, server_socket: Path) -> None:
        self._server_socket = server_socket
        self._cuts: list[tuple[bytes, Moment]] = []
        self._passing: set[asyncio.Task[None]] = set()
        self.refusing = False
        """Whether every new client is turned away at once, as by a server that is down."""
        self.open_connections = 0
        self.most_connections = 0

    def cut(self, beginning: bytes, moment: Moment, times: int = 1) -> None:
        """Cut the next `times` connections over which a message comes that starts with `beginning`."""
        self._cuts += [(beginning, moment)] * times

    def cut_all(self) -> None:
        """Cut every connection there is."""
        for task in self._passing:
            task.cancel()

    async def settled(self) -> None:
        """Return when no connection is open."""
        while self._passing:
            await asyncio.wait(list(self._passing))

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Called for every client."""
        if self.refusing:
            writer.close()
            return
        task = asyncio.create_task(self._pass(reader, writer))
        self._passing.add(task)
        task.add_done_callback(self._passing.discard)

    async def _pass(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        self.open_connections += 1
        self.most_connections = max(self.most_connections, self.open_connections)
        from_server, to_server = await asyncio.open_unix_connection(self._server_socket)
        link = Link(from_client, to_client, from_server, to_server)
        ways = [asyncio.create_task(self.forth(link)), asyncio.create_task(link.back())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.open_connections -= 1
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for writer in (to_server, to_client):
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()

    async def forth(self, link: "Link") -> None:
        """Pass on what the client says, until it leaves or is cut off."""
        while chunk := await link.from_client.read(1 << 16):
            moment = self._moment_to_cut(chunk)
            if moment is Moment.BEFORE_THE_SERVER:
                return
            link.swallow_answers = moment is Moment.BEFORE_THE_ANSWER
            link.to_server.write(chunk)
            if link.swallow_answers:
                await link.answered.wait()
                return

    def _moment_to_cut(self, chunk: bytes) -> Moment | None:
        if self._cuts and chunk.startswith(self._cuts[0][0]):
            return self._cuts.pop(0)[1]
        return None


class Link:
    """One client's two connections."""

    def __init__(
        self,
        from_client: asyncio.StreamReader,
        to_client: asyncio.StreamWriter,
        from_server: asyncio.StreamReader,
        to_server: asyncio.StreamWriter,
    ) -> None:
        self.from_client, self.to_client = from_client, to_client
        self.from_server, self.to_server = from_server, to_server
        self.swallow_answers = False
        self.answered = asyncio.Event()

    async def back(self) -> None:
        """Pass on what the server says, save while its answers are swallowed."""
        while chunk := await self.from_server.read(1 << 16):
            if not self.swallow_answers:
                self.to_client.write(chunk)
            elif chunk[-6:-1] == _READY:
                self.answered.set()


def socket_of(dsn: str) -> Path:
    """Where the server of `dsn` listens: an address with a socket's folder."""
    place = parse_qs(urlsplit(dsn).query)
    return Path(place["host"][0]) / f".s.PGSQL.{place['port'][0]}"


@asynccontextmanager
async def proxy_to(dsn: str) -> AsyncIterator[tuple[Proxy, str]]:
    """A proxy before the server of `dsn`, and the address of the same behind it."""
    proxy = Proxy(socket_of(dsn))
    async with behind(proxy, dsn) as address:
        yield proxy, address


@asynccontextmanager
async def behind(proxy: Proxy, dsn: str) -> AsyncIterator[str]:
    """The address of the database of `dsn` behind a proxy, while that takes clients."""
    listener = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}{urlsplit(dsn).path}?sslmode=disable"
    finally:
        listener.close()
        proxy.cut_all()
        await proxy.settled()
