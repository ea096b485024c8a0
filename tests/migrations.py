"""The migrations there are, as their scripts say: a new one is no reason to change a test."""

from typing import Any

import asyncpg
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from app.db import migrate

EVERY_STEP = [
    f"applied {script.revision}" for script in reversed(list(ScriptDirectory(str(migrate.FOLDER)).walk_revisions()))
]
"""What is told of each when it is applied, in their order, up to the colon."""


async def with_sync(dsn: str, work: Any) -> Any:
    """What `work` returns of a connection as Alembic wants it, in a transaction."""
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda *_a, **_k: asyncpg.connect(dsn), poolclass=NullPool
    )
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()
