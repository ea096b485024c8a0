"""How executions are found: each list by the index made for it, however many others there are."""

import re
from typing import Any

import asyncpg
import pytest

from app.core.paging import PageRequest
from app.db.pages import PageShape
from app.execution import loaders, repository

PLAN_OF = """
CREATE FUNCTION pg_temp.plan_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE found json;
BEGIN
  EXECUTE 'EXPLAIN (GENERIC_PLAN, FORMAT JSON) ' || statement INTO found;
  RETURN found::text;
END $$
"""
SHAPE = PageShape.of(PageRequest(20))


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (loaders._page_of_sessions(SHAPE), "ix_prompt_executions_tenant_id_session_id_created_at_id"),
        (loaders._page_of_prompts("template_version_id", SHAPE, False), "ix_prompt_executions_version_user"),
        (loaders._page_of_prompts("template_version_id", SHAPE, True), "ix_prompt_executions_version"),
        (loaders._page_of_prompts("prompt_generation_id", SHAPE, True), "ix_prompt_executions_generated"),
        (loaders._OF_RUNS, "uq_prompt_executions_run_id"),
        (repository._OF_MESSAGE, "ix_prompt_executions_tenant_id_user_message_id"),
        (repository._UNFINISHED, "uq_prompt_executions_run_id"),
    ],
    ids=["session", "version, own", "version, all", "generated", "run", "message", "unfinished"],
)
async def test_what_is_asked_for_is_found_by_the_index_made_for_it(dsn: str, statement: Any, index: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(PLAN_OF)
        await connection.execute("SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off")
        plan = await connection.fetchval("SELECT pg_temp.plan_of($1)", statement.sql)
    finally:
        await connection.close()

    found = re.findall(r'"Index Name": "(\w+)"', plan)
    assert [name for name in found if "prompt_executions" in name] == [index]
