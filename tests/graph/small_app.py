"""The small schema in a process of its own: `python -m tests.graph.small_app` serves it until it is told to stop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import uvicorn
from starlette.applications import Starlette

from app.asgi import graphql_routes, set_when_stopping
from app.container import Container
from app.core.settings import Settings
from app.db.database import Database
from app.identity.service import Authenticator, OpenDoor
from app.pages.playground import playground
from tests.fakes import NoDatabase
from tests.graph.small_schema import Running, small_schema


def application(assets: Path = Path("unused"), authenticator: Authenticator | None = None) -> Starlette:
    """The schema at /graphql over no database, and the playground of `assets` beside it."""
    settings, stopping = Settings(data_dir=Path("unused")), asyncio.Event()

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        with set_when_stopping(stopping):
            yield

    app = Starlette(
        routes=[*graphql_routes(small_schema(), settings, stopping), *playground(assets).routes()], lifespan=lifespan
    )
    services: dict[type, object] = {Running: Running()}
    database = cast(Database, NoDatabase())
    app.state.container = Container(settings, "unused", database, authenticator or OpenDoor(), services)
    return app


if __name__ == "__main__":
    # Without a limit of time for its end: what keeps it waiting would do so for ever.
    uvicorn.run(application(), port=0)
