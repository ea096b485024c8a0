"""Moving to another branch: to a message, or to where its newest answers lead."""

import asyncio
from typing import Any

import pytest

from app.branches import pipeline as branches
from app.core.actor import Actor
from app.core.ids import new_id
from app.db.database import Database
from app.messages.pipeline import MessagePipeline
from app.messages.values import Draft, MessageId, MessageRole
from tests.branches.trees import chain, leaf, of_message, of_session, plant, shown
from tests.client import GraphQLClient
from tests.conversations import new_session, rows, value, waiting_for_locks
from tests.fakes import StatementRecorder
from tests.worlds import ClientAs, stored

#    1 ─ 2 ─ 3
#      │   └ 4
#      └ 5 ─ 6
#    7
TREE = [None, 1, 2, 2, 1, 5, None]
LEADS_TO = [6, 4, 3, 4, 6, 6, 7]
"""Of each message, where its newest answers lead."""


async def moved(client: GraphQLClient, session: str, message: str, **input_: Any) -> dict[str, Any]:
    """The payload of a move."""
    selection = "session { id activeLeaf { sequenceNumber } activePath(last: 10) { nodes { sequenceNumber } } }"
    return await client.mutate("setActiveLeaf", selection, {"sessionId": session, "messageId": message, **input_})


async def test_every_message_leads_to_the_newest_leaf_below_it(
    client: GraphQLClient, database: Database, dsn: str, actor: Actor
) -> None:
    session_id = await new_session(database, actor)
    ids = await plant(dsn, actor, session_id, TREE)
    session = of_session(session_id)

    payloads = [await moved(client, session, of_message(each)) for each in ids]

    assert [payload["error"] for payload in payloads] == [None] * len(ids)
    assert [payload["session"]["activeLeaf"]["sequenceNumber"] for payload in payloads] == LEADS_TO
    assert [node["sequenceNumber"] for node in payloads[1]["session"]["activePath"]["nodes"]] == [1, 2, 4]


async def test_the_next_message_answers_the_leaf_that_was_chosen(
    client: GraphQLClient, database: Database, dsn: str, actor: Actor
) -> None:
    session_id = await new_session(database, actor)
    ids = await plant(dsn, actor, session_id, TREE)
    session = of_session(session_id)

    await moved(client, session, of_message(ids[2]))
    await client.say(session)
    await client.reply(session)

    assert await shown(client, session) == [1, 2, 3, 8, 9]


async def test_a_move_is_an_event_and_staying_is_none(
    client: GraphQLClient, database: Database, dsn: str, actor: Actor
) -> None:
    session_id = await new_session(database, actor)
    ids = await plant(dsn, actor, session_id, TREE)
    session = of_session(session_id)
    first = await moved(client, session, of_message(ids[2]))
    after = await stored(dsn)

    again = await moved(client, session, of_message(ids[2]))

    assert (first["deduplicated"], again["deduplicated"]) == (False, True)
    assert again["session"] == first["session"]
    assert await stored(dsn) == after
    [_, written] = await rows(dsn, "SELECT seq, kind, payload::text FROM events ORDER BY seq")
    assert (written["seq"], written["kind"]) == (2, "session.leaf_set")
    assert of_message(ids[2]) in written["payload"]


async def test_the_leaf_and_its_parent_move_together(
    client: GraphQLClient, database: Database, dsn: str, actor: Actor
) -> None:
    session_id = await new_session(database, actor)
    ids = await plant(dsn, actor, session_id, TREE)

    for number, parent in ((3, 2), (5, 5), (7, None)):
        await moved(client, of_session(session_id), of_message(ids[number - 1]))
        found = await value(dsn, "SELECT active_leaf_parent_id FROM chat_sessions")
        assert found == (ids[parent - 1] if parent else None)


async def test_a_deleted_leaf_can_be_chosen(client: GraphQLClient, database: Database, dsn: str, actor: Actor) -> None:
    session_id = await new_session(database, actor)
    ids = await plant(dsn, actor, session_id, TREE)
    await client.mutate("deleteMessage", "message { id }", {"messageId": of_message(ids[2])})

    await moved(client, of_session(session_id), of_message(ids[2]))

    assert await leaf(client, of_session(session_id)) == 3


async def test_a_message_of_another_session_is_not_there(
    client: GraphQLClient, client_as: ClientAs, database: Database, dsn: str, actor: Actor
) -> None:
    session_id, other_id = await new_session(database, actor), await new_session(database, actor)
    await plant(dsn, actor, session_id, TREE)
    [elsewhere] = await plant(dsn, actor, other_id, [None])
    bob = await client_as("bob")
    before = await stored(dsn)

    answers = [
        await moved(client, of_session(session_id), of_message(elsewhere)),
        await moved(client, of_session(session_id), of_message(new_id())),
        await moved(bob, of_session(session_id), of_message(elsewhere)),
    ]

    found = [(answer["error"]["code"], answer["error"]["field"]) for answer in answers]
    assert found == [("MESSAGE_NOT_FOUND", "messageId")] * 2 + [("SESSION_NOT_FOUND", "sessionId")]
    assert await stored(dsn) == before


async def test_ten_thousand_answers_below_are_passed(
    client: GraphQLClient, database: Database, dsn: str, actor: Actor, statements: StatementRecorder
) -> None:
    session_id = await new_session(database, actor)
    ids = await plant(dsn, actor, session_id, [*chain(10_000), 1])
    statements.clear()

    await branches.set_leaf(database, actor, session_id, MessageId(ids[1]), None)

    assert len(statements.sent) == 3
    assert await leaf(client, of_session(session_id)) == 10_000


@pytest.mark.parametrize("role", [MessageRole.USER, MessageRole.ASSISTANT])
async def test_an_answer_that_comes_while_a_move_waits_is_where_it_leads(
    client: GraphQLClient, database: Database, pipeline: MessagePipeline, dsn: str, actor: Actor, role: MessageRole
) -> None:
    session_id = await new_session(database, actor)
    ids = [MessageId(each) for each in await plant(dsn, actor, session_id, TREE)]

    async with database.unit_of_work() as uow:
        await pipeline.append(uow, actor, Draft(session_id, role, "meanwhile", ids[2]), None)
        moving = asyncio.create_task(branches.set_leaf(database, actor, session_id, ids[2], None))
        await waiting_for_locks(dsn, 1)
    outcome = await moving

    # The answer was the leaf already.
    assert outcome.deduplicated
    assert await shown(client, of_session(session_id)) == [1, 2, 3, 8]
