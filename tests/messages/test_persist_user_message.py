"""Storing a person's message through the API."""

from tests.client import GraphQLClient
from tests.fakes import StatementRecorder


async def test_messages_of_a_session_are_numbered_from_one(client: GraphQLClient) -> None:
    session = await client.create_session(title="Trip")

    stored = [await client.say(session, text) for text in ("one", "two", "three")]

    assert [payload["message"]["sequenceNumber"] for payload in stored] == [1, 2, 3]


async def test_storing_a_message_is_one_statement(client: GraphQLClient, statements: StatementRecorder) -> None:
    session = await client.create_session(title="Trip")
    statements.clear()

    await client.say(session)

    assert len(statements.sent) == 1
