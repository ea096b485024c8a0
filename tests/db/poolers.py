"""PgBouncer before a database, lending one of few connections for a transaction."""

import asyncio
import shutil
import signal
import socket
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from app.db import account
from tests.conversations import PATIENCE_SECONDS
from tests.proxy import socket_of

SERVERS = 3
"""Connections to the database, for however many clients."""

_CONFIGURATION = """
[databases]
* = host={folder} port=5432 user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {servers}
max_client_conn = 200
server_lifetime = 3600
"""


class Pooler:
    """A PgBouncer that can be started anew."""

    def __init__(self, program: str, dsn: str, port: int) -> None:
        self._program = program
        self._folder = socket_of(dsn).parent
        self._configuration = self._folder / f"pgbouncer-{port}.ini"
        self._configuration.write_text(_CONFIGURATION.format(folder=self._folder, port=port, servers=SERVERS))
        self._process: Process | None = None
        self.address = f"postgresql://postgres@127.0.0.1:{port}{urlsplit(dsn).path}?sslmode=disable"

    async def start(self) -> None:
        """Return when it takes clients."""
        # It refuses to be root, as PostgreSQL does: it runs as the server does, which may enter the socket's folder.
        owner = account.owner_of(self._folder)
        self._configuration.chmod(0o644)
        command = owner.command(self._folder, "-", Path(self._program), "-q", str(self._configuration))
        self._process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await self._answers():
                assert self._process.returncode is None
                await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """End it at once, with all connections."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(self._process.wait(), PATIENCE_SECONDS)

    async def close(self) -> None:
        """Stop, and leave nothing."""
        await self.stop()
        self._configuration.unlink()

    async def _answers(self) -> bool:
        with suppress(OSError, TimeoutError, asyncpg.PostgresError):
            connection = await asyncpg.connect(self.address, timeout=5, statement_cache_size=0)
            await connection.close()
            return True
        return False


@asynccontextmanager
async def a_pooler(dsn: str) -> AsyncIterator[Pooler]:
    """A PgBouncer before the server of `dsn`; the test is skipped where there is none."""
    program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        pytest.skip("no pgbouncer here")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    pooler = Pooler(program, dsn, port)
    try:
        await pooler.start()
        yield pooler
    finally:
        await pooler.close()
