"""What those who watch over a process ask it: whether it lives, whether it is ready, its meters."""

import asyncio
import hmac
from collections.abc import Callable
from time import monotonic
from typing import cast

import asyncpg
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app.container import Container
from app.core.errors import AppError
from app.core.settings import Settings
from app.db import migrate
from app.db.database import Database
from app.db.listening import Listener
from app.jobs.depth import QueueDepth, queue_depth
from app.jobs.worker import JobWorker
from app.runs.loaders import LiveRuns, live_runs
from app.runs.values import LIVE
from app.telemetry import meters
from app.telemetry.exposition import exposed

KEPT_SECONDS = 5.0
"""What the database is asked for the metrics is asked no more often, whoever scrapes."""

PATIENCE_SECONDS = 2.0
"""For the database: who scrapes waits ten seconds as a rule, and wants the other meters when it does not answer."""

OK = "ok"


class Probes:
    """Answers `/health/live`, `/health/ready` and `/metrics` of one process."""

    def __init__(self, settings: Settings, container: Callable[[], Container]) -> None:
        self._settings = settings
        self._container = container
        self._is_migrated = False
        self._counts = _Counts()

    def routes(self) -> list[BaseRoute]:
        """Where they are answered."""
        return [
            Route("/health/live", self._alive),
            Route("/health/ready", self._ready),
            Route("/metrics", self._metrics),
        ]

    async def _alive(self, _request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def _ready(self, _request: Request) -> Response:
        """Whether requests can be served (S2-21): each thing that it takes by its name, never where that is."""
        found = await self.readiness()
        ready = set(found.values()) == {OK}
        return JSONResponse({"status": "ready" if ready else "not ready", **found}, 200 if ready else 503)

    async def readiness(self) -> dict[str, str]:
        """What a process needs, each with `ok` or what is the matter; of background work, what the process does."""
        container = self._container()
        found = await self._of_database(container.database)
        listener = cast("Listener | None", container.services.get(Listener))
        if listener is not None:
            found["listener"] = OK if listener.connected else "not connected"
        worker = cast("JobWorker | None", container.services.get(JobWorker))
        if worker is not None:
            found["queue"] = OK if worker.works else "not working"
        return found

    async def _of_database(self, database: Database) -> dict[str, str]:
        try:
            await database.ping()
            if not self._is_migrated:
                # Only forwards: once seen, it stays so.
                self._is_migrated = not await asyncio.to_thread(migrate.is_behind, await _revision(database))
        except (AppError, OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return {"database": "does not answer", "migrations": OK if self._is_migrated else "unknown"}
        return {"database": OK, "migrations": OK if self._is_migrated else "behind"}

    async def _metrics(self, request: Request) -> Response:
        if not self._may_read(request.headers.get("authorization", "")):
            hint = (
                "send the header Authorization: Bearer, with the token of COLLOQUY_METRICS_TOKEN"
                if self._settings.metrics_token
                else "set COLLOQUY_METRICS_TOKEN, and send it as a bearer token"
            )
            error = {"code": "UNAUTHENTICATED", "message": "the metrics are not for everybody", "hint": hint}
            return JSONResponse({"error": error}, 401, {"www-authenticate": "Bearer"})
        await self._counts.renew(self._container().database)
        body, content_type = exposed(request.headers.get("accept", ""))
        return Response(body, headers={"content-type": content_type, "cache-control": "no-store"})

    def _may_read(self, authorization: str) -> bool:
        if self._settings.auth == "off":
            return True
        token = self._settings.metrics_token
        scheme, _, given = authorization.partition(" ")
        if token is None or scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(given.strip().encode(), token.get_secret_value().encode())


async def _revision(database: Database) -> str | None:
    try:
        rows = await database.run_for_library("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        return None
    return str(rows[0]["version_num"]) if rows else None


class _Counts:
    """What is counted in the database, for the meters: asked for by one at a time, and kept for some seconds."""

    def __init__(self) -> None:
        self._asking = asyncio.Lock()
        self._asked_at = float("-inf")

    async def renew(self, database: Database) -> None:
        """Set the meters to what the database says now; where it does not answer, they say so."""
        async with self._asking:
            if monotonic() - self._asked_at < KEPT_SECONDS:
                return
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    async with database.read() as scope:
                        found = await live_runs(scope)
                    depth = await queue_depth(database)
            except (AppError, OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                _forget()
            else:
                _tell(found, depth)
            self._asked_at = monotonic()


def _tell(found: list[LiveRuns], depth: QueueDepth) -> None:
    # All states: a series that comes and goes cannot be added up.
    counted = {status.value: 0 for status in LIVE} | {"waiting": 0}
    for state in found:
        counted["waiting" if state.waiting else state.status] += state.runs
    for name, runs in counted.items():
        meters.RUNS.labels(name).set(runs)
    for name, jobs in (("due", depth.due), ("later", depth.later), ("running", depth.running)):
        meters.QUEUE_JOBS.labels(name).set(jobs)
    meters.QUEUE_OLDEST.set(depth.oldest_seconds)
    meters.DATABASE_UP.set(1)


def _forget() -> None:
    """What was true some time ago is worse than nothing."""
    meters.RUNS.clear()
    meters.QUEUE_JOBS.clear()
    meters.QUEUE_OLDEST.set(float("nan"))
    meters.DATABASE_UP.set(0)
