"""No search reads a whole table, whatever is looked for."""

import re
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from app.core.actor import TenantId
from app.core.paging import PageRequest
from app.db.pages import PageShape
from app.search.loaders import ORDER, Searched, _messages, _ranking, _sessions
from app.search.service import _list_name
from app.search.values import SearchQuery

_SCANS = re.compile(r"Seq Scan on (\w+)")

QUERIES = ["common", "rare77", '"common word"', "ommo", "中国", "中", "common -word77 or 国人", "go", "👍"]

FILL = """
ALTER TABLE chat_sessions DISABLE TRIGGER USER;
INSERT INTO chat_sessions (tenant_id, id, user_id, title)
SELECT 'default', ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'user' || n % 50, 'Session ' || n
FROM generate_series(0, 499) AS n;
ALTER TABLE session_metadata DISABLE TRIGGER USER;
INSERT INTO session_metadata (tenant_id, session_id) SELECT tenant_id, id FROM chat_sessions;
INSERT INTO search_entries (tenant_id, id, session_id, user_id, role, at, body)
SELECT 'default', gen_random_uuid(), ('00000000-0000-7000-8000-' || lpad((n % 500)::text, 12, '0'))::uuid,
       'user' || n % 50, CASE WHEN n % 10 > 0 THEN 'user' END, now(),
       search_text('the common word' || n % 100 || ' rare' || n || CASE n % 7 WHEN 0 THEN ' 大中国人民' ELSE '' END)
FROM generate_series(1, 20000) AS n;
VACUUM ANALYZE chat_sessions;
VACUUM ANALYZE session_metadata;
VACUUM ANALYZE search_entries;
"""


@pytest.fixture
async def filled(dsn: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(dsn)
    for statement in FILL.split(";\n"):
        if statement.strip():
            await connection.execute(statement)
    yield connection
    await connection.close()


async def test_no_search_reads_all_entries(filled: Any) -> None:
    request, plans = PageRequest(20), {}
    for text in QUERIES:
        searched = Searched(TenantId("default"), "user7", SearchQuery.parse(text), {})
        for build in (_messages, _sessions):
            statement = build(*searched.shape, PageShape.of(request))
            position = ORDER.parameters(request, _list_name("plan"))
            values = {**searched.parameters(), **_ranking(searched.query), **position}
            found = await filled.fetch("EXPLAIN " + statement.sql, *statement.arguments(values))
            plans[text, build.__name__] = "\n".join(row[0] for row in found)

    read = {key: set(_SCANS.findall(plan)) for key, plan in plans.items()}
    # Sessions and their metadata are joined to a page of hits: of small tables the planner may read all.
    assert {key: scans for key, scans in read.items() if scans & {"search_entries", "chat_messages"}} == {}


@pytest.mark.parametrize("build", [_messages, _sessions])
async def test_plan_that_knows_no_words_reads_no_whole_table_either(filled: Any, build: Any) -> None:
    searched = Searched(TenantId("default"), "user7", SearchQuery.parse("common word or rare -go"), {})
    statement = build(*searched.shape, PageShape.of(PageRequest(20)))
    position = ORDER.parameters(PageRequest(20), _list_name("plan"))
    arguments = statement.arguments({**searched.parameters(), **_ranking(searched.query), **position})

    await filled.execute("SET plan_cache_mode = force_generic_plan")
    await filled.execute(f"PREPARE searching AS {statement.sql}")
    found = await filled.fetch(f"EXPLAIN EXECUTE searching ({', '.join(['NULL'] * len(arguments))})")

    plan = "\n".join(row[0] for row in found)
    assert "search_pattern(" in plan, plan
    assert set(_SCANS.findall(plan)) & {"search_entries", "chat_messages"} == set()
