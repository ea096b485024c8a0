"""Wake-ups: the processes tell each other which streams have grown, through PostgreSQL's NOTIFY."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol
from uuid import UUID, uuid4

import structlog
from sqlalchemy import ARRAY, Text, func, literal, select

from app.core.errors import AppError
from app.db.database import Database
from app.db.statement import Query, param

log = structlog.get_logger("colloquy.streams")

CHANNEL = "colloquy_streams"

GATHER_SECONDS = 0.01
"""Between two notifications of one process: a stream that grows in between is told of once."""

LONGEST_PAYLOAD = 7_900
"""Bytes; PostgreSQL takes less than 8,000."""

_NOTIFY = Query(
    str, select(func.pg_notify(literal(CHANNEL, Text), func.unnest(param("payloads", ARRAY(Text)))).label("sent"))
)

Heard = Callable[[UUID], None]
Missed = Callable[[], None]


class Channels(Protocol):
    """The process's connection for notifications."""

    def listen(self, channel: str, heard: Callable[[str], None], missed: Missed) -> Callable[[], None]:
        """Call `heard` with every notification, `missed` when some may have been lost; returns what ends it."""


class WakeUps:
    """One per process; `run` sends.

    A notification names the process that sent it and the ids of streams, which are unique over all kinds and tenants:
    nothing that is anybody's. It is sent outside the writing transaction, because NOTIFY makes the commits of a whole
    database wait for each other.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._origin = uuid4().hex[:12]
        self._grown: set[UUID] = set()
        self._pending = asyncio.Event()
        self._listeners: list[tuple[Heard, Missed]] = []

    def on(self, heard: Heard, missed: Missed) -> None:
        """Have `heard` called with every stream that grows, `missed` when some may have unheard."""
        self._listeners.append((heard, missed))

    def tell(self, stream_ids: Iterable[UUID]) -> None:
        """Tell this process and the others that streams have grown; what was written must be committed."""
        ids = list(stream_ids)
        self._hear(ids)
        self.tell_others(ids)

    def tell_others(self, stream_ids: Iterable[UUID]) -> None:
        """Tell the other processes alone: here it was handed over with what was written."""
        self._grown.update(stream_ids)
        self._pending.set()

    def attach(self, channels: Channels) -> Callable[[], None]:
        """Hear the other processes."""
        return channels.listen(CHANNEL, self._receive, self._missed)

    async def run(self) -> None:
        """Send what was told, gathered, until cancelled. What cannot be sent is left to the followers' own polls."""
        while True:
            await self._pending.wait()
            await self.send()
            await asyncio.sleep(GATHER_SECONDS)

    async def send(self) -> None:
        """Send what was told, at once: for a command, which runs nothing in the background."""
        self._pending.clear()
        payloads = list(self._payloads([stream_id.hex for stream_id in self._grown]))
        self._grown.clear()
        try:
            async with self._database.read() as scope:
                await scope.all(_NOTIFY, payloads=payloads)
        except AppError as error:
            log.warning("wake_up_not_sent", reason=error.message)

    def _payloads(self, names: list[str]) -> Iterator[str]:
        most = (LONGEST_PAYLOAD - len(self._origin)) // 33
        for start in range(0, len(names), most):
            yield " ".join((self._origin, *names[start : start + most]))

    def _receive(self, payload: str) -> None:
        origin, *names = payload.split(" ")
        if origin != self._origin:
            self._hear(UUID(name) for name in names)

    def _hear(self, stream_ids: Iterable[UUID]) -> None:
        for stream_id in stream_ids:
            for heard, _ in self._listeners:
                heard(stream_id)

    def _missed(self) -> None:
        for _, missed in self._listeners:
            missed()
