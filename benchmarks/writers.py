"""The pipeline itself under load: writers of this process, without GraphQL and HTTP."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from time import perf_counter

from app.container import build_services
from app.core.settings import Settings
from app.db.database import Database
from app.llm.tokens import warm_up
from app.messages.pipeline import MessagePipeline
from benchmarks.conversations import ACTOR, SESSIONS, draft, spoken


def production_pipeline() -> MessagePipeline:
    """The pipeline as the server builds it."""
    warm_up()
    found = build_services(Settings())[MessagePipeline]
    assert isinstance(found, MessagePipeline)
    return found


@asynccontextmanager
async def connected(dsn: str, connections: int) -> AsyncIterator[Database]:
    """The database with so many connections open, on which nothing has been prepared yet."""
    database = await Database.connect(dsn)
    try:
        async with AsyncExitStack() as stack:
            await asyncio.gather(
                *(stack.enter_async_context(database.unit_of_work()) for _ in range(connections)),
            )
        yield database
    finally:
        await database.close()


async def appends_per_second(
    pipeline: MessagePipeline, database: Database, *, writers: int, seconds: float, sessions: int = SESSIONS
) -> float:
    """How many messages the writers store, each one after the other, into sessions chosen by chance."""
    contents = spoken(64)
    started = perf_counter()
    ends = started + seconds

    async def write(number: int) -> int:
        chance = random.Random(number)
        stored = 0
        while perf_counter() < ends:
            await pipeline.persist(
                database, ACTOR, draft(chance.randint(1, sessions), contents[stored % len(contents)]), None
            )
            stored += 1
        return stored

    stored = sum(await asyncio.gather(*(write(number) for number in range(writers))))
    return stored / (perf_counter() - started)
