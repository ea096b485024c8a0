"""PgQueuer as this program uses it: the names of its tables, and what it may keep of a failure."""

from datetime import timedelta

from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.models import Job, TableChangedEvent, TracebackRecord, utc_now
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import JOB_STATUS, Channel
from pgqueuer.ports.driver import Driver

NAMES = DBSettings(
    # All of them: one that is left out is read from the environment, also under bare names like CHANNEL or FUNCTION.
    prefix="",
    db_schema=None,
    channel=Channel("ch_pgqueuer"),
    function="fn_pgqueuer_changed",
    statistics_table="pgqueuer_statistics",
    queue_status_type="pgqueuer_status",
    queue_table="pgqueuer",
    queue_table_log="pgqueuer_log",
    trigger="tg_pgqueuer_changed",
    schedules_table="pgqueuer_schedules",
    durability=Durability.durable,
    widen_id=True,
)
"""What the migration made."""


class JobQueries(Queries):
    """PgQueuer's statements, without the tracebacks it would keep: an exception may quote what people wrote."""

    def __init__(self, driver: Driver) -> None:
        super().__init__(driver, QueryBuilderEnvironment(NAMES), QueryQueueBuilder(NAMES), QuerySchedulerBuilder(NAMES))

    async def log_jobs(self, job_status: list[tuple[Job, JOB_STATUS, TracebackRecord | None]]) -> None:
        """Note how jobs ended, and take them out of the queue."""
        await super().log_jobs([(job, status, None) for job, status, _ in job_status])

    async def retry_job(self, job: Job, delay: timedelta, traceback_record: TracebackRecord | None) -> None:  # noqa: ARG002
        """Put a job back into the queue, and tell all processes of it when it may run at once."""
        await super().retry_job(job, delay, None)
        if delay <= timedelta(0):
            await self.driver.notify(NAMES.channel, self._changed())

    @staticmethod
    def _changed() -> str:
        # PgQueuer 1.6's trigger notifies of new and of finished jobs only: this one would wait for the next poll.
        return TableChangedEvent(
            channel=NAMES.channel,
            operation="update",
            sent_at=utc_now(),
            table=NAMES.queue_table,
            type="table_changed_event",
        ).model_dump_json()
