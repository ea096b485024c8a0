"""A message after it was stored: its statuses, its changes, and what a deletion leaves."""

from itertools import product
from typing import Any

import pytest

from app.messages.values import TRANSITIONS, MessageStatus
from tests.client import GraphQLClient
from tests.conversations import broken_rules
from tests.worlds import Conversation, add_call, conversation, rows, stored

ALL = """id sequenceNumber role status content tokenCount tokenCountEstimated toolCallId errorCode errorMessage metadata
createdAt updatedAt deletedAt intent { name confidence keywords }
contextItems { documentChunks insights jtbds metrics }
generation { model temperature source processingTimeMs streaming }
session { id messageCount totalTokensUsed totalDurationMs } parent { id } children { nodes { id } } toolCalls { id }"""

CONTEXT = {"documentChunks": [{"id": 1}], "insights": [{"text": "x"}], "jtbds": [], "metrics": [{"clicks": 3}]}


async def read(client: GraphQLClient, message: str) -> dict[str, Any]:
    """Every field of a message."""
    found: dict[str, Any] = (
        await client.data(f"query ($id: ID!) {{ message(id: $id) {{ {ALL} }} }}", {"id": message})
    )["message"]
    return found


async def update(client: GraphQLClient, message: str, **changes: Any) -> dict[str, Any]:
    """The payload of a change."""
    return await client.mutate("updateMessage", f"message {{ {ALL} }}", {"messageId": message, **changes})


async def delete(client: GraphQLClient, message: str) -> dict[str, Any]:
    """The payload of a deletion."""
    return await client.mutate("deleteMessage", f"message {{ {ALL} }}", {"messageId": message})


async def a_reply(client: GraphQLClient, **input_: Any) -> str:
    """The id of an assistant's message in a session of its own."""
    return str((await client.reply(await client.create_session(), **input_))["message"]["id"])


async def test_a_status_goes_where_the_table_lets_it(client: GraphQLClient, dsn: str) -> None:
    for before, wanted in product(MessageStatus, MessageStatus):
        message = await a_reply(client, status=before.name)
        stored_before = await rows(dsn, "SELECT * FROM events")

        payload = await update(client, message, status=wanted.name, content="changed")

        place = f"{before} -> {wanted}"
        found = await read(client, message)
        if wanted in TRANSITIONS[before]:
            assert payload["success"], place
            assert (found["status"], found["content"]) == (wanted.name, "changed"), place
        else:
            assert (payload["error"]["code"], payload["error"]["field"]) == ("INVALID_TRANSITION", "status"), place
            assert (found["status"], found["content"]) == (before.name, "hi"), place
            assert await rows(dsn, "SELECT * FROM events") == stored_before


async def test_a_refused_status_tells_both(client: GraphQLClient) -> None:
    message = await a_reply(client)

    query = """mutation ($id: ID!) { updateMessage(input: { messageId: $id, status: PENDING }) {
      error { details message } } }"""
    error = (await client.data(query, {"id": message}))["updateMessage"]["error"]

    assert error["details"] == {"from": "COMPLETED", "to": "PENDING"}
    assert error["message"] == "a message that is COMPLETED cannot become PENDING"


async def test_a_failed_answer_keeps_its_partial_content(client: GraphQLClient) -> None:
    message = await a_reply(client, content="", status="PROCESSING")
    await update(client, message, content="The answer is fo")

    payload = await update(client, message, status="FAILED", errorCode="TIMEOUT", errorMessage="the model went away")

    found = payload["message"]
    assert (found["status"], found["content"]) == ("FAILED", "The answer is fo")
    assert (found["errorCode"], found["errorMessage"]) == ("TIMEOUT", "the model went away")
    assert await read(client, message) == found


async def test_an_answer_with_an_error_code_has_failed(client: GraphQLClient) -> None:
    message = await a_reply(client, content="Half an ans", errorCode="CONTENT_FILTER", errorMessage="stopped")

    found = await read(client, message)

    assert (found["status"], found["content"], found["errorCode"]) == ("FAILED", "Half an ans", "CONTENT_FILTER")


async def test_a_change_leaves_what_is_left_out_and_null_clears(client: GraphQLClient) -> None:
    message = await a_reply(client, metadata={"a": 1}, errorCode="E", errorMessage="words", contextItems=CONTEXT)
    before = await read(client, message)

    changed = (await update(client, message, metadata={"b": [2]}))["message"]
    cleared = (await update(client, message, metadata=None, errorCode=None, errorMessage=None))["message"]

    assert changed == {
        **before, "metadata": {"b": [2]}, "updatedAt": changed["updatedAt"],
    }  # fmt: skip
    assert changed["updatedAt"] > before["updatedAt"]
    assert (cleared["metadata"], cleared["errorCode"], cleared["errorMessage"]) == ({}, None, None)
    assert (cleared["status"], cleared["contextItems"]) == ("FAILED", CONTEXT)


