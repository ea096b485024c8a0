"""What runs in the background of a process: it hears the other processes, feeds followers, and works jobs."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from app.core.settings import Settings, listen_address
from app.db.database import Database
from app.db.listening import Listener
from app.jobs.values import JobSettings
from app.jobs.worker import JobWorker
from app.llm.registry import Models
from app.runs.accounts import Accounts
from app.runs.following import Completions
from app.runs.loaders import read_lines
from app.runs.runner import RunRunner
from app.runs.service import RUN_JOB
from app.runs.values import RunEntry
from app.runs.writer import AnswerWriter
from app.streams.feed import Feed
from app.streams.wakeups import WakeUps


@asynccontextmanager
async def live(
    settings: Settings, dsn: str, database: Database, models: Models, accounts: Accounts
) -> AsyncIterator[Mapping[type, object]]:
    """The services that follow what grows, while jobs are worked beside them.

    At the end no more jobs are taken, and those that run get the settings' time to end before they are given back.
    """
    wakeups = WakeUps(database)
    answers: Feed[RunEntry] = Feed(partial(read_lines, database))
    writer = AnswerWriter(database, answers, wakeups)
    runner = RunRunner(database, models, accounts, writer)
    wakeups.on(answers.heard, answers.missed)
    wakeups.on(runner.heard, lambda: None)
    database.announce_to(wakeups.tell)
    async with Listener(listen_address(settings, dsn), settings.connect_timeout_seconds) as listener:
        wakeups.attach(listener)
        async with _running(wakeups.run(), answers.run(), writer.run()):
            async with _working(settings, dsn, database, listener, runner):
                yield {Completions: Completions(database, answers)}


@asynccontextmanager
async def _working(
    settings: Settings, dsn: str, database: Database, listener: Listener, runner: RunRunner
) -> AsyncIterator[None]:
    """Jobs are worked while the block runs."""
    # A pool of its own: requests that crowd the other cannot keep a process from saying that it lives.
    queue = await Database.connect(dsn, replace(PoolSettings.of(settings), size=QUEUE_CONNECTIONS))
    try:
        worker = JobWorker(queue, listener, JobSettings.of(settings))
        worker.handle(RUN_JOB, runner.work)
        upkeep = Upkeep(database, settings)
        worker.schedule(JobKind("upkeep-runs"), EVERY_MINUTE, upkeep.runs)
        worker.schedule(JobKind("upkeep-daily"), AT_NIGHT, upkeep.daily)
        await worker.start()
        try:
            yield
        finally:
            await worker.stop(settings.shutdown_seconds)
    finally:
        await queue.close()


@asynccontextmanager
async def _running(*loops: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Loops that never end by themselves, while the block runs; what ends one of them is raised at the end."""
    tasks = [asyncio.create_task(loop) for loop in loops]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception):
                raise end
