"""A process that works runs, over the test's own database."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from app.container import build_services, collaborators_of
from app.core.settings import Settings
from app.db.database import Database, PoolSettings
from app.live import live
from app.runs.following import Completions
from app.runs.pipeline import RunPipeline


@dataclass(frozen=True, slots=True)
class Process:
    """What one process of the server has."""

    database: Database
    services: dict[type, Any]

    @property
    def runs(self) -> RunPipeline:
        """Asks for answers."""
        found: RunPipeline = self.services[RunPipeline]
        return found

    @property
    def completions(self) -> Completions:
        """Follows answers."""
        found: Completions = self.services[Completions]
        return found


@asynccontextmanager
async def a_process(dsn: str, **chosen: Any) -> AsyncIterator[Process]:
    """A process of the server without its edge."""
    settings = Settings(local_words_per_second=0, shutdown_seconds=1, **chosen)
    services: dict[type, Any] = dict(build_services(settings))
    async with AsyncExitStack() as stack:
        database = await Database.connect(dsn, PoolSettings())
        stack.push_async_callback(database.close)
        background = live(settings, dsn, database, collaborators_of(services))
        services.update(await stack.enter_async_context(background))
        yield Process(database, services)


@pytest.fixture
async def process(dsn: str) -> AsyncIterator[Process]:
    """A process that works runs."""
    async with a_process(dsn) as process:
        yield process
