"""Which of several versions a message is: 2 of 3."""

from app.core.actor import Actor
from app.db.database import Database
from tests.branches.trees import of_message, plant, siblings
from tests.client import GraphQLClient
from tests.conversations import new_session
from tests.fakes import StatementRecorder


async def test_answers_to_one_message_are_siblings(
    client: GraphQLClient, database: Database, dsn: str, actor: Actor
) -> None:
    ids = await plant(dsn, actor, await new_session(database, actor), [None, 1, 2, 1, 1, 4])

    found = await siblings(client, *(of_message(each) for each in ids))

    assert found == [
        (1, 1, None, None), (1, 3, None, 4), (1, 1, None, None), (2, 3, 2, 5), (3, 3, 4, None), (1, 1, None, None),
    ]  # fmt: skip


async def test_first_messages_of_a_session_are_siblings_and_those_of_another_are_not(
    client: GraphQLClient, database: Database, dsn: str, actor: Actor
) -> None:
    ids = await plant(dsn, actor, await new_session(database, actor), [None, 1, None, None])
    other = await plant(dsn, actor, await new_session(database, actor), [None])

    found = await siblings(client, *(of_message(each) for each in [*ids, *other]))

    assert found == [(1, 3, None, 3), (1, 1, None, None), (2, 3, 1, 4), (3, 3, 3, None), (1, 1, None, None)]


async def test_a_deleted_message_keeps_its_place(
    client: GraphQLClient, database: Database, dsn: str, actor: Actor
) -> None:
    ids = await plant(dsn, actor, await new_session(database, actor), [None, 1, 1, 1])

    await client.mutate("deleteMessage", "message { id }", {"messageId": of_message(ids[2])})

    assert await siblings(client, of_message(ids[3]), of_message(ids[2])) == [(3, 3, 3, None), (2, 3, 2, 4)]


async def test_a_thousand_versions_and_a_whole_page_of_them_are_one_statement(
    client: GraphQLClient, database: Database, dsn: str, actor: Actor, statements: StatementRecorder
) -> None:
    ids = await plant(dsn, actor, await new_session(database, actor), [None, *[1] * 1_000])
    statements.clear()

    data = await client.data(
        "query ($id: ID!) { message(id: $id) { children(last: 100) { nodes { siblings { index count } } } } }",
        {"id": of_message(ids[0])},
    )

    found = [node["siblings"] for node in data["message"]["children"]["nodes"]]
    assert found == [{"index": number, "count": 1_000} for number in range(901, 1_001)]
    assert len(statements.sent) == 3
