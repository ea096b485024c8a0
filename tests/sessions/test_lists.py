"""Which sessions a list holds, and in which order."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.client import GraphQLClient
from tests.worlds import ClientAs, rows

LIST = """query ($filter: SessionFilter, $order: SessionOrder! = UPDATED_AT_DESC) {
  sessions(filter: $filter, orderBy: $order) { totalCount nodes { title } } }"""

SET_TIMES = "UPDATE chat_sessions SET created_at = $2, updated_at = $3 WHERE title = $1"

SESSIONS: list[dict[str, Any]] = [
    {"title": "a", "status": "ACTIVE", "agentId": "planner", "tags": ["red", "green"]},
    {"title": "b", "status": "PAUSED", "agentId": "planner", "tags": ["green"]},
    {"title": "c", "status": "ARCHIVED", "agentId": "coder", "tags": ["red", "green", "blue"]},
    {"title": "d", "status": "ACTIVE", "tags": []},
]


FILTERS: list[tuple[dict[str, Any], str]] = [
    ({"tags": ["green"]}, "abc"),
    ({"tags": ["green", "red"]}, "ac"),
    ({"tags": ["red", "blue", "green"]}, "c"),
    ({"tags": ["red", "pink"]}, ""),
    ({"tags": ["Red"]}, ""),
    ({"tags": []}, "abcd"),
    ({"status": ["ACTIVE"]}, "ad"),
    ({"status": ["PAUSED", "ARCHIVED"]}, "bc"),
    ({"status": ["FAILED"]}, ""),
    ({"status": []}, ""),
    ({"agentId": "planner"}, "ab"),
    ({"agentId": "plan"}, ""),
    ({"updatedFrom": "2026-06-02T00:00:00Z"}, "acd"),
    ({"updatedTo": "2026-06-02T00:00:00Z"}, "b"),
    ({"updatedFrom": "2026-06-02T02:00:00+02:00", "updatedTo": "2026-06-04T00:00:00Z"}, "ad"),
    ({"updatedFrom": "2026-06-04T00:00:00Z", "updatedTo": "2026-06-02T00:00:00Z"}, ""),
    ({"agentId": "planner", "tags": ["green"], "status": ["PAUSED"]}, "b"),
    ({"userId": "alice"}, "abcd"),
    ({"userId": "bob"}, ""),
    ({"tags": None, "status": None, "agentId": None, "userId": None}, "abcd"),
]
"""Conditions, and the titles of the sessions that meet them."""


@pytest.fixture
async def four(client: GraphQLClient, dsn: str) -> GraphQLClient:
    """A client with sessions made on the first days of May as a, b, c, d; changed in June in the order b, d, a, c."""
    changed = {"b": 1, "d": 2, "a": 3, "c": 4}
    for day, session in enumerate(SESSIONS, 1):
        await client.create_session(**session)
        title = session["title"]
        times = datetime(2026, 5, day, tzinfo=UTC), datetime(2026, 6, changed[title], tzinfo=UTC)
        await rows(dsn, SET_TIMES, title, *times)
    return client


async def titles(client: GraphQLClient, order: str = "CREATED_AT_ASC", **conditions: object) -> str:
    """The titles in a list, in its order; as many as the list counts."""
    found = (await client.data(LIST, {"filter": conditions or None, "order": order}))["sessions"]
    assert found["totalCount"] == len(found["nodes"])
    return "".join(node["title"] for node in found["nodes"])


async def test_a_list_has_the_order_that_was_asked_for(four: GraphQLClient) -> None:
    orders = {"UPDATED_AT_DESC": "cadb", "UPDATED_AT_ASC": "bdac", "CREATED_AT_DESC": "dcba", "CREATED_AT_ASC": "abcd"}

    assert {order: await titles(four, order) for order in orders} == orders


async def test_what_was_changed_last_comes_first_without_an_order(four: GraphQLClient) -> None:
    first = (await four.data("{ sessions { nodes { id title } } }"))["sessions"]["nodes"]
    assert [node["title"] for node in first] == ["c", "a", "d", "b"]

    await four.say(first[3]["id"])

    again = (await four.data("{ sessions { nodes { title } } }"))["sessions"]["nodes"]
    assert [node["title"] for node in again] == ["b", "c", "a", "d"]


async def test_a_filter_keeps_what_meets_every_condition(four: GraphQLClient) -> None:
    for conditions, expected in FILTERS:
        assert await titles(four, **conditions) == expected, conditions


async def test_an_admin_lists_another_users_sessions_by_the_same_filters(
    four: GraphQLClient, client_as: ClientAs
) -> None:
    admin, stranger = await client_as("system"), await client_as("system@acme")

    assert await titles(admin, userId="alice") == "abcd"
    assert await titles(admin, "UPDATED_AT_DESC", userId="alice", tags=["red"]) == "ca"
    assert await titles(admin) == ""
    assert await titles(stranger, userId="alice") == ""
