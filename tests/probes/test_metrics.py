"""The metrics: who may read them, what they say, and that the pages about them are true."""

import json
import re
import socket
from pathlib import Path

import httpx2
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from starlette.applications import Starlette

from app.container import Container
from app.core.settings import Settings, SettingsError, load_settings
from app.db.database import Database
from app.identity.service import OpenDoor
from app.probes.answers import Probes
from app.probes.port import watched
from app.telemetry.meters import REGISTRY
from tests.client import GraphQLClient

DOCS = Path(__file__).parents[2] / "docs"
TOKEN = "0123456789abcdef0123456789abcdef"
NOT_LABELS = {"tenant", "user", "session", "operation", "name", "correlation_id"}


def probes_of(database: Database, **chosen: object) -> Probes:
    """The probes of a process without background work; `auth` is taken as it is."""
    settings = Settings(data_dir=Path("unused")).model_copy(update=chosen)
    return Probes(settings, lambda: Container(settings, "unused", database, OpenDoor(), {}))


async def status_of(probes: Probes, authorization: str | bytes | None = None) -> tuple[int, str]:
    """What a scrape is answered."""
    transport = httpx2.ASGITransport(app=Starlette(routes=probes.routes()))
    shown = authorization.encode() if isinstance(authorization, str) else authorization
    headers = [] if shown is None else [(b"Authorization", shown)]
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        found = await http.get("/metrics", headers=headers)
    return found.status_code, found.text


async def test_scrape_tells_of_the_process_and_of_the_database(client: GraphQLClient) -> None:
    for content in ("Where to?", "And back?"):
        sent = await client.mutate("sendMessage", "run { id }", {"content": content, "model": "local:echo"})
        assert sent["success"]

    plain = await client.http.get("/metrics")
    modern = await client.http.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})

    assert plain.headers["content-type"].startswith("text/plain")
    assert modern.headers["content-type"].startswith("application/openmetrics-text")
    told = text_string_to_metric_families(plain.text)
    families = {family.name: family for family in told}
    told_openly = open_metrics(modern.text)  # type: ignore[no-untyped-call]
    assert {family.name for family in told_openly} >= families.keys() - {"colloquy_build_info"}
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in families.values()
        for sample in family.samples
    }
    assert samples["colloquy_runs", "queued"] == 2
    assert samples["colloquy_queue_jobs", "due"] == 2
    assert samples["colloquy_queue_oldest_seconds",] >= 0
    assert samples["colloquy_database_up",] == 1
    assert samples["colloquy_pool_size", "requests"] >= 20
    assert samples["colloquy_pool_acquires_total", "requests"] > 0
    labels = {name for family in families.values() for sample in family.samples for name in sample.labels}
    assert labels & NOT_LABELS == set()
    assert "process_resident_memory_bytes" in families


async def test_token_is_needed_where_the_doors_are_not_open(database: Database) -> None:
    closed = probes_of(database, auth="on")
    guarded = probes_of(database, auth="on", metrics_token=SecretStr(TOKEN))

    for given in (None, "Bearer ", f"Bearer {TOKEN}", "Basic abc"):
        status, text = await status_of(closed, given)
        assert (status, "set COLLOQUY_METRICS_TOKEN" in text) == (401, True)
    others: tuple[str | bytes | None, ...] = (None, f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer é".encode())
    for other in others:
        status, text = await status_of(guarded, other)
        assert (status, "colloquy_requests" in text) == (401, False)
    assert [(await status_of(guarded, f"{scheme} {TOKEN}"))[0] for scheme in ("Bearer", "bearer")] == [200, 200]
    assert (await status_of(probes_of(database)))[0] == 200


async def test_database_that_is_away_costs_its_own_meters_alone(dsn: str) -> None:
    gone = await Database.connect(dsn)
    await gone.close()

    status, text = await status_of(probes_of(gone))

    assert status == 200
    assert "colloquy_database_up 0.0" in text
    assert "colloquy_runs{" not in text
    assert "colloquy_queue_oldest_seconds NaN" in text


async def test_processes_with_one_setting_take_ports_in_a_row(database: Database) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = Settings(data_dir=Path("unused"), metrics_port=min(port, 65_000))
    probes = probes_of(database)

    async with watched(settings, probes) as first, watched(settings, probes) as second:
        assert first is not None
        assert second is not None
        assert settings.metrics_port <= first < second
        async with httpx2.AsyncClient() as http:
            for port in (first, second):
                assert "colloquy_database_up 1.0" in (await http.get(f"http://127.0.0.1:{port}/metrics")).text
                assert (await http.get(f"http://127.0.0.1:{port}/health/ready")).json()["status"] == "ready"
                assert (await http.get(f"http://127.0.0.1:{port}/graphql")).status_code == 404
                evil = await http.get(f"http://127.0.0.1:{port}/metrics", headers={"Host": "evil.example"})
                assert evil.status_code == 400
    async with watched(Settings(data_dir=Path("unused")), probes) as none:
        assert none is None


def test_short_token_is_refused_without_telling_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLOQUY_METRICS_TOKEN", "too-short-a-token")

    with pytest.raises(SettingsError, match="COLLOQUY_METRICS_TOKEN: must have at least 32 characters") as refused:
        load_settings()

    assert "too-short" not in str(refused.value)


def registered() -> dict[str, str]:
    """Our metrics with their types, as Prometheus shows them."""
    endings = {"counter": "_total"}
    return {
        f"{family.name}{endings.get(family.type, '')}": family.type
        for family in REGISTRY.collect()
        if family.name.startswith("colloquy_")
    }


def test_page_lists_every_metric() -> None:
    page = (DOCS / "operations.md").read_text()
    listed = dict(re.findall(r"^\| `(colloquy_\w+)` \| (\w+) \|", page, re.MULTILINE))

    assert listed == registered()


def test_dashboard_shows_metrics_that_there_are() -> None:
    dashboard = json.loads((DOCS / "grafana.json").read_text())
    families = registered()
    parts = {"histogram": ("_bucket", "_sum", "_count")}
    series = {name + ending for name, kind in families.items() for ending in parts.get(kind, ("",))}
    series |= {family.name for family in REGISTRY.collect() if not family.name.startswith("colloquy_")}

    assert {"title", "uid", "schemaVersion", "panels", "time", "templating", "refresh"} <= dashboard.keys()
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) > 8
    for panel in panels:
        assert {"type", "title", "gridPos", "targets", "datasource"} <= panel.keys(), panel["title"]
        assert panel["gridPos"].keys() == {"h", "w", "x", "y"}
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
        for target in panel["targets"]:
            assert {"refId", "expr"} <= target.keys()
            named = set(re.findall(r"\b(?:colloquy|process)_\w+", target["expr"]))
            assert named, target
            assert named <= series, named - series
