"""How much waits in the queue: for those who watch over the server."""

from dataclasses import dataclass

from app.db.database import Database
from app.jobs.library import NAMES

_DEPTH = f"""
SELECT count(*) FILTER (WHERE status = 'queued' AND execute_after <= now()) AS due,
       count(*) FILTER (WHERE status = 'queued' AND execute_after > now()) AS later,
       count(*) FILTER (WHERE status = 'picked') AS running,
       coalesce(extract(epoch FROM now() - min(greatest(created, execute_after)) FILTER (
           WHERE status = 'queued' AND execute_after <= now())), 0)::float8 AS oldest_seconds
FROM {NAMES.qualified.queue_table}
"""  # noqa: S608 - the name is ours


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """Jobs of all processes."""

    due: int
    later: int
    """Whose time has not come."""
    running: int
    oldest_seconds: float
    """How long the oldest of those that are due has waited; 0 where none is."""


async def queue_depth(database: Database) -> QueueDepth:
    """What is in the queue now: one pass over it, for there is little at a time. What asyncpg raises goes through."""
    [row] = await database.run_for_library(_DEPTH)
    return QueueDepth(**dict(row))
