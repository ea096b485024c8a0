"""The application as a server: its lifespan, its health, and whom it answers."""

import asyncio
from pathlib import Path

import httpx2
from pydantic import SecretStr

from app.asgi import create_app
from app.core.settings import Settings
from app.db.embedded import EmbeddedPostgres
from tests.cli.commands import left_as_found
from tests.web.server import serving

READY = {"status": "ready", "database": "ok", "migrations": "ok", "listener": "ok", "queue": "ok"}


async def test_application_opens_its_database_and_tells_when_it_is_gone(tmp_path: Path) -> None:
    embedded = EmbeddedPostgres(tmp_path / "pg", settings={"fsync": "off"})
    dsn = await asyncio.to_thread(embedded.start)
    app = create_app(Settings(database_url=SecretStr(dsn), connect_timeout_seconds=1, log_level="error", log_sql=True))

    def visit() -> None:
        with left_as_found(), serving(app) as url, httpx2.Client(base_url=url) as http:
            assert (http.get("/health/live").status_code, http.get("/health/live").json()) == (200, {"status": "alive"})
            ready = http.get("/health/ready")
            while ready.json()["listener"] != "ok":
                ready = http.get("/health/ready")
            assert (ready.status_code, ready.json()) == (200, READY)
            assert http.post("/graphql", json={"query": "{ __typename }"}).json() == {"data": {"__typename": "Query"}}
            assert http.get("/health/live", headers={"Host": "evil.example"}).status_code == 400
            assert http.get("/health/live", headers={"Host": "localhost:1"}).status_code == 200

            embedded.stop()
            gone = http.get("/health/ready")
            assert gone.status_code == 503
            assert gone.json()["database"] == "does not answer"
            assert gone.json().keys() == READY.keys()
            assert http.get("/health/live").status_code == 200

            embedded.start()
            while http.get("/health/ready").status_code != 200:
                pass

    try:
        await asyncio.to_thread(visit)
    finally:
        await asyncio.to_thread(embedded.stop)
