"""Processes tell each other what grew, over real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import asyncpg

from app.db.database import Database, PoolSettings
from app.db.listening import Listener
from app.streams.wakeups import CHANNEL, WakeUps
from tests.conftest import execute
from tests.conversations import eventually

LONGEST_NOTIFICATION = 8_000
"""Bytes, of PostgreSQL."""


@dataclass
class Ears:
    """A process that hears, and what it has heard."""

    wakeups: WakeUps
    heard: list[UUID] = field(default_factory=list)
    missed: int = 0

    def on_missed(self) -> None:
        """Something may not have been heard."""
        self.missed += 1

    async def has_heard(self, streams: set[UUID]) -> None:
        """Return once these were heard, and nothing else was."""

        async def heard() -> set[UUID]:
            return set(self.heard)

        await eventually(heard, streams)

    async def has_missed(self, times: int) -> None:
        """Return once it was told so often that it may have missed something."""

        async def missed() -> int:
            return self.missed

        await eventually(missed, times)


@asynccontextmanager
async def ears(dsn: str) -> AsyncIterator[Ears]:
    """A process of its own, which listens when this begins."""
    async with AsyncExitStack() as stack:
        database = await Database.connect(dsn, PoolSettings())
        stack.push_async_callback(database.close)
        found = Ears(WakeUps(database))
        found.wakeups.on(found.heard.append, found.on_missed)
        found.wakeups.attach(await stack.enter_async_context(Listener(dsn)))
        sending = asyncio.create_task(found.wakeups.run())
        await found.has_missed(1)
        yield found
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending


@asynccontextmanager
async def tapped(dsn: str) -> AsyncIterator[list[str]]:
    """What is sent on the channel, as it is sent."""
    sent: list[str] = []
    connection = await asyncpg.connect(dsn)
    await connection.add_listener(CHANNEL, lambda *notification: sent.append(notification[3]))
    yield sent
    await connection.close()


async def test_others_hear_what_grew_and_the_teller_hears_it_once(dsn: str) -> None:
    first, second = uuid4(), uuid4()
    async with ears(dsn) as teller, ears(dsn) as other:
        teller.wakeups.tell([first])
        await other.has_heard({first})
        # Notifications come in the order of their commits: by now the teller would have heard its own.
        other.wakeups.tell([second])
        await teller.has_heard({first, second})

    assert teller.heard == [first, second]
    assert other.heard == [first, second]


async def test_what_was_handed_over_here_is_told_to_the_others_alone(dsn: str) -> None:
    here, back = uuid4(), uuid4()
    async with ears(dsn) as teller, ears(dsn) as other:
        teller.wakeups.tell_others([here])
        await other.has_heard({here})
        other.wakeups.tell([back])
        await teller.has_heard({back})

    assert other.heard == [here, back]


async def test_many_streams_are_told_of_in_few_notifications_that_postgresql_takes(dsn: str) -> None:
    streams = {uuid4() for _ in range(1_000)}
    async with ears(dsn) as teller, ears(dsn) as other, tapped(dsn) as sent:
        teller.wakeups.tell_others(streams)
        await other.has_heard(streams)
        await eventually(lambda: asyncio.sleep(0, len(sent)), 5)

    assert max(len(payload.encode()) for payload in sent) < LONGEST_NOTIFICATION
    assert len(other.heard) == len(streams)


async def test_stream_that_grows_again_at_once_is_told_of_once(dsn: str) -> None:
    busy, last = uuid4(), uuid4()
    async with ears(dsn) as teller, ears(dsn) as other, tapped(dsn) as sent:
        for _ in range(500):
            teller.wakeups.tell_others([busy])
        await other.has_heard({busy})
        teller.wakeups.tell_others([last])
        await other.has_heard({busy, last})

    assert other.heard == [busy, last]
    assert len(sent) == 2


async def test_lost_connection_is_told_as_missed_and_hearing_goes_on(dsn: str) -> None:
    stream = uuid4()
    async with ears(dsn) as teller, ears(dsn) as other:
        await execute(
            dsn,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND application_name = 'colloquy-listener'",
        )
        await other.has_missed(2)
        teller.wakeups.tell_others([stream])
        await other.has_heard({stream})

    assert other.heard == [stream]


async def test_sender_goes_on_after_its_connection_was_lost(dsn: str) -> None:
    before, after = uuid4(), uuid4()
    async with ears(dsn) as teller, ears(dsn) as other:
        teller.wakeups.tell_others([before])
        await other.has_heard({before})
        await execute(
            dsn,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND application_name = 'colloquy'",
        )
        teller.wakeups.tell_others([after])
        await other.has_heard({before, after})

    assert other.heard == [before, after]
