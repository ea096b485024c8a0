"""A process that hangs in the middle of a transaction does not keep others waiting for what it has locked."""

import pytest

from app.core.actor import Actor
from app.db.database import Database, PoolSettings
from app.db.errors import DatabaseUnavailable
from app.sessions.service import lock
from tests.conversations import new_session


async def test_transaction_in_which_nothing_is_asked_gives_its_locks_up(
    dsn: str, database: Database, actor: Actor
) -> None:
    session_id = await new_session(database, actor)
    stalling = await Database.connect(dsn, PoolSettings(stalled_seconds=0.2))

    async def stall() -> None:
        async with stalling.unit_of_work() as stalled:
            assert await lock(stalled, actor, session_id) is not None
            async with database.unit_of_work() as other:
                assert await lock(other, actor, session_id) is not None

    with pytest.raises(DatabaseUnavailable):
        await stall()

    async with stalling.unit_of_work() as again:
        assert await lock(again, actor, session_id) is not None
    await stalling.close()
