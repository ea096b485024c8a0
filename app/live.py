"""What runs in the background of a process: it hears the other processes, feeds followers, and works jobs."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from app.budgets.service import forget_old_periods
from app.core.settings import Settings, direct_address
from app.db.database import Database, PoolSettings
from app.db.listening import Listener
from app.events.following import HappenedEvents
from app.events.loaders import read_events
from app.events.models import Event
from app.idempotency.service import forget_old_keys
from app.identity.keyring import Keyring
from app.jobs.values import JobKind, JobSettings
from app.jobs.worker import JobWorker
from app.llm.registry import Models
from app.messages.pipeline import MessagePipeline
from app.runs import upkeep
from app.runs.following import Completions
from app.runs.loaders import read_lines
from app.runs.runner import RunRunner
from app.runs.service import RUN_JOB
from app.runs.turns import Turns
from app.runs.values import RunEntry
from app.runs.writer import AnswerWriter
from app.statistics.service import StatisticsCache
from app.streams.feed import Feed
from app.streams.wakeups import WakeUps
from app.toolbox.runner import ToolRunner
from app.toolbox.service import TOOL_JOB, Toolbox
from app.tools import upkeep as tool_upkeep
from app.tools.following import Approvals
from app.tools.pipeline import ToolPipeline
from app.workflow import upkeep as workflow_upkeep
from app.workflow.following import PendingReviews
from app.workflow.generation import RUN_ENDED
from app.workflow.pipeline import ADVANCE, CALL_OFF, WorkflowPipeline
from app.workflow.runner import StageRunner

QUEUE_CONNECTIONS = 3
"""For jobs, in a pool of their own: requests that crowd the other cannot keep a process from saying that it lives."""

EVERY_MINUTE = "* * * * *"
EVERY_TEN_MINUTES = "*/10 * * * *"
AT_NIGHT = "23 3 * * *"
"""In UTC, at an odd minute, as few other things are."""


@dataclass(frozen=True, slots=True)
class Collaborators:
    """What the background needs of the process's services."""

    models: Models
    messages: MessagePipeline
    statistics: StatisticsCache
    turns: Turns
    tools: ToolPipeline
    toolbox: Toolbox
    workflow: WorkflowPipeline


@asynccontextmanager
async def live(
    settings: Settings, dsn: str, database: Database, others: Collaborators, keyring: Keyring
) -> AsyncIterator[Mapping[type, object]]:
    """The services that follow what grows, while jobs are worked beside them, and revoked keys are heard of.

    At the end no more jobs are taken, and those that run get the settings' time to end before they are given back.
    """
    wakeups = WakeUps(database)
    answers: Feed[RunEntry] = Feed(partial(read_lines, database))
    happened: Feed[Event] = Feed(partial(read_events, database))
    approvals, reviews = Approvals(database), PendingReviews(database)
    writer = AnswerWriter(database, answers, wakeups)
    runner = RunRunner(database, others.models, others.turns, writer)
    tools = ToolRunner(database, others.tools, others.toolbox)
    stages = StageRunner(database, others.workflow)
    wakeups.on(answers.heard, answers.missed)
    wakeups.on(happened.heard, happened.missed)
    wakeups.on(approvals.heard, approvals.missed)
    wakeups.on(reviews.heard, reviews.missed)
    wakeups.on(runner.heard, lambda: None)
    wakeups.on(others.statistics.heard, others.statistics.missed)
    wakeups.on(keyring.heard, keyring.missed)
    database.announce_to(wakeups.tell)
    queue = await Database.connect(dsn, replace(PoolSettings.of(settings), name="jobs", size=QUEUE_CONNECTIONS))
    try:
        async with (
            Listener(direct_address(settings, dsn), settings.connect_timeout_seconds) as listener,
            _running(
                wakeups.run(),
                answers.run(),
                happened.run(),
                approvals.run(),
                reviews.run(),
                writer.run(),
                keyring.run(),
            ),
        ):
            wakeups.attach(listener)
            worker = JobWorker(queue, listener, JobSettings.of(settings))
            worker.handle(RUN_JOB, runner.work)
            worker.handle(TOOL_JOB, tools.work)
            worker.handle(RUN_ENDED, stages.run_ended)
            worker.handle(ADVANCE, stages.advance)
            worker.handle(CALL_OFF, stages.call_off)
            _keep_calendar(worker, settings, database, others)
            worker.schedule(JobKind("remind-stages"), EVERY_MINUTE, lambda: workflow_upkeep.remind(database, stages))
            await worker.start()
            try:
                yield {
                    Listener: listener,
                    JobWorker: worker,
                    Completions: Completions(database, answers),
                    HappenedEvents: HappenedEvents(database, happened),
                    Approvals: approvals,
                    PendingReviews: reviews,
                }
            finally:
                await worker.stop(settings.shutdown_seconds)
    finally:
        await queue.close()


def _keep_calendar(worker: JobWorker, settings: Settings, database: Database, others: Collaborators) -> None:
    kept, abandoned = (
        timedelta(seconds=settings.compact_after_seconds),
        timedelta(seconds=settings.abandon_after_seconds),
    )
    worker.schedule(JobKind("remind-runs"), EVERY_MINUTE, lambda: upkeep.remind(database, others.turns))
    worker.schedule(JobKind("compact-runs"), EVERY_MINUTE, lambda: upkeep.compact(database, kept))
    worker.schedule(
        JobKind("abandon-messages"), EVERY_TEN_MINUTES, lambda: upkeep.abandon(database, others.messages, abandoned)
    )
    worker.schedule(JobKind("expire-approvals"), EVERY_MINUTE, lambda: tool_upkeep.expire(database, others.tools))
    worker.schedule(JobKind("forget-client-keys"), AT_NIGHT, lambda: forget_old_keys(database))
    worker.schedule(JobKind("forget-budget-periods"), AT_NIGHT, lambda: forget_old_periods(database))


@asynccontextmanager
async def _running(*loops: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Loops that never end by themselves, while the block runs; what ends one of them is raised at the end."""
    tasks = [asyncio.create_task(loop) for loop in loops]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for end in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(end, Exception):
                raise end
