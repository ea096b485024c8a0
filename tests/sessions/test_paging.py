"""Pages of sessions, many of which were changed at the same moment: each session once, in order, either way."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.actor import Actor
from app.core.ids import global_id
from app.db.database import Database
from tests.client import GraphQLClient
from tests.conversations import new_session
from tests.worlds import rows

PAGE = """query ($order: SessionOrder!, $first: Int, $after: String, $last: Int, $before: String) {
  sessions(orderBy: $order, first: $first, after: $after, last: $last, before: $before) {
    nodes { id } edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""

ORDERS = {
    "UPDATED_AT_DESC": "updated_at DESC, id DESC", "UPDATED_AT_ASC": "updated_at, id",
    "CREATED_AT_DESC": "created_at DESC, id DESC", "CREATED_AT_ASC": "created_at, id",
}  # fmt: skip

SESSIONS = 13

MAY = datetime(2026, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)
JUNE = datetime(2026, 6, 1, tzinfo=UTC)

TIES = """UPDATE chat_sessions SET created_at = $1::timestamptz, updated_at =
CASE WHEN n < 3 THEN $1 WHEN n < 11 THEN $2::timestamptz ELSE $3::timestamptz END
FROM (SELECT id AS numbered, row_number() OVER (ORDER BY md5(id::text)) AS n FROM chat_sessions) AS numbers
WHERE id = numbered"""
"""All created at once; changed in groups of two, eight and three, whatever the order of the ids."""


@pytest.fixture
async def tied(database: Database, actor: Actor, dsn: str) -> None:
    """Sessions of which many were changed at the same moment."""
    for number in range(SESSIONS):
        await new_session(database, actor, f"{number}")
    await rows(dsn, TIES, MAY, JUNE, datetime(2026, 7, 1, tzinfo=UTC))


async def page(client: GraphQLClient, order: str = "UPDATED_AT_DESC", **arguments: object) -> dict[str, Any]:
    """One page."""
    found: dict[str, Any] = (await client.data(PAGE, {"order": order, **arguments}))["sessions"]
    assert [edge["node"] for edge in found["edges"]] == found["nodes"]
    if found["edges"]:
        ends = found["pageInfo"]["startCursor"], found["pageInfo"]["endCursor"]
        assert ends == (found["edges"][0]["cursor"], found["edges"][-1]["cursor"])
    return found


def ids(found: dict[str, Any]) -> list[str]:
    """The ids on a page."""
    return [node["id"] for node in found["nodes"]]


async def walk(client: GraphQLClient, order: str, size: int, *, backward: bool) -> list[list[str]]:
    """The pages of the whole list, in its order; each says rightly whether there is more on either side."""
    amount, position, end, onwards, behind = (
        ("last", "before", "startCursor", "hasPreviousPage", "hasNextPage")
        if backward
        else ("first", "after", "endCursor", "hasNextPage", "hasPreviousPage")
    )
    pages: list[list[str]] = []
    cursor = None
    while True:
        found = await page(client, order, **{amount: size, position: cursor})
        info = found["pageInfo"]
        assert info[behind] == bool(pages)
        pages.append(ids(found))
        if not info[onwards]:
            return pages[::-1] if backward else pages
        cursor = info[end]


async def in_order(dsn: str, order: str) -> list[str]:
    """The ids of all sessions as the database orders them."""
    found = await rows(dsn, f"SELECT id FROM chat_sessions ORDER BY {ORDERS[order]}")
    return [global_id("ChatSession", row["id"]) for row in found]


@settings(
    max_examples=25, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(order=st.sampled_from(sorted(ORDERS)), size=st.integers(1, SESSIONS + 1), backward=st.booleans())
async def test_pages_hold_every_session_once_and_in_order(
    client: GraphQLClient, tied: None, dsn: str, order: str, size: int, backward: bool
) -> None:
    pages = await walk(client, order, size, backward=backward)

    assert [session for found in pages for session in found] == await in_order(dsn, order)
    full = pages[1:] if backward else pages[:-1]
    assert all(len(found) == size for found in full)
    assert all(pages)


async def test_a_page_between_two_cursors_ends_at_both(client: GraphQLClient, tied: None) -> None:
    edges = (await page(client))["edges"]
    after, before = edges[2]["cursor"], edges[9]["cursor"]

    forward = await page(client, first=4, after=after, before=before)
    backward = await page(client, last=4, after=after, before=before)
    whole = await page(client, first=100, after=after, before=before)

    everything = [edge["node"]["id"] for edge in edges]
    assert (ids(forward), forward["pageInfo"]["hasNextPage"]) == (everything[3:7], True)
    assert (ids(backward), backward["pageInfo"]["hasPreviousPage"]) == (everything[5:9], True)
    assert ids(whole) == everything[3:9]


async def test_an_empty_page_has_no_cursors(client: GraphQLClient, tied: None) -> None:
    last = (await page(client))["pageInfo"]["endCursor"]

    beyond = await page(client, after=last)

    assert beyond["nodes"] == []
    assert beyond["pageInfo"] == {
        "hasNextPage": False, "hasPreviousPage": True, "startCursor": None, "endCursor": None,
    }  # fmt: skip


async def test_sessions_that_come_meanwhile_neither_repeat_nor_hide_others(
    client: GraphQLClient, tied: None, dsn: str
) -> None:
    before = await in_order(dsn, "UPDATED_AT_DESC")
    seen: list[str] = []

    cursor, more = None, True
    while more:
        found = await page(client, first=3, after=cursor)
        seen += ids(found)
        cursor, more = found["pageInfo"]["endCursor"], found["pageInfo"]["hasNextPage"]
        await client.create_session(title="meanwhile")

    assert seen == before


async def test_a_session_deleted_meanwhile_hides_no_other(client: GraphQLClient, tied: None, dsn: str) -> None:
    before = await in_order(dsn, "UPDATED_AT_ASC")
    found = await page(client, "UPDATED_AT_ASC", first=5)

    # The very session the cursor stands on, and the one behind it.
    for gone in before[4:6]:
        await client.mutate("deleteSession", "deletedSessionId", {"sessionId": gone})
    rest = await page(client, "UPDATED_AT_ASC", after=found["pageInfo"]["endCursor"])

    assert ids(found) + ids(rest) == before[:5] + before[6:]
