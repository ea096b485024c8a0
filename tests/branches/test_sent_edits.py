"""A question that is edited and asked anew, and questions of stale pages: each is a branch, and nothing is lost."""

import asyncio
from typing import Any

import pytest

from app.core.actor import Actor
from app.core.ids import parse_global_id
from app.sessions.values import SessionId
from tests.branches.trees import shown, siblings
from tests.client import GraphQLClient
from tests.conversations import broken_rules, counters, recounted, rows
from tests.worlds import stored

SENT = """session { id } userMessage { id sequenceNumber content parent { id } }
  message { id sequenceNumber status parent { id } } run { id promptMessage { id } }"""
SENDERS = 24


async def sent(client: GraphQLClient, session: str, content: str = "instead", **input_: Any) -> dict[str, Any]:
    """The payload of a question; nobody works the runs."""
    asked = {"sessionId": session, "content": content, "model": "local:echo", "onBusy": "ENQUEUE", **input_}
    return await client.mutate("sendMessage", SENT, asked)


async def talk(client: GraphQLClient) -> tuple[str, list[str]]:
    """A session with a question and an answer, twice; and their ids."""
    session = await client.create_session()
    said = [await tell(session) for tell in (client.say, client.reply, client.say, client.reply)]
    return session, [each["message"]["id"] for each in said]


async def test_an_edited_question_is_stored_beside_the_old_one_and_answered(client: GraphQLClient) -> None:
    session, ids = await talk(client)

    payload = await sent(client, session, editedMessageId=ids[2])

    question, answer = payload["userMessage"], payload["message"]
    assert (question["sequenceNumber"], question["content"], question["parent"]) == (5, "instead", {"id": ids[1]})
    assert (answer["sequenceNumber"], answer["parent"]) == (6, {"id": question["id"]})
    assert payload["run"]["promptMessage"] == {"id": question["id"]}
    assert await shown(client, session) == [1, 2, 5, 6]
    assert await siblings(client, question["id"]) == [(2, 2, 3, None)]


async def test_the_first_question_is_edited_and_answered(client: GraphQLClient) -> None:
    session, ids = await talk(client)

    payload = await sent(client, session, editedMessageId=ids[0])

    assert payload["userMessage"]["parent"] is None
    assert await shown(client, session) == [5, 6]
    assert await siblings(client, ids[0]) == [(1, 2, None, 5)]


async def refusal(client: GraphQLClient, dsn: str, session: str, **input_: Any) -> tuple[str, str]:
    """Code and field of a refused question, which stored nothing."""
    before = await stored(dsn)
    payload = await sent(client, session, **input_)
    assert await stored(dsn) == before
    return payload["error"]["code"], payload["error"]["field"]


async def test_a_question_has_one_place(client: GraphQLClient, dsn: str) -> None:
    session, ids = await talk(client)
    found = await refusal(client, dsn, session, editedMessageId=ids[2], parentMessageId=ids[1])

    assert found == ("VALIDATION_ERROR", "editedMessageId")


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_only_a_question_of_the_session_is_asked_anew(client: GraphQLClient, dsn: str, elsewhere: bool) -> None:
    session, ids = await talk(client)
    other, _ = await talk(client)
    asked = (other, ids[0]) if elsewhere else (session, ids[1])

    found = await refusal(client, dsn, asked[0], editedMessageId=asked[1])

    assert found == ("MESSAGE_NOT_FOUND" if elsewhere else "VALIDATION_ERROR", "editedMessageId")


async def test_a_tombstone_is_not_asked_anew(client: GraphQLClient, dsn: str) -> None:
    session, ids = await talk(client)
    await client.mutate("deleteMessage", "message { id }", {"messageId": ids[2]})

    assert await refusal(client, dsn, session, editedMessageId=ids[2]) == ("INVALID_TRANSITION", "editedMessageId")


async def test_a_new_session_has_nothing_to_edit(client: GraphQLClient, dsn: str) -> None:
    _, ids = await talk(client)
    before = await stored(dsn)

    payload = await client.mutate(
        "sendMessage", SENT, {"content": "x", "model": "local:echo", "editedMessageId": ids[0]}
    )

    assert (payload["error"]["code"], payload["error"]["field"]) == ("MESSAGE_NOT_FOUND", "editedMessageId")
    assert await stored(dsn) == before


@pytest.mark.parametrize("place", ["parentMessageId", "editedMessageId"])
async def test_every_question_of_a_stale_page_is_a_branch_of_its_own(
    client: GraphQLClient, dsn: str, actor: Actor, place: str
) -> None:
    """All see the conversation as it was after its first answer, and send at the same time."""
    session, ids = await talk(client)
    old = ids[1] if place == "parentMessageId" else ids[2]

    payloads = await asyncio.gather(
        *(sent(client, session, f"question {number}", **{place: old}) for number in range(SENDERS))
    )

    assert [payload["error"] for payload in payloads] == [None] * SENDERS
    assert {payload["userMessage"]["parent"]["id"] for payload in payloads} == {ids[1]}
    assert all(payload["message"]["parent"]["id"] == payload["userMessage"]["id"] for payload in payloads)
    questions = await rows(dsn, "SELECT content FROM chat_messages WHERE content LIKE 'question %' ORDER BY content")
    assert [row["content"] for row in questions] == sorted(f"question {number}" for number in range(SENDERS))
    # What was there before them stays where it was: the third message is the first of all these siblings.
    assert (await siblings(client, ids[2]))[0][:2] == (1, SENDERS + 1)
    session_id = SessionId(parse_global_id(session, "ChatSession"))
    assert await counters(dsn, session_id) == await recounted(dsn, session_id)
    assert await broken_rules(dsn) == []
    latest = max(payload["message"]["sequenceNumber"] for payload in payloads)
    assert latest == 4 + 2 * SENDERS
    assert await shown(client, session) == [1, 2, latest - 1, latest]