async def test_a_longer_text_does_not_change_what_was_counted(client: GraphQLClient) -> None:
    message = await a_reply(client, tokensUsed=7)

    changed = (await update(client, message, content="a much longer text than there was before"))["message"]

    assert (changed["tokenCount"], changed["session"]["totalTokensUsed"]) == (7, "7")


@pytest.mark.parametrize("changes", [{}, {"content": None}, {"status": None}, {"content": " "}], ids=str)
async def test_a_change_of_nothing_or_to_nothing_is_refused(
    changes: dict[str, Any], client: GraphQLClient, dsn: str
) -> None:
    message = await a_reply(client)
    before = await stored(dsn)

    payload = await update(client, message, **changes)

    assert (payload["success"], payload["error"]["code"]) == (False, "VALIDATION_ERROR")
    assert await stored(dsn) == before


@pytest.fixture
async def own(client: GraphQLClient) -> Conversation:
    """A conversation of a question, its answer and two more, each with a tool call."""
    return await conversation(client, mark="secret")


async def test_a_tombstone_keeps_its_number_place_and_counters_and_nothing_else(
    client: GraphQLClient, own: Conversation, dsn: str
) -> None:
    message = (
        await client.reply(
            own.session, "secret", parentMessageId=own.chains[0][0], contextItems=CONTEXT, metadata={"secret": 1},
            intent={"name": "secret", "keywords": ["secret"]}, errorCode="E", errorMessage="secret", modelUsed="m",
            processingTimeMs=40, tokensUsed=9, temperature=0.5, streaming={"chunkCount": 2},
        )
    )["message"]["id"]  # fmt: skip
    await add_call(client, message, name="secret", arguments="secret", result="secret")
    await client.reply(own.session, "an answer to it")
    before = await read(client, message)
    assert before["intent"]
    assert len(before["toolCalls"]) == len(before["children"]["nodes"]) == 1

    payload = await delete(client, message)

    gone = payload["message"]
    assert gone == await read(client, message)
    assert gone == {
        **before, "content": "", "intent": None, "metadata": {}, "errorMessage": None, "toolCalls": [],
        "contextItems": {"documentChunks": [], "insights": [], "jtbds": [], "metrics": []},
        "generation": {**before["generation"], "streaming": {}}, "deletedAt": gone["deletedAt"],
        "updatedAt": gone["deletedAt"],
    }  # fmt: skip
    assert gone["deletedAt"] > before["updatedAt"]
    assert await rows(dsn, "SELECT id FROM tool_calls WHERE message_id = (SELECT id FROM chat_messages "
                           "WHERE deleted_at IS NOT NULL)") == []  # fmt: skip
    assert await broken_rules(dsn) == []
    left = await rows(dsn, "SELECT m::text AS row FROM chat_messages AS m WHERE deleted_at IS NOT NULL")
    assert "secret" not in left[0]["row"]


async def test_deleting_a_question_clears_its_intent(client: GraphQLClient) -> None:
    session = await client.create_session()
    message = (await client.say(session, "Please cancel my booking", contextItems=CONTEXT))["message"]["id"]
    assert (await read(client, message))["intent"]["name"]

    await delete(client, message)

    assert (await read(client, message))["intent"] is None


async def test_deleting_twice_is_once(client: GraphQLClient, own: Conversation, dsn: str) -> None:
    first = await delete(client, own.question)
    before = await stored(dsn)

    again = await delete(client, own.question)

    assert (first["success"], first["deduplicated"]) == (True, False)
    assert (again["success"], again["deduplicated"]) == (True, True)
    assert again["message"] == first["message"]
    assert await stored(dsn) == before


async def test_a_tombstone_cannot_be_changed(client: GraphQLClient, own: Conversation, dsn: str) -> None:
    await delete(client, own.question)
    before = await stored(dsn)

    late: list[dict[str, Any]] = [{"content": "back"}, {"status": "COMPLETED"}, {"status": "PENDING"}, {"metadata": {}}]

    for changes in late:
        payload = await update(client, own.question, **changes)
        assert (payload["error"]["code"], payload["error"]["field"]) == ("INVALID_TRANSITION", "messageId")
    assert await stored(dsn) == before
