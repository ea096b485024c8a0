"""A PostgreSQL of the benchmarks' own, with the settings of production."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg

from app.db import migrate
from app.db.embedded import EmbeddedPostgres
from benchmarks.machine import children_of, cpu_seconds


class Cluster:
    """A running server, and databases on it."""

    def __init__(self, dsn: str, folder: Path, bin_folder: Path) -> None:
        self._dsn = dsn
        self.folder = folder
        self.bin_folder = bin_folder

    def client_options(self, dsn: str) -> list[str]:
        """The options by which PostgreSQL's own programs find the server, and at the end the database."""
        where = urlsplit(dsn)
        asked = parse_qs(where.query)
        return ["-h", asked["host"][0], "-p", asked["port"][0], "-U", where.username or "postgres", where.path[1:]]

    @asynccontextmanager
    async def database(self, name: str) -> AsyncIterator[str]:
        """The address of a new database with all tables; it is dropped at the end."""
        await execute(self._dsn, f"CREATE DATABASE {name}")
        dsn = self._dsn.replace("/postgres?", f"/{name}?")
        try:
            await migrate.upgrade(dsn)
            yield dsn
        finally:
            await execute(self._dsn, f"DROP DATABASE {name} WITH (FORCE)")

    def cpu_seconds(self) -> float:
        """What all processes of the server, the ended ones too, have taken of the processors so far."""
        first = int((self.folder / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
        return cpu_seconds(first, ended_children=True) + sum(cpu_seconds(pid) for pid in children_of(first))

    async def version(self) -> str:
        """PostgreSQL's version."""
        connection = await asyncpg.connect(self._dsn)
        try:
            return str(await connection.fetchval("SHOW server_version"))
        finally:
            await connection.close()


@asynccontextmanager
async def open_cluster() -> AsyncIterator[Cluster]:
    """A new cluster in a temporary folder, with fsync on; stopped and removed at the end."""
    with tempfile.TemporaryDirectory(prefix="colloquy-bench-") as made:
        folder = Path(made)
        # The server may run as another user, who must be able to enter.
        folder.chmod(0o711)  # noqa: ASYNC240 - nothing else runs yet
        server = EmbeddedPostgres(folder / "postgres")
        dsn = await asyncio.to_thread(server.start)
        try:
            yield Cluster(dsn, folder, server.bin_folder)
        finally:
            await asyncio.to_thread(server.stop)


async def execute(dsn: str, *statements: str) -> None:
    """Run statements on a connection of their own."""
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
