"""How much of a file is in memory while it is imported."""

import asyncio
from pathlib import Path

from app.core.actor import CorrelationId, TenantId, UserId
from app.db.database import Database
from app.exchange.files.room import Room
from app.exchange.files.sources import parts_of
from app.exchange.formats.names import ImportFormat
from app.exchange.runner import import_parts
from app.exchange.values import Ownership, Stored
from app.messages.pipeline import MessagePipeline
from tests.exchange.conversations import says, written


async def test_who_comes_waits_until_there_is_room_and_what_is_too_large_goes_alone() -> None:
    room = Room(10)
    order: list[str] = []

    async def hold(name: str, size: int) -> None:
        await room.take(size)
        order.append(name)

    await hold("six", 6)
    four = asyncio.create_task(hold("four", 4))
    await four
    huge = asyncio.create_task(hold("huge", 99))
    for given_back in (6, 4):
        await asyncio.sleep(0)
        assert order == ["six", "four"]
        room.give_back(given_back)
    await huge
    one = asyncio.create_task(hold("one", 1))
    await asyncio.sleep(0)
    assert not one.done()
    room.give_back(99)
    await one

    assert order == ["six", "four", "huge", "one"]


async def test_conversations_that_have_room_for_one_alone_are_all_stored(
    database: Database, pipeline: MessagePipeline, tmp_path: Path
) -> None:
    file = written(tmp_path, [{"messages": [says("user", f"hello {number}")]} for number in range(20)])
    owners = Ownership(TenantId("default"), UserId("alice"), None, CorrelationId("import"))

    totals = await import_parts(database, pipeline, parts_of([file], ImportFormat.OPENAI_JSONL), owners, most_bytes=1)

    assert (totals.conversations, totals.refused) == (Stored(20), 0)
