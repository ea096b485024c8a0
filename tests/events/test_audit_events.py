"""The audit trail: who did what and when, newest first, and never what was said."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.client import GraphQLClient
from tests.worlds import ClientAs, add_call, rows

LIST = """query ($filter: AuditEventFilter, $first: Int, $after: String, $last: Int, $before: String) {
  auditEvents(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
    totalCount nodes { id seq kind sessionId payload actor correlationId at }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""

SECRET = "the-launch-code-is-0451"


async def events(client: GraphQLClient, **arguments: Any) -> dict[str, Any]:
    """A page of the trail."""
    found: dict[str, Any] = (await client.data(LIST, arguments))["auditEvents"]
    return found


async def kinds(client: GraphQLClient, **conditions: Any) -> list[str]:
    """The kinds of the events that meet the conditions; as many as are counted."""
    found = await events(client, filter=conditions)
    assert found["totalCount"] == len(found["nodes"])
    return [node["kind"] for node in found["nodes"]]


async def everything(client: GraphQLClient) -> str:
    """The id of a session in which everything happened once, with the same text wherever people write."""
    session = await client.create_session(title="Trip")
    await client.mutate("updateSession", "session { id }", {"sessionId": session, "description": SECRET})
    metadata = {"customData": {SECRET: SECRET}, "summary": SECRET}
    await client.mutate("setSessionMetadata", "session { id }", {"sessionId": session, **metadata})
    facts = {"metadata": {SECRET: SECRET}, "contextItems": {"insights": [{SECRET: SECRET}]}}
    await client.say(session, SECRET, **facts)
    answer = (await client.reply(session, SECRET, errorMessage=SECRET, status="PROCESSING", **facts))["message"]["id"]
    changes = {"content": f"{SECRET}!", "errorMessage": f"{SECRET}!", "metadata": {"again": SECRET}}
    await client.mutate("updateMessage", "message { id }", {"messageId": answer, **changes})
    await add_call(client, answer, arguments=SECRET, result=SECRET, error=SECRET)
    await client.mutate("deleteMessage", "message { id }", {"messageId": answer})
    await client.mutate("deleteSession", "deletedSessionId", {"sessionId": session})
    return session


ALL_KINDS = [
    "SESSION_DELETED", "MESSAGE_DELETED", "TOOL_CALL_ADDED", "MESSAGE_UPDATED", "MESSAGE_APPENDED", "MESSAGE_APPENDED",
    "SESSION_METADATA_SET", "SESSION_UPDATED", "SESSION_CREATED",
]  # fmt: skip


async def test_everything_that_happens_is_one_event_and_newest_comes_first(client: GraphQLClient) -> None:
    session = await everything(client)

    nodes = (await events(client))["nodes"]

    assert [node["kind"] for node in nodes] == ALL_KINDS
    assert [node["seq"] for node in nodes] == [str(seq) for seq in range(9, 0, -1)]
    assert {node["sessionId"] for node in nodes} == {session}
    assert {node["actor"] for node in nodes} == {"alice"}
    assert len({node["correlationId"] for node in nodes}) == 9
    times = [node["at"] for node in nodes]
    assert times == sorted(times, reverse=True)


async def test_the_trail_holds_no_text_of_messages(client: GraphQLClient, dsn: str) -> None:
    await everything(client)

    [written] = await rows(dsn, "SELECT string_agg(e::text, '|') AS text, count(*) AS events FROM events AS e")

    assert written["events"] == 9
    assert SECRET not in written["text"]
    assert "0451" not in str(await events(client))


async def test_payloads_hold_ids_and_facts(client: GraphQLClient) -> None:
    session = await everything(client)

    payloads = {node["kind"]: node["payload"] for node in (await events(client))["nodes"]}

    message = payloads["MESSAGE_UPDATED"]["messageId"]
    call = payloads["TOOL_CALL_ADDED"]["toolCallId"]
    assert payloads["SESSION_CREATED"] == {"sessionId": session, "title": "Trip"}
    assert payloads["SESSION_DELETED"] == {"sessionId": session}
    assert payloads["TOOL_CALL_ADDED"] == {"messageId": message, "toolCallId": call, "name": "search"}
    assert payloads["MESSAGE_DELETED"] == {"messageId": message}
    assert payloads["MESSAGE_APPENDED"]["sequenceNumber"] == 1


async def test_a_filter_keeps_what_meets_every_condition(client: GraphQLClient) -> None:
    session, other = await everything(client), await client.create_session()
    nodes = (await events(client, filter={"sessionId": session}))["nodes"]
    middle = nodes[4]

    assert await kinds(client, sessionId=session) == ALL_KINDS
    assert await kinds(client, sessionId=other) == ["SESSION_CREATED"]
    assert await kinds(client, kind="SESSION_CREATED") == ["SESSION_CREATED"] * 2
    assert await kinds(client, kind="SESSION_CREATED", sessionId=other) == ["SESSION_CREATED"]
    assert await kinds(client, actor="alice") == ["SESSION_CREATED", *ALL_KINDS]
    assert await kinds(client, actor="bob") == []
    assert await kinds(client, correlationId=middle["correlationId"]) == [middle["kind"]]
    assert await kinds(client, correlationId="unknown") == []
    # From is included, to is not: of two neighbouring spans every event is in one.
    assert await kinds(client, **{"sessionId": session, "from": middle["at"]}) == ALL_KINDS[:5]
    assert await kinds(client, sessionId=session, to=middle["at"]) == ALL_KINDS[5:]
    assert await kinds(client, **{"from": nodes[6]["at"], "to": nodes[3]["at"]}) == ALL_KINDS[4:7]


async def walk(page: Callable[..., Awaitable[dict[str, Any]]], size: int, *, backward: bool) -> list[str]:
    """The ids of the whole list in its order, page by page."""
    amount, position, end, more = (
        ("last", "before", "startCursor", "hasPreviousPage")
        if backward
        else ("first", "after", "endCursor", "hasNextPage")
    )
    ids: list[str] = []
    cursor = None
    while True:
        found = await page(**{amount: size, position: cursor})
        here = [node["id"] for node in found["nodes"]]
        ids = here + ids if backward else ids + here
        assert found["pageInfo"]["hasNextPage" if backward else "hasPreviousPage"] == (cursor is not None)
        if not found["pageInfo"][more]:
            return ids
        cursor = found["pageInfo"][end]


async def test_pages_hold_every_event_once_though_all_came_at_one_moment(client: GraphQLClient, dsn: str) -> None:
    for _ in range(2):
        await everything(client)
    await rows(dsn, "UPDATE events SET at = '2026-05-01T12:00:00Z'")
    whole = [node["id"] for node in (await events(client))["nodes"]]
    assert len(set(whole)) == 18

    for size in (1, 4, 17, 18, 19):
        for backward in (False, True):
            assert await walk(lambda **page: events(client, **page), size, backward=backward) == whole


async def test_an_admin_sees_the_tenants_and_nobody_anothers(client: GraphQLClient, client_as: ClientAs) -> None:
    session = await everything(client)
    bob, admin, stranger = await client_as("bob"), await client_as("system"), await client_as("system@acme")
    await bob.create_session()

    assert await kinds(admin) == ["SESSION_CREATED", *ALL_KINDS]
    assert await kinds(admin, actor="alice") == await kinds(admin, sessionId=session) == ALL_KINDS
    assert await kinds(bob) == ["SESSION_CREATED"]
    assert await kinds(bob, sessionId=session) == await kinds(bob, actor="alice") == []
    assert await kinds(stranger) == await kinds(stranger, sessionId=session) == []


async def test_an_event_is_found_by_its_id_by_those_who_may_read_it(client: GraphQLClient, client_as: ClientAs) -> None:
    await everything(client)
    expected = (await events(client))["nodes"][3]
    query = """query ($id: ID!) { node(id: $id) { ... on AuditEvent {
      id seq kind sessionId payload actor correlationId at } } }"""

    async def found_by(who: GraphQLClient) -> Any:
        return (await who.data(query, {"id": expected["id"]}))["node"]

    assert await found_by(client) == await found_by(await client_as("system")) == expected
    assert await found_by(await client_as("bob")) is None
    assert await found_by(await client_as("system@acme")) is None


@pytest.mark.parametrize("cursor", ["", "x", "W10=", "WyJzZXNzaW9ucyJd"])
async def test_a_cursor_of_something_else_is_refused(cursor: str, client: GraphQLClient) -> None:
    answer = await client.answer(LIST, {"after": cursor})

    [error] = answer["errors"]
    assert (error["extensions"]["code"], error["extensions"]["field"]) == ("INVALID_CURSOR", "after")
