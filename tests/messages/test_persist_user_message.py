"""Storing a person's message through the API."""

from dataclasses import FrozenInstanceError, fields

import pytest

from app.messages.pipeline import MessagePipeline
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


def test_one_pipeline_serves_everybody_and_keeps_nothing(pipeline: MessagePipeline) -> None:
    """S3-22: what it knows between two messages is two collaborators, and nobody can change them."""
    with pytest.raises(FrozenInstanceError):
        pipeline.detector = None  # type: ignore[assignment, misc]

    assert [field.name for field in fields(pipeline)] == ["detector", "count_tokens"]
    assert not hasattr(pipeline, "__dict__")
