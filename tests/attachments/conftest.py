"""A message to attach files to."""

import pytest

from tests.attachments.files import Message
from tests.client import GraphQLClient


@pytest.fixture
async def message(client: GraphQLClient) -> Message:
    """A question of alice's."""
    session = await client.create_session()
    return Message(client, session, (await client.say(session))["message"]["id"])
