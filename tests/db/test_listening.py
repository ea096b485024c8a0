"""The listening connection: it hears, comes back by itself, says when it may have missed something, and ends."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.core.settings import Settings, direct_address
from app.db.listening import Listener
from tests.conftest import execute
from tests.conversations import PATIENCE_SECONDS, eventually, rows, value
from tests.db.clusters import Open
from tests.proxy import proxy_to

OURS = "FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'colloquy-listener'"


class Ear:
    """Notes what it hears, and when something may have been missed."""

    def __init__(self) -> None:
        self.said: asyncio.Queue[str] = asyncio.Queue()

    def heard(self, payload: str) -> None:
        self.said.put_nowait(payload)

    def missed(self) -> None:
        self.said.put_nowait("(missed)")

    async def next(self) -> str:
        return await asyncio.wait_for(self.said.get(), PATIENCE_SECONDS)


async def say(dsn: str, payload: str, channel: str = "news") -> None:
    await execute(dsn, f"SELECT pg_notify('{channel}', '{payload}')")


@pytest.fixture
async def listener(dsn: str) -> AsyncIterator[Listener]:
    async with Listener(dsn) as opened:
        yield opened


async def hearing(listener: Listener, channel: str = "news") -> Ear:
    """An ear whose channel is listened to."""
    ear = Ear()
    listener.listen(channel, ear.heard, ear.missed)
    assert await ear.next() == "(missed)"
    return ear


async def lost(listener: Listener) -> None:
    """Return when it knows that its connection is gone."""

    async def connected() -> bool:
        return listener.connected

    await eventually(connected, False)


async def test_notifications_are_heard_in_order_by_those_who_listen_to_their_channel(
    dsn: str, listener: Listener
) -> None:
    news, others = await hearing(listener), await hearing(listener, "Other-Channel")

    for payload in ("one", "two"):
        await say(dsn, payload)
    await say(dsn, "three", "Other-Channel")

    assert [await news.next(), await news.next(), await others.next()] == ["one", "two", "three"]
    assert news.said.empty()
    assert listener.connected


async def test_channel_may_be_listened_to_before_the_start(dsn: str) -> None:
    listener, ear = Listener(dsn), Ear()
    listener.listen("news", ear.heard, ear.missed)
    assert not listener.connected

    async with listener:
        assert await ear.next() == "(missed)"
        await say(dsn, "one")
        assert await ear.next() == "one"

    assert not listener.connected


async def test_one_channel_has_many_listeners_of_which_each_may_leave(dsn: str, listener: Listener) -> None:
    first, second = await hearing(listener), Ear()
    unlisten = listener.listen("news", second.heard, second.missed)

    await say(dsn, "one")
    assert [await first.next(), await second.next()] == ["one", "one"]
    unlisten()
    unlisten()
    await say(dsn, "two")

    assert await first.next() == "two"
    assert second.said.empty()


async def test_channel_that_everybody_left_can_be_listened_to_again(dsn: str, listener: Listener) -> None:
    ear = Ear()
    unlisten = listener.listen("news", ear.heard, ear.missed)
    assert await ear.next() == "(missed)"
    unlisten()
    other = await hearing(listener, "other")
    await say(dsn, "one")
    await say(dsn, "two", "other")
    assert await other.next() == "two"

    again = await hearing(listener)
    await say(dsn, "three")

    assert await again.next() == "three"
    assert ear.said.empty()


async def test_callback_that_fails_stops_nobody(dsn: str, listener: Listener) -> None:
    def fail(*_: str) -> None:
        raise LookupError

    listener.listen("news", fail, fail)
    ear = await hearing(listener)

    await say(dsn, "one")
    await say(dsn, "two")

    assert [await ear.next(), await ear.next()] == ["one", "two"]


async def test_ended_backend_is_replaced_and_everybody_told(dsn: str, listener: Listener) -> None:
    ears = [await hearing(listener, channel) for channel in ("news", "sport")]

    for _ in range(3):
        assert len(await rows(dsn, f"SELECT pg_terminate_backend(pid, 5000) {OURS}")) == 1
        assert [await ear.next() for ear in ears] == ["(missed)", "(missed)"]
        assert listener.connected

    await say(dsn, "one")
    await say(dsn, "two", "sport")
    assert [await ear.next() for ear in ears] == ["one", "two"]
    assert await value(dsn, f"SELECT count(*) {OURS}") == 1


async def test_cut_connection_is_replaced_once_the_server_lets_in_again(dsn: str) -> None:
    async with proxy_to(dsn) as (proxy, address), Listener(address) as listener:
        ear = await hearing(listener)
        proxy.refusing = True

        proxy.cut_all()
        await lost(listener)
        late = Ear()
        listener.listen("sport", late.heard, late.missed)
        await say(dsn, "lost")
        proxy.refusing = False

        assert [await ear.next(), await late.next()] == ["(missed)", "(missed)"]
        await say(dsn, "one")
        await say(dsn, "two", "sport")
        assert [await ear.next(), await late.next()] == ["one", "two"]


async def test_server_that_fell_silent_is_left(dsn: str) -> None:
    async with Listener(dsn, keep_alive_seconds=0.2) as listener:
        ear = await hearing(listener)
        pid = await value(dsn, f"SELECT pid {OURS}")
        os.kill(pid, signal.SIGSTOP)
        try:
            assert await ear.next() == "(missed)"

            await say(dsn, "one")
            assert await ear.next() == "one"
        finally:
            os.kill(pid, signal.SIGCONT)


async def test_restarted_server_is_found_again(root: Path, use: Open) -> None:
    server = use(root)
    address = await asyncio.to_thread(server.start)
    async with Listener(address) as listener:
        ear = await hearing(listener)

        await asyncio.to_thread(server.stop)
        await lost(listener)
        await asyncio.to_thread(server.start)

        assert await ear.next() == "(missed)"
        await say(address, "one")
        assert await ear.next() == "one"


async def test_closing_leaves_neither_task_nor_connection(dsn: str) -> None:
    before = asyncio.all_tasks()
    listener = Listener(dsn)
    await listener.start()
    await listener.start()
    ear = await hearing(listener)

    await listener.close()
    await listener.close()

    assert asyncio.all_tasks() == before
    await eventually(lambda: value(dsn, f"SELECT count(*) {OURS}"), 0)
    await say(dsn, "unheard")
    assert ear.said.empty()


async def test_closing_ends_the_search_for_a_server(tmp_path: Path) -> None:
    before = asyncio.all_tasks()
    listener = Listener(f"postgresql://postgres@/none?host={tmp_path}")
    await listener.start()
    await asyncio.sleep(0.1)

    await listener.close()

    assert asyncio.all_tasks() == before


def test_address_past_a_pooler_is_preferred() -> None:
    direct = "postgresql://colloquy@direct:5432/colloquy"

    assert direct_address(Settings(), "postgresql://pooler/colloquy") == "postgresql://pooler/colloquy"
    assert direct_address(Settings(listen_url=direct), "postgresql://pooler/colloquy") == direct
