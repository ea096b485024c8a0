"""What a request did is found by its correlation id, however much else has happened to its tenant."""

import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from app.core.paging import PageRequest
from app.db.pages import PageShape
from app.events.loaders import _page

FIRST = PageShape.of(PageRequest(50, False, None, None))

# 40,000 events of a tenant, every fifth of the user's; three of one request, and 4,000 of one import.
FILLED = """
INSERT INTO events (tenant_id, stream_id, seq, kind, actor, owner_id, correlation_id, at)
  SELECT 'default', md5((n % 400)::text)::uuid, n, 'message.appended', 'x',
    CASE WHEN n % 5 = 0 THEN 'alice' ELSE 'user' || n % 50 END,
    CASE WHEN n IN (5, 500, 35000) THEN 'trip-1' WHEN n % 10 = 5 THEN 'import-1' ELSE 'request-' || n END,
    now() - n * interval '1 minute'
  FROM generate_series(1, 40000) n;
VACUUM ANALYZE events;
"""


@pytest.fixture
async def filled(dsn: str) -> AsyncIterator[Any]:
    """A connection to a filled database, which plans without looking at the values, as for a prepared statement."""
    connection = await asyncpg.connect(dsn, server_settings={"plan_cache_mode": "force_generic_plan"})
    try:
        for statement in FILLED.strip().strip(";").split(";\n"):
            await connection.execute(statement)
        yield connection
    finally:
        await connection.close()


@pytest.mark.parametrize("all_owners", [False, True])
@pytest.mark.parametrize(("correlation", "rows", "most_blocks"), [("trip-1", 3, 40), ("import-1", 50, 4_000)])
async def test_events_of_a_request_are_found_through_an_index(
    filled: Any, all_owners: bool, correlation: str, rows: int, most_blocks: int
) -> None:
    query = _page(frozenset(["correlation_id"]), FIRST, all_owners)
    known = {"tenant_id": "default", "owner_id": "alice", "correlation_id": correlation, "limit": 50}
    values = query.arguments({name: known[name] for name in query._required})

    prepared = await filled.prepare(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query.sql}")
    plan = json.loads(await prepared.fetchval(*values))[0]["Plan"]

    assert "ix_events_tenant_id_correlation_id_at" in str(plan)
    assert plan["Actual Rows"] == rows
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] <= most_blocks
