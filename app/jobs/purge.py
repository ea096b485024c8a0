"""Keeps PgQueuer's log of jobs from growing for ever."""

from datetime import timedelta

from app.db.database import Database
from app.jobs.library import NAMES

KEPT = timedelta(days=7)
"""Long enough to ask after a weekend what happened to a job; each leaves three rows or more."""

ROWS_AT_ONCE = 10_000
"""Well below the time limit of a statement, and no lock is held for long."""

_LOG = NAMES.qualified.queue_table_log
_FORGET = f"""
WITH old AS (SELECT id FROM {_LOG} WHERE created < now() - $1::interval ORDER BY created LIMIT $2::bigint),
     gone AS (DELETE FROM {_LOG} USING old WHERE {_LOG}.id = old.id RETURNING 1)
SELECT count(*) AS gone FROM gone
"""  # noqa: S608 - the name is ours


async def forget_old_log(database: Database, kept: timedelta = KEPT) -> None:
    """Delete what the log says of jobs longer ago than `kept`."""
    while True:
        [row] = await database.run_for_library(_FORGET, kept, ROWS_AT_ONCE)
        if row["gone"] < ROWS_AT_ONCE:
            return
