"""A port of its own for the health and the metrics of one process."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from app.core.settings import Settings, SettingsError
from app.probes.answers import Probes

PORTS_TRIED = 64
"""From the one of the settings on: as many processes of one machine can have the same setting."""

CLOSING_SECONDS = 2.0
"""How long an answer under way may delay the end of the process."""

log = structlog.get_logger("colloquy.probes")


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """They are the process's, which has more to end than this server."""
        yield


@asynccontextmanager
async def watched(settings: Settings, probes: Probes) -> AsyncIterator[int | None]:
    """The probes on a port of their own while the block runs, and its number; None where the settings want none.

    SettingsError where none of the ports is free.
    """
    if not settings.metrics_port:
        yield None
        return
    # As for the server itself: whose doors are open lets no page elsewhere give it a name.
    guard = Middleware(TrustedHostMiddleware, allowed_hosts=settings.host_names, www_redirect=False)
    app = Starlette(routes=probes.routes(), middleware=[guard])
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, lifespan="off", ws="none",
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = _Server(config)
    with _free_port(settings.host, settings.metrics_port) as listener:
        port: int = listener.getsockname()[1]
        serving = asyncio.create_task(server.serve(sockets=[listener]), name="probes")
        log.info("probes listen", port=port)
        try:
            yield port
        finally:
            server.should_exit = True
            await asyncio.wait([serving], timeout=CLOSING_SECONDS)
            serving.cancel()


def _free_port(host: str, first: int) -> socket.socket:
    """The first that no other process has: those of one `serve --workers` have the same settings."""
    family, _, _, _, address = socket.getaddrinfo(host, first, type=socket.SOCK_STREAM)[0]
    for port in range(first, min(first + PORTS_TRIED, 65_536)):
        try:
            return socket.create_server((address[0], port), family=family)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                break
    raise SettingsError(f"cannot listen on port {first} of {host}, nor on those behind it: set COLLOQUY_METRICS_PORT")
