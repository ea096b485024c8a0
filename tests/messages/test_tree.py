"""Which message answers which: the latest by default, any of the session on request."""

from typing import Any

from tests.client import GraphQLClient
from tests.worlds import stored

TREE = """query ($id: ID!, $first: Int, $after: String, $last: Int) { message(id: $id) {
  parent { sequenceNumber } session { id messageCount }
  children(first: $first, after: $after, last: $last) {
    totalCount nodes { sequenceNumber parent { id } } pageInfo { hasNextPage hasPreviousPage endCursor } } } }"""


async def said(client: GraphQLClient, session: str, **input_: Any) -> str:
    """The id of a new user message."""
    return str((await client.say(session, **input_))["message"]["id"])


async def answered(client: GraphQLClient, session: str, **input_: Any) -> str:
    """The id of a new assistant message."""
    return str((await client.reply(session, **input_))["message"]["id"])


async def around(client: GraphQLClient, message: str, **page: Any) -> dict[str, Any]:
    """What stands around a message."""
    found: dict[str, Any] = (await client.data(TREE, {"id": message, **page}))["message"]
    return found


def numbers(found: dict[str, Any]) -> list[int]:
    """The numbers of the children."""
    return [node["sequenceNumber"] for node in found["children"]["nodes"]]


async def test_a_message_answers_the_latest_one_by_default(client: GraphQLClient) -> None:
    session = await client.create_session()

    first = await said(client, session)
    second = await answered(client, session)
    third = await said(client, session)

    assert (await around(client, first))["parent"] is None
    assert (await around(client, second))["parent"] == {"sequenceNumber": 1}
    assert (await around(client, third))["parent"] == {"sequenceNumber": 2}
    assert numbers(await around(client, first)) == [2]
    assert numbers(await around(client, third)) == []


async def test_a_named_parent_makes_siblings_and_the_next_follows_the_latest(client: GraphQLClient) -> None:
    session = await client.create_session()
    question = await said(client, session)
    await answered(client, session)
    await said(client, session)

    again = await answered(client, session, parentMessageId=question)
    onwards = await said(client, session)

    found = await around(client, question)
    assert numbers(found) == [2, 4]
    assert {node["parent"]["id"] for node in found["children"]["nodes"]} == {question}
    assert (await around(client, onwards))["parent"] == {"sequenceNumber": 4}
    assert numbers(await around(client, again)) == [5]
    assert found["session"] == {"id": session, "messageCount": 5}


async def test_children_are_paged_by_number_either_way(client: GraphQLClient) -> None:
    session = await client.create_session()
    question = await said(client, session)
    for _ in range(5):
        await answered(client, session, parentMessageId=question)

    first = await around(client, question, first=2)
    then = await around(client, question, first=3, after=first["children"]["pageInfo"]["endCursor"])
    last = await around(client, question, last=2)

    assert (numbers(first), numbers(then), numbers(last)) == ([2, 3], [4, 5, 6], [5, 6])
    assert first["children"]["totalCount"] == 5
    ends = [
        (found["children"]["pageInfo"]["hasPreviousPage"], found["children"]["pageInfo"]["hasNextPage"])
        for found in (first, then, last)
    ]
    assert ends == [(False, True), (True, False), (True, False)]


async def test_a_parent_of_another_session_is_refused(client: GraphQLClient, dsn: str) -> None:
    session, other = await client.create_session(), await client.create_session()
    elsewhere = await said(client, other)
    before = await stored(dsn)

    for tell in (client.say, client.reply):
        payload = await tell(session, parentMessageId=elsewhere)
        assert (payload["success"], payload["message"]) == (False, None)
        assert (payload["error"]["code"], payload["error"]["field"]) == ("VALIDATION_ERROR", "parentMessageId")
    assert await stored(dsn) == before


async def test_a_tombstone_is_still_answered(client: GraphQLClient) -> None:
    session = await client.create_session()
    question = await said(client, session)
    await client.mutate("deleteMessage", "message { id }", {"messageId": question})

    answer = await answered(client, session)
    again = await answered(client, session, parentMessageId=question)

    assert (await around(client, answer))["parent"] == (await around(client, again))["parent"] == {"sequenceNumber": 1}


async def test_messages_of_a_session_are_paged_by_number(client: GraphQLClient) -> None:
    session = await client.create_session()
    for _ in range(5):
        await said(client, session)
    query = """query ($id: ID!, $last: Int, $before: String, $first: Int) { session(id: $id) {
      messages(last: $last, before: $before, first: $first) { totalCount nodes { sequenceNumber }
        pageInfo { startCursor hasNextPage hasPreviousPage } } } }"""

    async def page(**arguments: Any) -> dict[str, Any]:
        found: dict[str, Any] = (await client.data(query, {"id": session, **arguments}))["session"]["messages"]
        return found

    latest = await page(last=2)
    earlier = await page(last=5, before=latest["pageInfo"]["startCursor"])
    first = await page(first=5)

    shown = [[node["sequenceNumber"] for node in found["nodes"]] for found in (latest, earlier, first)]
    assert shown == [[4, 5], [1, 2, 3], [1, 2, 3, 4, 5]]
    ends = [
        (found["pageInfo"]["hasPreviousPage"], found["pageInfo"]["hasNextPage"]) for found in (latest, earlier, first)
    ]
    assert ends == [(True, False), (False, True), (False, False)]
    assert latest["totalCount"] == 5
