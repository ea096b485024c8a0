"""The writer's loop."""

import asyncio

import pytest

from app.core.actor import TenantId
from app.core.ids import new_id
from app.db.database import Database
from app.runs.values import Claim, RunEntry, RunId, RunRef
from app.runs.writer import AnswerWriter, ClaimLost
from app.streams.feed import Feed
from app.streams.wakeups import WakeUps

PATIENCE_SECONDS = 20.0


def a_writer(database: Database) -> AnswerWriter:
    """A writer that nobody follows."""

    async def read(_after: object) -> dict[object, list[RunEntry]]:
        return {}

    feed: Feed[RunEntry] = Feed(read)  # type: ignore[arg-type]
    return AnswerWriter(database, feed, WakeUps(database))


@pytest.mark.parametrize("moment", range(6))
async def test_writer_ends_when_it_is_told_to_whatever_it_is_given_at_that_moment(
    database: Database, moment: int
) -> None:
    writer = a_writer(database)
    task = asyncio.create_task(writer.run())
    nobody = Claim(RunRef(TenantId("acme"), RunId(new_id())), 1)
    answer = writer.open(nobody, 0, lambda: None)
    answer.write("first")
    with pytest.raises(ClaimLost):
        await answer.flushed()

    writer.want(answer, at_once=False)
    for _ in range(3):
        await asyncio.sleep(0)
    writer.want(answer, at_once=True)
    for _ in range(moment):
        await asyncio.sleep(0)
    task.cancel()

    await asyncio.wait([task], timeout=PATIENCE_SECONDS)
    assert task.cancelled()
