"""The servers that are compared: each one process over the same database, with as many connections as the others."""

import json
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from benchmarks.peers.questions import Ask, of_colloquy, of_postgraphile, of_sql, of_yoga
from benchmarks.server import Server, free_port, running, serving

SERVERS = Path(__file__).with_name("servers")
ROOT = Path(__file__).parents[2]

POOL_SIZE = "20"
"""Connections: what Colloquy has by default, and more than there are clients."""

Serve = AbstractAsyncContextManager[Server]


@dataclass(frozen=True, slots=True)
class Side:
    """One of those that are compared, running."""

    name: str
    server: Server
    ask: Ask


ANCHOR = "postgraphile"
"""The side that the ratios are against."""


class NotInstalled(Exception):
    """What npm brings is not there."""


def node() -> str:
    """The Node that npm brought, else another that is new enough: PostGraphile 5 wants 22."""
    if not (SERVERS / "node_modules" / ".inputs").exists():
        raise NotInstalled("PostGraphile and Yoga are not installed: run benchmarks/peers/servers/install.sh")
    own = [SERVERS / "node_modules" / ".bin" / "node", ROOT / "web" / ".node" / "bin" / "node"]
    found = next((str(program) for program in own if program.exists()), None) or shutil.which("node")
    if found is None:
        raise NotInstalled("there is no Node on this machine, and npm brought none for it")
    return found


def versions() -> dict[str, str]:
    """Of what npm brought, by name."""
    names = {"postgraphile": "postgraphile", "yoga": "graphql-yoga", "pg": "pg"}
    return {name: _version(SERVERS / "node_modules" / package) for name, package in names.items()}


def _version(package: Path) -> str:
    return str(json.loads((package / "package.json").read_text())["version"])


def _colloquy(executor: str, dsn: str, folder: Path) -> Serve:
    return serving(dsn, folder, COLLOQUY_EXECUTOR=executor, COLLOQUY_POOL_SIZE=POOL_SIZE)


def _node(program: str, dsn: str, folder: Path) -> Serve:
    where = urlsplit(dsn)
    asked = parse_qs(where.query)
    port = free_port()
    environment = {
        "PORT": str(port),
        "POOL_SIZE": POOL_SIZE,
        "NODE_ENV": "production",
        "GRAPHILE_ENV": "production",
        "PGHOST": asked["host"][0],
        "PGPORT": asked["port"][0],
        "PGUSER": where.username or "postgres",
        "PGDATABASE": where.path[1:],
    }
    return running([node(), str(SERVERS / program)], port, folder / "serve.log", environment)


def _by_hand(dsn: str, folder: Path) -> Serve:
    port = free_port()
    command = [
        sys.executable, "-m", "uvicorn", "benchmarks.peers.by_hand:app",
        "--port", str(port), "--log-level", "warning", "--no-access-log", "--loop", "uvloop", "--http", "httptools",
    ]  # fmt: skip
    return running(command, port, folder / "serve.log", {"DATABASE_URL": dsn, "POOL_SIZE": POOL_SIZE})


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a server is shown, started (over a database, with a folder for its log), and asked."""

    title: str
    serve: Callable[[str, Path], Serve]
    ask: Ask


_KINDS: Mapping[str, _Kind] = {
    ANCHOR: _Kind("PostGraphile", partial(_node, "postgraphile.js"), of_postgraphile),
    "yoga": _Kind("Yoga, DataLoader, pg", partial(_node, "yoga.js"), of_yoga),
    "batch": _Kind("Colloquy, batch", partial(_colloquy, "batch"), of_colloquy),
    "standard": _Kind("Colloquy, standard", partial(_colloquy, "standard"), of_colloquy),
    "sql": _Kind("SQL by hand", _by_hand, of_sql),
}

SIDES: Mapping[str, str] = {name: kind.title for name, kind in _KINDS.items()}
"""Their names, as they are asked for and as they are shown."""


@asynccontextmanager
async def open_side(name: str, dsn: str, folder: Path) -> AsyncIterator[Side]:
    """Start the server of that name, one of SIDES; it is stopped at the end. Its log goes below `folder`."""
    kind = _KINDS[name]
    logs = folder / name
    logs.mkdir()
    async with kind.serve(dsn, logs) as server:
        yield Side(name, server, kind.ask)
