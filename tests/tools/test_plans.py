"""How the inbox and what is overdue are found: each by its own index, also before there are statistics."""

import re
from typing import Any

import asyncpg
import pytest

from app.core.paging import PageRequest
from app.db.pages import PageShape
from app.tools import approvals
from app.tools.repository import upkeep

PLAN_OF = """
CREATE FUNCTION pg_temp.plan_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE found json;
BEGIN
  EXECUTE 'EXPLAIN (GENERIC_PLAN, FORMAT JSON) ' || statement INTO found;
  RETURN found::text;
END $$
"""

PAGE = approvals._page(PageShape.of(PageRequest(50)))


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (PAGE, "ix_tool_executions_inbox"),
        (approvals._COUNT, "ix_tool_executions_inbox"),
        (approvals._AWAITED, "ix_tool_executions_inbox"),
        (upkeep._OVERDUE, "ix_tool_executions_expiring"),
    ],
    ids=["page", "count", "followed", "overdue"],
)
async def test_what_awaits_approval_is_found_by_the_index_made_for_it(dsn: str, statement: Any, index: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(PLAN_OF)
        plan = await connection.fetchval("SELECT pg_temp.plan_of($1)", statement.sql)
    finally:
        await connection.close()

    assert re.findall(r'"Index Name": "(\w+)"', plan) == [index]
