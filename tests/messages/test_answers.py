"""What counts as the answer to a question, and when (S1-27)."""

from typing import NamedTuple

import pytest

from app.messages.values import MessageStatus
from tests.client import GraphQLClient
from tests.conversations import rows

UNFINISHED = [MessageStatus.PENDING, MessageStatus.PROCESSING]
ENDED_WITHOUT_ANSWER = [MessageStatus.FAILED, MessageStatus.CANCELLED]


class Waited(NamedTuple):
    """What the one session's row says of answers."""

    answered: int
    is_waiting: bool


async def waited(dsn: str) -> Waited:
    """How many questions were answered, and whether one waits."""
    [row] = await rows(dsn, "SELECT answered, awaiting_answer_since FROM chat_sessions")
    return Waited(row["answered"], row["awaiting_answer_since"] is not None)


async def begin(client: GraphQLClient, session: str, status: MessageStatus) -> str:
    """The id of an answer that is yet to be written."""
    return str((await client.reply(session, "", status=status.name))["message"]["id"])


async def end(client: GraphQLClient, message: str, status: MessageStatus) -> None:
    """Give a message its status."""
    await client.mutate("updateMessage", "success", {"messageId": message, "status": status.name})


@pytest.mark.parametrize("status", UNFINISHED)
async def test_an_answer_counts_when_it_is_completed(client: GraphQLClient, dsn: str, status: MessageStatus) -> None:
    session = await client.create_session()
    await client.say(session)

    message = await begin(client, session, status)
    before = await waited(dsn)
    await end(client, message, MessageStatus.COMPLETED)
    after = await waited(dsn)
    await end(client, message, MessageStatus.COMPLETED)

    assert before == Waited(0, is_waiting=True)
    assert after == Waited(1, is_waiting=False)
    assert await waited(dsn) == after


async def test_the_time_of_an_answer_ends_when_it_is_completed(client: GraphQLClient, dsn: str) -> None:
    session = await client.create_session()
    await client.say(session)
    message = await begin(client, session, MessageStatus.PROCESSING)
    await rows(dsn, "UPDATE chat_sessions SET updated_at = awaiting_answer_since + interval '1 hour'")

    await end(client, message, MessageStatus.COMPLETED)

    assert [row["answer_ms"] for row in await rows(dsn, "SELECT answer_ms FROM chat_sessions")] == [3_600_000]


@pytest.mark.parametrize("status", ENDED_WITHOUT_ANSWER)
async def test_what_failed_or_was_cancelled_leaves_the_question_waiting(
    client: GraphQLClient, dsn: str, status: MessageStatus
) -> None:
    session = await client.create_session()
    await client.say(session)
    await client.reply(session, "at once", status=status.name)
    message = await begin(client, session, MessageStatus.PROCESSING)

    await end(client, message, status)

    assert await waited(dsn) == Waited(0, is_waiting=True)
    await client.reply(session, "anew")
    assert await waited(dsn) == Waited(1, is_waiting=False)


async def test_an_answer_begun_before_a_question_does_not_answer_it(client: GraphQLClient, dsn: str) -> None:
    session = await client.create_session()
    await client.say(session)
    early = await begin(client, session, MessageStatus.PROCESSING)
    await client.say(session, "and another thing")
    late = await begin(client, session, MessageStatus.PROCESSING)

    await end(client, early, MessageStatus.COMPLETED)
    between = await waited(dsn)
    await end(client, late, MessageStatus.COMPLETED)

    assert between == Waited(0, is_waiting=True)
    assert await waited(dsn) == Waited(1, is_waiting=False)


async def test_of_two_answers_the_first_that_is_completed_counts(client: GraphQLClient, dsn: str) -> None:
    session = await client.create_session()
    await client.say(session)
    slow, quick = [await begin(client, session, MessageStatus.PROCESSING) for _ in range(2)]
    await end(client, quick, MessageStatus.COMPLETED)

    await end(client, slow, MessageStatus.COMPLETED)

    assert await waited(dsn) == Waited(1, is_waiting=False)


async def test_a_deleted_answer_that_was_never_written_is_none(client: GraphQLClient, dsn: str) -> None:
    session = await client.create_session()
    await client.say(session)
    message = await begin(client, session, MessageStatus.PENDING)

    await client.mutate("deleteMessage", "success", {"messageId": message})

    assert await waited(dsn) == Waited(0, is_waiting=True)
