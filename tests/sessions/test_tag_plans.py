"""Sessions are found by their tags through indexes, however many its user has and whatever others file under it."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest

from app.core.paging import PageRequest
from app.db.pages import PageShape
from app.db.statement import Query
from app.sessions.loaders import SESSION_COLUMNS, _count, _page
from app.sessions.values import SessionOrder

FIRST = _page(
    frozenset(["tags"]),
    SessionOrder.UPDATED_AT_DESC,
    PageShape.of(PageRequest(50, False, None, None)),
    SESSION_COLUMNS.whole,
)
COUNT = _count(frozenset(["tags"]))

# Of 30,000 sessions of two tenants a user has 1,500; every second is "common", ten of the user's are "rare", and
# "elsewhere" are ten of the user's and all of the other tenant's.
FILLED = """
CREATE TEMP TABLE made AS SELECT n, md5(n::text)::uuid AS id, n % 20 = 1 AS mine,
  CASE WHEN n % 20 = 1 THEN 'default' WHEN n % 2 = 0 THEN 'other' ELSE 'default' END AS tenant
  FROM generate_series(1, 30000) n;
INSERT INTO chat_sessions (tenant_id, id, user_id, title, updated_at)
  SELECT tenant, id, CASE WHEN mine THEN 'alice' ELSE 'user' || n % 50 END, 'x', now() - n * interval '1 minute'
  FROM made;
INSERT INTO session_metadata (tenant_id, session_id, tags)
  SELECT tenant, id, array_remove(ARRAY[
    't' || n % 200,
    CASE WHEN n / 20 % 2 = 0 THEN 'common' END,
    CASE WHEN mine AND n % 3000 = 1 THEN 'rare' END,
    CASE WHEN tenant = 'other' OR (mine AND n % 3000 = 1) THEN 'elsewhere' END], NULL)
  FROM made;
VACUUM ANALYZE chat_sessions, session_metadata;
"""


@pytest.fixture
async def filled(dsn: str) -> AsyncIterator[Any]:
    """A connection to a filled database."""
    connection = await asyncpg.connect(dsn)
    try:
        for statement in FILLED.strip().strip(";").split(";"):
            await connection.execute(statement)
        yield connection
    finally:
        await connection.close()


async def plan(connection: Any, query: Query[Any], tags: list[str]) -> dict[str, Any]:
    """What PostgreSQL does to answer the query, with what it met on the way."""
    known = {"tenant_id": "default", "owner_id": "alice", "tags": tags, "limit": 51}
    names = [name for name in dict.fromkeys(query._names) if name in known]
    values = query.arguments({name: known[name] for name in names})
    found = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query.sql}", *values)
    top: dict[str, Any] = json.loads(found)[0]["Plan"]
    return top


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every step of a plan."""
    yield node
    for child in node.get("Plans", ()):
        yield from nodes(child)


def pages(top: dict[str, Any]) -> int:
    """Pages of 8 kB that were read, from memory or not."""
    return int(top["Shared Hit Blocks"] + top["Shared Read Blocks"])


async def test_tags_are_looked_for_through_indexes_alone(filled: Any) -> None:
    plans = {
        (tag, query): await plan(filled, query, [tag])
        for tag in ("common", "rare", "elsewhere", "nobody's")
        for query in (FIRST, COUNT)
    }

    for top in plans.values():
        assert [node["Relation Name"] for node in nodes(top) if node["Node Type"] == "Seq Scan"] == []
        # Never more than a look at each of one's own sessions, with its way through two indexes.
        assert pages(top) < 4 * 1_500
    for query in (FIRST, COUNT):
        # A rare one costs what it has, and not what its user has.
        assert "ix_session_metadata_tags" in {node.get("Index Name") for node in nodes(plans["rare", query])}
        assert pages(plans["rare", query]) < 100
