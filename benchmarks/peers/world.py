"""The database that all servers share."""

from benchmarks.cluster import execute
from benchmarks.conversations import USER, filled_sessions, session_id

MESSAGES = 100
"""In each of the sessions that have some: as many as are asked of one."""

LISTED = 200
"""Sessions of USER, so that a list of fifty goes on. Those beyond the first twenty are older, and empty."""


async def fill(dsn: str) -> None:
    """Store what the questions are about, in a database that has the tables."""
    await filled_sessions(dsn, MESSAGES)
    await execute(
        dsn,
        f"UPDATE chat_sessions SET user_id = '{USER}', updated_at = updated_at - interval '1 day' "
        f"WHERE user_id <> '{USER}' AND id <= '{session_id(LISTED)}'",
        "VACUUM ANALYZE chat_sessions",
        "CHECKPOINT",
    )
