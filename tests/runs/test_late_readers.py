"""A worker that reads a question, and finds when it takes the run that this is at another turn by now."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from app.core.actor import Actor
from app.core.settings import Settings
from app.db.database import Database
from app.llm.registry import Models
from app.runs import service
from app.runs.conversation import Question
from app.runs.loaders import read_lines
from app.runs.runner import RunRunner
from app.runs.turns import Turns
from app.runs.values import RunEntry, RunRef, Wanted
from app.runs.writer import AnswerWriter
from app.sessions.values import SessionId
from app.streams.feed import Feed
from app.streams.wakeups import WakeUps
from tests.runs.conftest import Process
from tests.runs.scenes import ask, message_of, row_of
from tests.runs.turning import WEATHER, executions, report


class LateRunner(RunRunner):
    """Something happens between its reading and its taking."""

    meanwhile: Callable[[], Awaitable[object]] | None = None

    async def _question(self, ref: RunRef) -> Question | None:
        found = await super()._question(ref)
        if self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            await happens()
        return found


@pytest.fixture
async def late(database: Database, turns: Turns) -> AsyncIterator[LateRunner]:
    """A worker on its own, that takes runs when it is told to."""
    feed: Feed[RunEntry] = Feed(partial(read_lines, database))
    writer = AnswerWriter(database, feed, WakeUps(database))
    writing = asyncio.create_task(writer.run())
    yield LateRunner(database, Models.of(Settings(local_words_per_second=0)), turns, writer)
    writing.cancel()
    await asyncio.wait([writing])


async def test_worker_that_read_the_turn_before_asks_and_notes_the_turn_that_it_takes(
    late: LateRunner, database: Database, services: dict[type, Any], actor: Actor, session_id: SessionId, dsn: str
) -> None:
    process = Process(database, services)
    wanted = Wanted("local:extractive")
    run = await ask(process, actor, session_id, '/tool weather {"city": "Rome"}', wanted=wanted, tools=(WEATHER,))
    job = service.job_of(service.ref_of(run))
    await late.work(job)
    [execution] = await executions(dsn, run)

    late.meanwhile = lambda: report(process, actor, execution["id"], "It is sunny in Rome.")
    await late.work(job)

    end = await row_of(dsn, run)
    assert (end["status"], end["turns"], end["generation"]) == ("completed", 2, 2)
    assert "It is sunny in Rome." in (await message_of(dsn, run))["content"]
    assert (end["window_messages"], end["left_out_messages"]) == (3, 0)
