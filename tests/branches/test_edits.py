"""An edit stands beside what it replaces: nothing that was said is lost."""

from typing import Any

import pytest

from app.core.actor import Actor
from app.core.ids import global_id, new_id, parse_global_id
from app.db.database import Database
from app.llm.tokens import count_tokens
from app.messages.pipeline import MessagePipeline
from app.messages.values import Draft, Edit, MessageId, MessageRole
from tests.branches.trees import leaf, shown, siblings
from tests.client import GraphQLClient
from tests.conversations import broken_rules, counters, new_session, recounted, rows
from tests.fakes import FailingDetector, StatementRecorder
from tests.worlds import stored

MESSAGE = """message { id sequenceNumber role status content tokenCount toolCallId metadata intent { name }
  contextItems { insights } parent { id } }"""


async def edited(client: GraphQLClient, message: str, content: str = "instead", **input_: Any) -> dict[str, Any]:
    """The payload of an edit."""
    return await client.mutate("editMessage", MESSAGE, {"messageId": message, "content": content, **input_})


async def talk(client: GraphQLClient) -> tuple[str, list[str]]:
    """A session with a question, its answer, another question and its answer; and their ids."""
    session = await client.create_session()
    said = [await tell(session) for tell in (client.say, client.reply, client.say, client.reply)]
    return session, [each["message"]["id"] for each in said]


async def test_an_edit_stands_beside_the_message_and_is_the_leaf(client: GraphQLClient) -> None:
    session, ids = await talk(client)

    payload = await edited(
        client, ids[2], "Cancel my booking, please", metadata={"a": 1}, contextItems={"insights": [{"b": 2}]}
    )

    assert (payload["success"], payload["deduplicated"], payload["warnings"]) == (True, False, [])
    assert payload["message"] == {
        "id": payload["message"]["id"], "sequenceNumber": 5, "role": "USER", "status": "COMPLETED",
        "content": "Cancel my booking, please", "tokenCount": count_tokens("Cancel my booking, please", None).tokens,
        "toolCallId": None, "metadata": {"a": 1}, "intent": {"name": "CANCELLATION"},
        "contextItems": {"insights": [{"b": 2}]}, "parent": {"id": ids[1]},
    }  # fmt: skip
    assert await shown(client, session) == [1, 2, 5]
    assert await siblings(client, ids[2], payload["message"]["id"]) == [(1, 2, None, 5), (2, 2, 3, None)]
    old = await client.data("query ($id: ID!) { message(id: $id) { content children { totalCount } } }", {"id": ids[2]})
    assert old["message"] == {"content": "hello", "children": {"totalCount": 1}}


async def test_the_first_message_is_edited_beside_it_and_not_below_the_leaf(client: GraphQLClient) -> None:
    session, ids = await talk(client)

    first = (await edited(client, ids[0]))["message"]
    again = (await edited(client, first["id"]))["message"]

    assert (first["parent"], again["parent"]) == (None, None)
    assert await shown(client, session) == [6]
    assert await siblings(client, ids[0]) == [(1, 3, None, 5)]
    answer = await client.reply(session)
    assert answer["message"]["sequenceNumber"] == 7
    assert await shown(client, session) == [6, 7]


async def test_whoever_speaks_is_edited_by_the_same(
    client: GraphQLClient, database: Database, pipeline: MessagePipeline, actor: Actor, dsn: str
) -> None:
    session_id = await new_session(database, actor)
    for role in MessageRole:
        draft = Draft(session_id, role, "said", tool_call_id="call_1" if role is MessageRole.TOOL else None)
        stored_ = (await pipeline.persist(database, actor, draft, None)).message

        payload = await edited(client, stored_.global_id)

        assert payload["success"], payload
        assert payload["message"]["role"] == role.name
        assert payload["message"]["toolCallId"] == draft.tool_call_id
    assert await counters(dsn, session_id) == await recounted(dsn, session_id)
    assert await broken_rules(dsn) == []


async def test_a_message_that_is_being_written_is_corrected_beside_it(client: GraphQLClient) -> None:
    session = await client.create_session()
    await client.say(session)
    begun = await client.mutate("createStreamingContext", "message { id }", {"sessionId": session})

    payload = await edited(client, begun["message"]["id"])

    assert (payload["message"]["role"], payload["message"]["status"]) == ("ASSISTANT", "COMPLETED")
    assert await shown(client, session) == [1, 3]


async def test_an_edit_is_one_statement_after_a_look_at_the_message(
    client: GraphQLClient, database: Database, pipeline: MessagePipeline, actor: Actor, statements: StatementRecorder
) -> None:
    _, ids = await talk(client)
    statements.clear()

    await pipeline.edit(database, actor, Edit(_key(ids[0]), "instead"), None)

    assert len(statements.sent) == 2


def _key(message: str) -> MessageId:
    return MessageId(parse_global_id(message, "ChatMessage"))


async def test_a_broken_collaborator_is_a_warning_of_the_edit(
    client: GraphQLClient, database: Database, actor: Actor
) -> None:
    _, ids = await talk(client)
    pipeline = MessagePipeline(FailingDetector(), count_tokens)

    outcome = await pipeline.edit(database, actor, Edit(_key(ids[0]), "instead"), None)

    assert [warning.code for warning in outcome.message.pipeline.warnings] == ["INTENT_UNAVAILABLE"]


@pytest.mark.parametrize(
    ("input_", "code", "field"),
    [
        ({"content": ""}, "VALIDATION_ERROR", "content"),
        ({"content": " \n"}, "VALIDATION_ERROR", "content"),
        ({"metadata": [1]}, "VALIDATION_ERROR", "metadata"),
        ({"messageId": global_id("ChatMessage", new_id())}, "MESSAGE_NOT_FOUND", "messageId"),
        ({"messageId": "x"}, "VALIDATION_ERROR", "messageId"),
    ],
)
async def test_an_edit_that_cannot_be_is_refused(
    client: GraphQLClient, dsn: str, input_: dict[str, Any], code: str, field: str
) -> None:
    _, ids = await talk(client)
    before = await stored(dsn)

    payload = await edited(client, ids[0], **input_)

    assert (payload["success"], payload["error"]["code"], payload["error"]["field"]) == (False, code, field)
    assert await stored(dsn) == before


async def test_a_tombstone_is_not_edited_and_a_repeated_edit_still_answers(client: GraphQLClient, dsn: str) -> None:
    _, ids = await talk(client)
    first = await edited(client, ids[0], clientKey="once")
    await client.mutate("deleteMessage", "message { id }", {"messageId": ids[0]})
    before = await stored(dsn)

    refused = await edited(client, ids[0])
    again = await edited(client, ids[0], clientKey="once")

    assert (refused["error"]["code"], refused["error"]["field"]) == ("INVALID_TRANSITION", "messageId")
    assert (again["deduplicated"], again["message"]) == (True, first["message"])
    assert await stored(dsn) == before


async def test_an_edit_is_an_event_of_its_session(client: GraphQLClient, dsn: str) -> None:
    _, ids = await talk(client)

    payload = await edited(client, ids[1])

    [last] = await rows(dsn, "SELECT kind, payload::text FROM events ORDER BY seq DESC LIMIT 1")
    assert last["kind"] == "message.appended"
    assert payload["message"]["id"] in last["payload"]


async def test_the_leaf_after_an_edit_is_the_edit(client: GraphQLClient) -> None:
    session, ids = await talk(client)

    await edited(client, ids[1])

    assert await leaf(client, session) == 5
