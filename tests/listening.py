"""The whole application with its background on a real port, in the test's own event loop: no process to wait for."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn

from app.asgi import create_app
from app.container import open_container
from app.core.settings import Settings
from app.graph.writing import WrittenAtOnce
from tests.conversations import PATIENCE_SECONDS, eventually

STOPPING_SECONDS = 2
"""What is still open at the end of a test is not waited for."""


@asynccontextmanager
async def listening(dsn: str, **chosen: Any) -> AsyncIterator[str]:
    """The address of a server over the database of `dsn`, which is stopped with the block."""
    settings = Settings(data_dir=Path("unused"), database_url=dsn, **chosen)
    app = create_app(settings)
    config = uvicorn.Config(
        app, http=WrittenAtOnce, log_config=None, lifespan="off", timeout_graceful_shutdown=STOPPING_SECONDS,
        ws_max_size=settings.max_body_bytes, ws_per_message_deflate=False,
    )  # fmt: skip
    server = uvicorn.Server(config)
    async with open_container(settings) as container:
        app.state.container = container
        with socket.create_server(("127.0.0.1", 0)) as listener:
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            try:
                await eventually(lambda: _started(server), True)
                yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            finally:
                server.should_exit = True
                await asyncio.wait_for(serving, PATIENCE_SECONDS)


async def _started(server: uvicorn.Server) -> bool:
    return server.started
