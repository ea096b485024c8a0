"""A process that works runs, over the test's own database."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

import pytest

from app.container import build_services, collaborators_of
from app.core.actor import Actor
from app.core.settings import Settings
from app.db.database import Database, PoolSettings
from app.db.scopes import StatementLog
from app.events.following import HappenedEvents
from app.identity.keyring import Keyring
from app.identity.values import KeyDigests
from app.live import live
from app.llm.registry import Models
from app.runs.following import Completions
from app.runs.pipeline import RunPipeline
from app.runs.turns import Turns
from app.sessions.values import SessionId
from tests.conversations import new_session
from tests.llm.provider_servers import ProviderServer


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

    @property
    def happened(self) -> HappenedEvents:
        """Follows sessions."""
        found: HappenedEvents = self.services[HappenedEvents]
        return found


@asynccontextmanager
async def a_process(
    dsn: str, *, clock: Callable[[], float] = monotonic, log: StatementLog | None = None, **chosen: Any
) -> AsyncIterator[Process]:
    """A process of the server without its edge; `clock` is that of the circuit breakers, `log` sees its statements."""
    settings = Settings(**{"local_words_per_second": 0, "shutdown_seconds": 1, **chosen})
    services: dict[type, Any] = dict(build_services(settings))
    models = Models.of(settings, clock)
    services |= {Models: models, RunPipeline: replace(services[RunPipeline], models=models)}
    async with AsyncExitStack() as stack:
        stack.push_async_callback(models.close)
        database = await Database.connect(dsn, PoolSettings.of(settings), log)
        stack.push_async_callback(database.close)
        services[Keyring] = Keyring(database, KeyDigests.of(settings))
        background = live(settings, dsn, database, collaborators_of(services), services[Keyring])
        services.update(await stack.enter_async_context(background))
        yield Process(database, services)


@asynccontextmanager
async def a_process_asking(dsn: str, server: ProviderServer, **chosen: Any) -> AsyncIterator[Process]:
    """A process whose `compatible:` models are on a scripted server."""
    chosen = {"compatible_base_url": f"{server.url}/v1", "model_attempts": 1, **chosen}
    async with a_process(dsn, **chosen) as process:
        yield process


@pytest.fixture
async def process(dsn: str) -> AsyncIterator[Process]:
    """A process that works runs."""
    async with a_process(dsn) as process:
        yield process


@pytest.fixture
def server() -> Iterator[ProviderServer]:
    """A provider that answers by script."""
    with ProviderServer() as started:
        yield started


@pytest.fixture
async def asking(dsn: str, server: ProviderServer) -> AsyncIterator[Process]:
    """A process whose `compatible:` models are on the scripted server."""
    async with a_process_asking(dsn, server) as process:
        yield process


@pytest.fixture
def runs(services: Any) -> RunPipeline:
    """Asks for answers that nobody works."""
    found: RunPipeline = services[RunPipeline]
    return found


@pytest.fixture
def turns(services: Any) -> Turns:
    """Takes runs from one turn to the next."""
    found: Turns = services[Turns]
    return found


@pytest.fixture
async def session_id(database: Database, actor: Actor) -> SessionId:
    """A session of the actor without messages."""
    return await new_session(database, actor)


@pytest.fixture(scope="session", autouse=True)
def libraries() -> None:
    """Imported before runs with short patience ask for them: importing takes seconds."""
    import app.llm.adapters.clients  # noqa: F401
