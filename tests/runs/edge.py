"""The whole application over a process of a test, on a real server in the test's own event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn

from app.asgi import create_app
from app.container import Container
from app.core.settings import Settings
from app.identity.service import Authenticator, OpenDoor
from tests.graph.small_schema import Running
from tests.graph.wire import PATIENCE_SECONDS, Wire, until
from tests.runs.conftest import Process


@asynccontextmanager
async def edge(process: Process, authenticator: Authenticator | None = None, **chosen: Any) -> AsyncIterator[Wire]:
    """A server of the process, stopped with the block."""
    settings = Settings(data_dir=Path("unused"), **chosen)
    app = create_app(settings)
    let_in = authenticator or OpenDoor()
    app.state.container = Container(settings, "unused", process.database, let_in, process.services)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=2))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await until(lambda: server.started)
        host = f"127.0.0.1:{listener.getsockname()[1]}"
        try:
            yield Wire(host, Running(), server, asyncio.Event(), quiet=len(asyncio.all_tasks()))
        finally:
            server.should_exit = True
            await asyncio.wait_for(serving, PATIENCE_SECONDS)
