"""Sessions of projects are in no list of conversations, and conversations are listed as if there were none of them."""

import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from app.core.actor import Actor
from app.core.ids import global_id, new_id
from app.core.paging import PageRequest
from app.db.database import Database
from app.db.pages import PageShape
from app.db.statement import Query
from app.sessions.loaders import _BY_IDS, SESSION_COLUMNS, _count, _page
from app.sessions.repository import projects
from app.sessions.values import SessionOrder
from tests.client import GraphQLClient
from tests.conftest import an_actor
from tests.conversations import new_project, new_session
from tests.sessions.test_tag_plans import nodes, pages
from tests.worlds import ClientAs

LIST = """query ($filter: SessionFilter, $order: SessionOrder! = CREATED_AT_ASC) {
  sessions(filter: $filter, orderBy: $order) { totalCount nodes { title } } }"""


async def titles(client: GraphQLClient, order: str = "CREATED_AT_ASC", **conditions: object) -> list[str]:
    """The titles in a list, in its order; as many as the list counts."""
    found = (await client.data(LIST, {"filter": conditions or None, "order": order}))["sessions"]
    assert found["totalCount"] == len(found["nodes"])
    return [node["title"] for node in found["nodes"]]


async def test_lists_have_conversations_or_the_sessions_of_one_project(
    client: GraphQLClient, client_as: ClientAs, database: Database, actor: Actor
) -> None:
    one, two = [await new_project(database, actor) for _ in range(2)]
    strange = await new_project(database, an_actor("alice", "acme"))
    for title, project in (("chat", None), ("plan", one), ("story", one), ("other", two)):
        await new_session(database, actor, title, project)
    await new_session(database, an_actor("bob"), "bobs", one)
    bob, admin = await client_as("bob"), await client_as("system")

    def of(project: Any) -> dict[str, str]:
        return {"projectId": global_id("Project", project)}

    for order, backward in (("CREATED_AT_ASC", False), ("UPDATED_AT_DESC", True)):
        in_order = sorted(["plan", "story"], reverse=backward)
        assert await titles(client, order) == ["chat"]
        assert await titles(client, order, **of(one)) == in_order
        assert await titles(admin, order, userId="alice", **of(one)) == in_order
    assert await titles(client, **of(two)) == ["other"]
    assert await titles(client, projectId=None) == await titles(admin, userId="alice") == ["chat"]
    assert await titles(bob, **of(one)) == await titles(admin, userId="bob", **of(one)) == ["bobs"]
    assert await titles(bob) == await titles(bob, userId="alice", **of(one)) == await titles(admin, **of(one)) == []
    assert await titles(client, **of(strange)) == await titles(client, **of(new_id())) == []
    assert await titles(client, status=["ACTIVE"], tags=[], **of(one)) == ["plan", "story"]


async def test_what_is_no_project_is_refused(client: GraphQLClient) -> None:
    session = await client.create_session()

    for wrong in (session, "", "x"):
        for field in ("sessions(", 'searchSessions(query: "x", '):
            query = f"query ($id: ID) {{ {field}filter: {{projectId: $id}}) {{ totalCount }} }}"
            [error] = (await client.answer(query, {"id": wrong}))["errors"]

            assert (error["extensions"]["code"], error["extensions"]["field"]) == (
                "VALIDATION_ERROR", "filter.projectId",
            )  # fmt: skip


async def test_search_finds_ones_own_sessions_of_projects(
    client: GraphQLClient, client_as: ClientAs, database: Database, actor: Actor
) -> None:
    project = await new_project(database, actor)
    for title, found in (("green chat", None), ("green plan", project)):
        await new_session(database, actor, title, found)
    query = """query ($filter: SessionFilter) { searchSessions(query: "green", filter: $filter) {
      nodes { session { title } } } }"""

    async def hits(who: GraphQLClient, **conditions: str) -> set[str]:
        answer = await who.data(query, {"filter": conditions or None})
        return {node["session"]["title"] for node in answer["searchSessions"]["nodes"]}

    of_project = {"projectId": global_id("Project", project)}
    assert await hits(client) == {"green chat", "green plan"}
    assert await hits(client, **of_project) == {"green plan"}
    assert await hits(await client_as("bob"), **of_project) == set()


# Of 30,000 sessions a user has 300 conversations and 20,000 of 200 projects; others have the rest, of any.
FILLED = """
CREATE TEMP TABLE made AS SELECT n, md5(n::text)::uuid AS id FROM generate_series(1, 30000) n;
INSERT INTO projects (tenant_id, id, name, description, created_by, updated_by)
  SELECT 'default', md5('p' || n)::uuid, 'x', 'x', 'alice', 'alice' FROM generate_series(0, 199) n;
INSERT INTO chat_sessions (tenant_id, id, user_id, title, updated_at, project_id)
  SELECT 'default', id, CASE WHEN n % 3 > 0 OR n % 100 = 0 THEN 'alice' ELSE 'user' || n % 50 END, 'x',
    now() - n * interval '1 minute', CASE WHEN n % 100 > 0 THEN md5('p' || n % 200)::uuid END
  FROM made;
VACUUM ANALYZE chat_sessions, projects;
"""

CONVERSATIONS, OF_PROJECT = "ix_chat_sessions_conversations", "ix_chat_sessions_project"


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


async def plan(connection: Any, query: Any, mode: str) -> dict[str, Any]:
    """What PostgreSQL does to answer the query, with what it met on the way."""
    [project] = await connection.fetchrow("SELECT md5('p7')::uuid")
    ids = [row["id"] for row in await connection.fetch("SELECT id FROM made WHERE n IN (1, 100, 101, 500, 700)")]
    known = {
        "tenant_id": "default", "owner_id": "alice", "user_id": "alice", "is_admin": False, "project_id": project,
        "ids": ids, "limit": 51,
    }  # fmt: skip
    values = query.arguments({name: known[name] for name in query._required})
    await connection.execute(f"SET plan_cache_mode = {mode}")
    prepared = await connection.prepare(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query.sql}")
    top: dict[str, Any] = json.loads(await prepared.fetchval(*values))[0]["Plan"]
    return top


def _first(order: SessionOrder, *names: str) -> Query[Any]:
    return _page(frozenset(names), order, PageShape.of(PageRequest(50, False, None, None)), SESSION_COLUMNS.whole)


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
async def test_conversations_are_found_past_any_number_of_sessions_of_projects(filled: Any, mode: str) -> None:
    by_id = await plan(filled, _BY_IDS, mode)
    first = await plan(filled, _first(SessionOrder.UPDATED_AT_DESC), mode)
    last = await plan(filled, _first(SessionOrder.UPDATED_AT_ASC), mode)
    count = await plan(filled, _count(frozenset()), mode)
    listed = await plan(filled, _first(SessionOrder.UPDATED_AT_DESC, "project_id"), mode)
    locked = await plan(filled, projects._LOCK, mode)

    found = {"by id": by_id, "first": first, "last": last, "count": count, "listed": listed, "locked": locked}
    indexes = {name: {node["Index Name"] for node in nodes(top) if "Index Name" in node} for name, top in found.items()}
    assert indexes == {
        "by id": {"pk_chat_sessions"}, "first": {CONVERSATIONS}, "last": {CONVERSATIONS}, "count": {CONVERSATIONS},
        "listed": {OF_PROJECT}, "locked": {OF_PROJECT},
    }  # fmt: skip
    assert all(pages(top) < 600 for top in found.values()), {name: pages(top) for name, top in found.items()}
    assert (first["Actual Rows"], locked["Actual Rows"]) == (51, 150)
