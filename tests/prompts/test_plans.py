"""How templates and what hangs on them are found: each by an index, whatever else the tenant has."""

import re
from typing import Any

import asyncpg
import pytest

from app.core.paging import PageRequest
from app.db.pages import PageShape
from app.prompts.loaders import history, versions
from app.prompts.repository import choose, locks

PLAN_OF = """
CREATE FUNCTION pg_temp.plan_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE found json;
BEGIN
  EXECUTE 'EXPLAIN (GENERIC_PLAN, FORMAT JSON) ' || statement INTO found;
  RETURN found::text;
END $$
"""
NOTHING: frozenset[str] = frozenset()
SHAPE = PageShape.of(PageRequest(20))


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (choose._enabled(((True, True), True)), "uq_prompt_templates_enabled"),
        (choose._enabled(((False, False), False)), "uq_prompt_templates_enabled"),
        (locks._lock_enabled(((True, True), True)), "uq_prompt_templates_enabled"),
        (choose._by_name((True, True)), "uq_prompt_templates_name"),
        (choose._by_name((False, False)), "uq_prompt_templates_name"),
        (versions._page_of_each(SHAPE, NOTHING), "uq_prompt_template_versions_number"),
        (versions._numbered(NOTHING), "uq_prompt_template_versions_number"),
        (history._page_of_each(SHAPE), "pk_prompt_template_changes"),
        (history._SAVERS, "uq_prompt_template_changes_saved"),
        (history._LABELS, "pk_prompt_labels"),
    ],
    ids=[
        "enabled", "enabled of no project", "enabled, locked", "name", "name of no project", "versions", "version",
        "history", "savers", "labels",
    ],
)  # fmt: skip
async def test_what_is_asked_for_is_found_by_the_index_made_for_it(dsn: str, statement: Any, index: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(PLAN_OF)
        await connection.execute("SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off")
        plan = await connection.fetchval("SELECT pg_temp.plan_of($1)", statement.sql)
    finally:
        await connection.close()

    assert re.findall(r'"Index Name": "(\w+)"', plan) == [index]
