"""The conversation as it is shown: from a first message to the active leaf, in pages that cost what they show."""

from typing import Any

import asyncpg
import pytest

from app.branches import loaders
from app.core.actor import Actor
from app.db.database import Database
from app.db.pages import PageShape
from tests.branches.trees import chain, leaf, numbers, of_message, of_session, path, plant, shown
from tests.client import GraphQLClient
from tests.conversations import new_session
from tests.fakes import StatementRecorder

TREE = [None, 1, 2, 1, 4, 5, 2]
"""Numbers 1, 2, 7 are the path; 3 is beside 7, and 4, 5, 6 are another answer with all below it."""


def ends(page: dict[str, Any]) -> tuple[bool, bool]:
    """Whether more precedes, and whether more follows."""
    return page["pageInfo"]["hasPreviousPage"], page["pageInfo"]["hasNextPage"]


async def test_the_path_leads_from_the_first_message_to_the_leaf(
    client: GraphQLClient, database: Database, dsn: str, actor: Actor
) -> None:
    session_id = await new_session(database, actor)
    await plant(dsn, actor, session_id, TREE)
    session = of_session(session_id)

    assert await shown(client, session) == [1, 2, 7]
    assert await leaf(client, session) == 7


async def test_a_session_without_messages_has_an_empty_path(client: GraphQLClient) -> None:
    session = await client.create_session()

    found = await client.data(
        """query ($id: ID!) { session(id: $id) { activeLeaf { id }
             activePath { totalCount nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor } } } }""",
        {"id": session},
    )

    info = {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None}
    assert found["session"] == {"activeLeaf": None, "activePath": {"totalCount": 0, "nodes": [], "pageInfo": info}}


async def test_the_path_is_paged_either_way(client: GraphQLClient, database: Database, dsn: str, actor: Actor) -> None:
    session_id = await new_session(database, actor)
    # A branch beside every message of the path: 1, 3, 5 … are its numbers.
    await plant(dsn, actor, session_id, [None, *(n for m in range(1, 13, 2) for n in (m, m))])
    session = of_session(session_id)
    latest = await path(client, session, last=2)
    earlier = await path(client, session, last=3, before=latest["pageInfo"]["startCursor"])
    earliest = await path(client, session, last=3, before=earlier["pageInfo"]["startCursor"])
    first = await path(client, session, first=3)
    then = await path(client, session, first=4, after=first["pageInfo"]["endCursor"])
    between = await path(
        client, session, last=1, after=first["pageInfo"]["startCursor"], before=latest["pageInfo"]["endCursor"]
    )
    both = await path(
        client, session, first=2, after=first["pageInfo"]["startCursor"], before=latest["pageInfo"]["endCursor"]
    )

    assert [numbers(page) for page in (latest, earlier, earliest)] == [[11, 13], [5, 7, 9], [1, 3]]
    assert [ends(page) for page in (latest, earlier, earliest)] == [(True, False), (True, True), (False, True)]
    assert [numbers(page) for page in (first, then)] == [[1, 3, 5], [7, 9, 11, 13]]
    assert [ends(page) for page in (first, then)] == [(False, True), (True, False)]
    assert (numbers(between), ends(between)) == ([11], (True, True))
    assert numbers(both) == [3, 5]


async def test_the_path_is_in_the_order_of_the_tree_also_where_numbers_are_not(
    client: GraphQLClient, database: Database, dsn: str, actor: Actor
) -> None:
    session_id = await new_session(database, actor)
    # 3 and 4 were said while 2 waited for a tool: they follow its result 5 and the rest of the answer 6.
    await plant(dsn, actor, session_id, [None, 1, 6, 3, 2, 5, 4])
    session = of_session(session_id)
    first = await path(client, session, first=3)
    then = await path(client, session, first=10, after=first["pageInfo"]["endCursor"])
    latest = await path(client, session, last=3)
    earlier = await path(client, session, last=2, before=latest["pageInfo"]["startCursor"])

    assert await shown(client, session) == [1, 2, 5, 6, 3, 4, 7]
    assert [numbers(page) for page in (first, then)] == [[1, 2, 5], [6, 3, 4, 7]]
    assert [numbers(page) for page in (latest, earlier)] == [[3, 4, 7], [5, 6]]
    assert [ends(page) for page in (first, then, latest)] == [(False, True), (True, False), (True, False)]


