"""Runs jobs and what is due by the calendar, beside the workers of other processes."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

import structlog
from pgqueuer.core.qm import QueueManager
from pgqueuer.core.sm import SchedulerManager
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job, Schedule

from app.core.actor import CorrelationId
from app.core.ids import new_id
from app.core.logging import correlate, current_correlation
from app.db.database import Database
from app.db.listening import Listener
from app.jobs.driver import PoolDriver
from app.jobs.library import NAMES, JobQueries
from app.jobs.purge import forget_old_log
from app.jobs.values import Chore, GiveBack, Handler, JobDropped, JobKind, JobSettings
from app.telemetry.meters import JOB_DURATION, JOBS
from app.telemetry.spans import CURRENT, OFF, TRACING, Span

MOST_PER_PICK = 10
"""Jobs that one statement takes: more would wait here for their turn while another process is idle."""

LONGEST_PAUSE_SECONDS = 60.0
"""Before a job that failed is run again."""

PURGE_AT = "17 3 * * *"
"""When the log of jobs is purged, in UTC: at an odd minute, as few other things are."""

log = structlog.get_logger("colloquy.jobs")


class JobWorker:
    """Takes jobs until it is stopped; nothing that a handler or the database does ends it.

    Each job runs at least once. It runs a second time when this process died, was too busy to renew its lease or lost
    the database for longer than the lease: handlers must bear that.
    """

    def __init__(self, database: Database, listener: Listener, settings: JobSettings | None = None) -> None:
        self._database = database
        self._listener = listener
        self._settings = settings or JobSettings()
        self._handlers: dict[JobKind, Handler] = {}
        self._chores: list[tuple[JobKind, str, Chore]] = []
        self._managers: list[QueueManager | SchedulerManager] = []
        self._drivers: list[PoolDriver] = []
        self._loops: list[asyncio.Task[None]] = []
        self._running: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self.schedule(JobKind("purge-job-log"), PURGE_AT, lambda: forget_old_log(database))

    def handle(self, kind: JobKind, handler: Handler) -> None:
        """Have jobs of the kind run by `handler`; before the start. A kind nobody handles waits in the queue."""
        if kind in self._handlers:
            raise ValueError(f"jobs of the kind {kind} have a handler already")
        self._handlers[kind] = handler

    def schedule(self, kind: JobKind, cron_expression: str, chore: Chore) -> None:
        """Have `chore` run when it is due (UTC), by one of all processes; before the start.

        One that fails, or is cancelled by a stop, is not run again before it is due again. ValueError where the
        expression is none.
        """
        # Refused here, not when it is registered in earnest: that is tried again for ever.
        SchedulerManager(JobQueries(PoolDriver(self._database, self._listener))).schedule(kind, cron_expression)
        self._chores.append((kind, cron_expression, chore))

    @property
    def works(self) -> bool:
        """Whether it takes jobs: it was started, and neither stopped nor ended by a fault."""
        return bool(self._loops) and not self._stopping.is_set() and not any(loop.done() for loop in self._loops)

    async def start(self) -> None:
        """Begin to take jobs."""
        self._loops = [
            asyncio.create_task(self._for_ever(self._take_jobs), name="jobs"),
            asyncio.create_task(self._for_ever(self._keep_calendar), name="jobs-calendar"),
        ]

    async def stop(self, grace_seconds: float) -> None:
        """Take no more jobs, let running ones go on for the grace, then cancel them and put them back for others."""
        self._stopping.set()
        for manager in self._managers:
            manager.shutdown.set()
        if self._loops and not await _ended(self._loops, grace_seconds):
            for task in self._running:
                task.cancel()
            if not await _ended(self._loops, self._settings.unwind_seconds):
                await self._abandon()
        self._loops = []

    async def _abandon(self) -> None:
        """The database, or a handler that will not end, keeps us: what is not put back is taken when its lease ends."""
        for driver in self._drivers:
            driver.give_up()
        for loop in self._loops:
            loop.cancel()
        if not await _ended(self._loops, self._settings.unwind_seconds):
            log.error("jobs do not end", running=len(self._running))

    async def _for_ever(self, work: Callable[[], Awaitable[None]]) -> None:
        while not self._stopping.is_set():
            try:
                await work()
            except Exception as error:
                if self._stopping.is_set():
                    log.warning("jobs ended without the database", error=type(error).__name__)
                else:
                    log.exception("jobs are held up")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._settings.poll_seconds)

    async def _take_jobs(self) -> None:
        driver = PoolDriver(self._database, self._listener)
        manager = QueueManager(JobQueries(driver), channel=NAMES.channel)
        for kind, handler in self._handlers.items():
            manager.entrypoint(kind, accepts_context=False)(self._entrypoint(handler))
        with self._managed(manager, driver):
            await manager.run(
                dequeue_timeout=timedelta(seconds=self._settings.poll_seconds),
                batch_size=max(1, min(MOST_PER_PICK, self._settings.most_at_once // 2)),
                max_concurrent_tasks=self._settings.most_at_once,
                heartbeat_timeout=timedelta(seconds=self._settings.lease_seconds),
                # It would write every row of the log a second time, for statistics that nobody reads.
                log_aggregation_interval=timedelta(0),
            )

    async def _keep_calendar(self) -> None:
        driver = PoolDriver(self._database, self._listener)
        manager = SchedulerManager(JobQueries(driver))
        for kind, expression, chore in self._chores:
            manager.schedule(kind, expression, accepts_context=False)(self._crontab(kind, chore))
        with self._managed(manager, driver):
            await manager.run()

    @contextmanager
    def _managed(self, manager: QueueManager | SchedulerManager, driver: PoolDriver) -> Iterator[None]:
        """While it runs, a stop reaches it."""
        self._managers.append(manager)
        self._drivers.append(driver)
        try:
            yield
        finally:
            self._managers.remove(manager)
            self._drivers.remove(driver)

    def _entrypoint(self, handler: Handler) -> Callable[[Job], Awaitable[None]]:
        async def run(job: Job) -> None:
            if self._stopping.is_set():
                raise RetryRequested
            context = _context(job_kind=job.entrypoint, job_id=job.id)
            span = _begun(job, context)
            with JOB_DURATION.labels(job.entrypoint).time():
                task = await self._finished(lambda: handler(job.payload or b""), context)
            given_back = task.cancelled() and self._stopping.is_set()
            error = asyncio.CancelledError() if task.cancelled() else task.exception()
            outcome = "given_back" if given_back else "done" if error is None else self._outcome(job, error)
            JOBS.labels(job.entrypoint, outcome).inc()
            known = {"colloquy.correlation_id": context.run(current_correlation) or ""}
            span.end(None, known, None if outcome == "done" else outcome)
            if given_back:
                raise RetryRequested
            if error is not None:
                raise context.run(self._verdict, job, error) from None

        return run

    def _crontab(self, kind: JobKind, chore: Chore) -> Callable[[Schedule], Awaitable[None]]:
        async def run(_schedule: Schedule) -> None:
            if self._stopping.is_set():
                return
            context = _context(job_kind=kind)
            with JOB_DURATION.labels(kind).time():
                task = await self._finished(chore, context)
            error = None if task.cancelled() else task.exception()
            JOBS.labels(kind, "given_back" if task.cancelled() else "failed" if error else "done").inc()
            if error is not None:
                context.run(log.error, "a chore failed", exc_info=error)

        return run

    async def _finished(self, work: Chore, context: contextvars.Context) -> asyncio.Task[None]:
        """A task that has done the work in that context, failed or been cancelled.

        The work has a task of its own to be cancelled: PgQueuer 1.6 takes a job whose task is cancelled for done.
        """

        async def run() -> None:
            await work()

        task = asyncio.create_task(run(), context=context)
        self._running.add(task)
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            # The whole program ends: let go on, for as long as it takes to put the job back.
            self._stopping.set()
            task.cancel()
            await asyncio.wait([task])
        finally:
            self._running.discard(task)
        return task

    def _outcome(self, job: Job, error: BaseException) -> str:
        """What the metrics call it."""
        if isinstance(error, GiveBack):
            return "given_back"
        return "dropped" if job.attempts + 1 >= self._settings.most_attempts else "failed"

    def _verdict(self, job: Job, error: BaseException) -> Exception:
        """What PgQueuer shall do about a job that failed, or was given back."""
        if isinstance(error, GiveBack):
            return RetryRequested(timedelta(seconds=error.delay_seconds))
        attempts = job.attempts + 1
        if attempts >= self._settings.most_attempts:
            log.error("a job failed and is dropped", attempts=attempts, exc_info=error)
            return JobDropped(f"{job.entrypoint} {job.id}")
        pause_seconds = min(LONGEST_PAUSE_SECONDS, self._settings.first_pause_seconds * 2**job.attempts)
        log.warning("a job failed", attempts=attempts, again_in_seconds=pause_seconds, exc_info=error)
        return RetryRequested(timedelta(seconds=pause_seconds))


def _context(**bound: object) -> contextvars.Context:
    """Where a job or a chore runs: what is logged of it tells which it was, also after it has ended.

    It has a correlation id of its own until it finds whose work it does (`correlate`).
    """
    context = contextvars.copy_context()
    context.run(structlog.contextvars.bind_contextvars, **bound)
    context.run(correlate, CorrelationId(str(new_id())))
    return context


def _begun(job: Job, context: contextvars.Context) -> Span:
    """The span of a job: what is done for it belongs to that, and that to what added it."""
    if TRACING.spans is None:
        return OFF
    headers = {name: str(value) for name, value in (job.headers or {}).items()}
    span = TRACING.begin(f"job {job.entrypoint}", "CONSUMER", {"colloquy.job.id": int(job.id)}, headers)
    context.run(CURRENT.set, span)
    return span


async def _ended(tasks: list[asyncio.Task[None]], seconds: float) -> bool:
    _, late = await asyncio.wait(tasks, timeout=seconds)
    return not late
