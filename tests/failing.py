"""A way to PostgreSQL on which a chosen statement fails: a real server, real connections, errors that the server tells.

    async with failing_way(dsn) as (way, address):
        ...                                    # the work, over a database at `address`
        positions = list(way.sent)             # ["BEGIN;", "INSERT …", "COMMIT;"]
        way.fail(2, How.REFUSED)
        ...                                    # the same work, whose second statement fails

Positions count from 1 what the work sends in transactions, BEGIN and COMMIT among it, and commands that are each a
transaction. Queries outside of transactions are none, for nothing hangs on them, and neither are ROLLBACKs.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from tests.proxy import Link, Proxy, behind, socket_of
from tests.worlds import stored

SECRET = "what nobody may see"
"""Stands in whatever the server says of a statement that fails; must never stand in what a client is told."""

_WRITES = re.compile(r"\b(INSERT INTO|DELETE FROM|MERGE INTO|UPDATE \w+ SET)\b")

_ID = re.compile(r"(?<=application_name = ')[^']*")
"""By which a transaction is told from others: another in each attempt, and no part of what it does."""

_OF_THE_DRIVER = re.compile(r"typeinfo_tree|set_config\('jit'")
"""asyncpg 0.32 asks once per connection what types there are: not part of the work, and not in each attempt of it."""


class How(Enum):
    """In which way a statement fails."""

    REFUSED = "23514"
    """A constraint does not hold."""
    CONFLICT = "40001"
    """A serialization failure: somebody else was there first."""
    TIME_OUT = "57014"
    """The server cancels it at its time limit."""
    LOST_BEFORE = "before"
    """The connection breaks, and the statement never runs."""
    LOST_AFTER = "after"
    """The statement runs, and the connection breaks before its answer comes: of COMMIT, all is stored."""

    @property
    def breaks(self) -> bool:
        """Whether the connection goes with it."""
        return self in (How.LOST_BEFORE, How.LOST_AFTER)


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sends before it waits for an answer."""

    message: bytes
    sql: str | None = None
    """What it asks to run; None where nothing is run."""


class FailingWay(Proxy):
    """Knows every statement that comes over it, and has one of them fail."""

    def __init__(self, server_socket: Path) -> None:
        super().__init__(server_socket)
        self.sent: list[str] = []
        """The statements of the work, in the order of their positions."""
        self.failed: list[str] = []
        """Those of them that failed."""
        self.fail(0, How.REFUSED, times=0)

    def forget(self) -> None:
        """Another work begins, in which nothing fails."""
        self.fail(0, How.REFUSED, times=0)

    def fail(self, position: int, how: How, times: int = 1) -> None:
        """Another work begins, whose statement at this position fails; `times`: in later attempts, too.

        These fail at the same place in their transaction as the first, wherever in the work that was.
        """
        self.sent.clear()
        self.failed.clear()
        self._position, self._how, self._times_left = position, how, times
        self._place: int | None = None

    async def forth(self, link: Link) -> None:
        """Pass on what a client says, request by request, save what fails."""
        client = _Client(link.from_client)
        place = 0
        while (request := await client.next_request()) is not None:
            sql = request.sql
            if sql is None or _OF_THE_DRIVER.search(sql):
                link.to_server.write(request.message)
                continue
            begins, ends = sql.startswith("BEGIN"), sql.startswith(("COMMIT", "ROLLBACK"))
            how = None
            if not sql.startswith("ROLLBACK") and (begins or place or _WRITES.search(sql)):
                alone = not begins and not place
                place += 1
                how = self._due(sql, place)
                ends = ends or alone or (begins and how is not None)
            if ends:
                place = 0
            if how is not None and how.breaks:
                await self._lose(link, request, how)
                return
            link.to_server.write(request.message if how is None else _error(how, in_place_of=sql))

    def _due(self, sql: str, place: int) -> How | None:
        """How a statement fails, at its place in its transaction; None when it does not."""
        shown = _ID.sub("…", sql)
        self.sent.append(shown)
        here = len(self.sent) == self._position if self._place is None else place == self._place
        if not here or not self._times_left:
            return None
        self._times_left -= 1
        self._place = place
        self.failed.append(shown)
        return self._how

    async def _lose(self, link: Link, request: Request, how: How) -> None:
        """See a request through as far as the connection lasts."""
        if how is How.LOST_AFTER:
            link.swallow_answers = True
            link.to_server.write(request.message)
            await link.answered.wait()


class _Client:
    """Reads what a client of PostgreSQL sends, as its protocol frames it."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._prepared: dict[bytes, str] = {}
        self._started = False

    async def next_request(self) -> Request | None:
        """All up to where it waits for an answer; None when it has left."""
        message, sql = b"", None
        try:
            while True:
                kind, body, frame = await self._frame()
                message += frame
                match kind:
                    case b"P":
                        name, text, _ = body.split(b"\x00", 2)
                        self._prepared[name] = text.decode()
                    case b"B":
                        sql = self._prepared[body.split(b"\x00", 2)[1]]
                    case b"Q":
                        sql = body[:-1].decode()
                    case _:
                        pass
                if kind not in (b"P", b"D", b"B", b"E", b"C"):
                    return Request(message, sql)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    async def _frame(self) -> tuple[bytes, bytes, bytes]:
        # The first message of a connection has no kind.
        kind = await self._reader.readexactly(1) if self._started else b""
        self._started = True
        length = await self._reader.readexactly(4)
        body = await self._reader.readexactly(int.from_bytes(length) - 4)
        return kind, body, kind + length + body


def _error(how: How, in_place_of: str) -> bytes:
    """A request that the server answers with an error; its transaction is left as by an error of the other request."""
    # A COMMIT that fails ends its transaction; any other statement leaves it to be rolled back.
    ending = "ROLLBACK; " if in_place_of.startswith("COMMIT") else ""
    told = f"MESSAGE = '{SECRET}', DETAIL = 'Failing row contains ({SECRET}).', ERRCODE = '{how.value}'"
    sql = f"{ending}DO $$ BEGIN RAISE EXCEPTION USING {told}; END $$".encode() + b"\x00"
    return b"Q" + (len(sql) + 4).to_bytes(4) + sql


@asynccontextmanager
async def failing_way(dsn: str) -> AsyncIterator[tuple[FailingWay, str]]:
    """A way to the server of `dsn` on which statements can fail, and the address of the same database over it."""
    way = FailingWay(socket_of(dsn))
    async with behind(way, dsn) as address:
        yield way, address


async def everything_stored(dsn: str) -> dict[str, tuple[int, str]]:
    """Of each table of a database, jobs and client keys among them, how many rows it has and a digest of them."""
    return await stored(dsn)
