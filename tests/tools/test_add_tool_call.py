"""Adding what a model asked for to its message."""

from typing import Any

import pytest

from tests.client import GraphQLClient
from tests.conversations import broken_rules
from tests.worlds import add_call, rows, stored

CALL = """toolCall { id callId position name arguments result resultTruncated success error executedAt durationMs
message { id } }"""


@pytest.fixture
async def message(client: GraphQLClient) -> str:
    """An assistant's message that calls tools."""
    session = await client.create_session()
    return str((await client.reply(session, "", callsTools=True))["message"]["id"])


async def add(client: GraphQLClient, message: str, **input_: Any) -> dict[str, Any]:
    """The payload of a new call."""
    return await client.mutate(
        "addToolCall", CALL, {"messageId": message, "name": "search", "arguments": "{}", **input_}
    )


async def positions(client: GraphQLClient, message: str) -> list[tuple[int, str]]:
    """The calls of a message, as they are listed."""
    query = "query ($id: ID!) { message(id: $id) { toolCalls { position name } } }"
    calls = (await client.data(query, {"id": message}))["message"]["toolCalls"]
    return [(call["position"], call["name"]) for call in calls]


async def test_calls_stand_in_the_order_they_were_added(client: GraphQLClient, message: str) -> None:
    for name in ("search", "read", "search"):
        await add(client, message, name=name)

    assert await positions(client, message) == [(1, "search"), (2, "read"), (3, "search")]


async def test_a_call_holds_what_was_given(client: GraphQLClient, message: str) -> None:
    given = {
        "callId": "call_1", "name": "search", "arguments": '{"q": "Lissabon', "result": "[]", "success": False,
        "error": "no network", "durationMs": 12, "executedAt": "2026-05-01T12:00:00+00:00",
    }  # fmt: skip

    payload = await add(client, message, **given)

    call = payload["toolCall"]
    assert call == {**given, "id": call["id"], "position": 1, "resultTruncated": False, "message": {"id": message}}


async def test_the_bounds_of_arguments_and_result(client: GraphQLClient, message: str, dsn: str) -> None:
    longest = "🔍" * 8_000

    exact = await add(client, message, arguments=longest, result=longest)
    cut = await add(client, message, result=longest + "!")
    before = await stored(dsn)
    refused = await add(client, message, arguments=longest + "!")

    assert (exact["toolCall"]["arguments"], exact["toolCall"]["result"]) == (longest, longest)
    assert exact["toolCall"]["resultTruncated"] is False
    assert (cut["toolCall"]["result"], cut["toolCall"]["resultTruncated"]) == (longest, True)
    assert (refused["error"]["code"], refused["error"]["field"]) == ("VALIDATION_ERROR", "arguments")
    assert await stored(dsn) == before


async def test_a_call_id_stands_once_in_a_message(client: GraphQLClient, message: str, dsn: str) -> None:
    await add(client, message, callId="call_1")
    other = (await client.reply(await client.create_session()))["message"]["id"]
    before = await stored(dsn)

    again = await add(client, message, callId="call_1", name="another")

    assert (again["error"]["code"], again["error"]["field"]) == ("ALREADY_EXISTS", "callId")
    assert await stored(dsn) == before
    assert (await add(client, other, callId="call_1"))["success"]
    assert (await add(client, message))["success"]
    assert (await add(client, message))["success"]


async def test_only_an_assistants_message_calls_tools(client: GraphQLClient, dsn: str) -> None:
    question = (await client.say(await client.create_session()))["message"]["id"]
    before = await stored(dsn)

    payload = await add(client, question)

    assert (payload["error"]["code"], payload["error"]["field"]) == ("VALIDATION_ERROR", "messageId")
    assert await stored(dsn) == before


async def test_a_tombstone_calls_no_tools(client: GraphQLClient, message: str, dsn: str) -> None:
    await add(client, message)
    await client.mutate("deleteMessage", "message { id }", {"messageId": message})
    before = await stored(dsn)

    payload = await add(client, message)

    assert (payload["error"]["code"], payload["error"]["field"]) == ("INVALID_TRANSITION", "messageId")
    assert await positions(client, message) == []
    assert await stored(dsn) == before


async def test_a_message_has_at_most_as_many_calls_as_the_bound(client: GraphQLClient, message: str, dsn: str) -> None:
    for number in range(128):
        await add_call(client, message, name=f"tool-{number}")
    before = await stored(dsn)

    payload = await add(client, message)

    assert payload["error"]["code"] == "LIMIT_EXCEEDED"
    assert await stored(dsn) == before
    assert (await positions(client, message))[-1] == (128, "tool-127")
    assert (await rows(dsn, "SELECT tool_calls FROM chat_sessions")) == [{"tool_calls": 128}]
    assert await broken_rules(dsn) == []