async def test_what_precedes_a_cursor_is_what_led_there_when_the_leaf_has_moved(
    client: GraphQLClient, database: Database, dsn: str, actor: Actor
) -> None:
    session_id = await new_session(database, actor)
    ids = await plant(dsn, actor, session_id, chain(6))
    session = of_session(session_id)
    seen = await path(client, session, last=2)

    await client.say(session, parentMessageId=of_message(ids[0]))

    assert await shown(client, session) == [1, 7]
    assert numbers(await path(client, session, last=2, before=seen["pageInfo"]["startCursor"])) == [3, 4]


async def test_ten_thousand_messages_are_paged_to_the_first_and_back(
    client: GraphQLClient, database: Database, dsn: str, actor: Actor, statements: StatementRecorder
) -> None:
    session_id = await new_session(database, actor)
    await plant(dsn, actor, session_id, chain(10_000))
    session, before = of_session(session_id), None
    pages: list[list[int]] = []
    statements.clear()

    while before is not None or not pages:
        page = await path(client, session, last=100, before=before)
        pages.append(numbers(page))
        before = page["pageInfo"]["startCursor"] if page["pageInfo"]["hasPreviousPage"] else None

    assert [number for page in reversed(pages) for number in page] == list(range(1, 10_001))
    assert len(statements.sent) == 2 * 100
    first = await path(client, session, first=100)
    assert (numbers(first), ends(first)) == (list(range(1, 101)), (False, True))
    counted = await client.data(
        "query ($id: ID!) { session(id: $id) { activePath(last: 1) { totalCount } } }", {"id": session}
    )
    assert counted["session"]["activePath"]["totalCount"] == 10_000


@pytest.mark.parametrize("before", [False, True])
async def test_the_end_of_a_long_path_is_read_without_the_rest_of_it(
    database: Database, dsn: str, actor: Actor, before: bool
) -> None:
    session_id = await new_session(database, actor)
    ids = await plant(dsn, actor, session_id, chain(10_000))
    query = loaders._page(PageShape(backward=True, after=False, before=before), frozenset())
    values: dict[str, object] = {"tenant_id": actor.tenant_id, "limit": 21}
    values |= {"starts": [session_id], "before_0": 9_000} if before else {"starts": [ids[-1]]}
    connection = await asyncpg.connect(dsn)
    try:
        plan = await connection.fetch(f"EXPLAIN (ANALYZE, TIMING OFF) {query.sql}", *query.arguments(values))
    finally:
        await connection.close()

    scans = [line["QUERY PLAN"] for line in plan if " on chat_messages" in line["QUERY PLAN"]]

    assert scans
    assert not [scan for scan in scans if "Seq Scan" in scan]
    read = [scan.split("actual rows=")[1].split(")")[0].split(" loops=") for scan in scans]
    assert max(float(rows) * int(loops) for rows, loops in read) <= 21


async def test_twenty_sessions_with_their_paths_and_siblings_are_three_statements(
    client: GraphQLClient, database: Database, dsn: str, actor: Actor, statements: StatementRecorder
) -> None:
    query = "{ sessions(first: 20) { nodes { activePath(last: 20) { nodes { siblings { index count } } } } } }"
    costs = []

    for more in (1, 19):
        for _ in range(more):
            await plant(dsn, actor, await new_session(database, actor), [*chain(30), 28, 28])
        statements.clear()
        data = await client.data(query)
        costs.append(len(statements.sent))

    assert costs == [3, 3]
    found = [node["siblings"] for each in data["sessions"]["nodes"] for node in each["activePath"]["nodes"]]
    assert found == ([{"index": 1, "count": 1}] * 19 + [{"index": 3, "count": 3}]) * 20
