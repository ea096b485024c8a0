"""A session to export."""

import pytest

from app.core.actor import Actor
from app.db.database import Database
from app.messages.pipeline import MessagePipeline
from app.messages.values import Draft, Generation, MessageRole
from app.sessions.values import NewMetadata, SessionId
from tests.exchange.exported import a_session, say


@pytest.fixture
async def session(database: Database, pipeline: MessagePipeline, actor: Actor) -> SessionId:
    """A question with two answers, of which the second is gone on with, and a call whose answer nobody gave."""
    found = await a_session(database, actor, title="Über Lissabon?", metadata=NewMetadata(("travel",), {"a": 1}))
    first = await say(database, pipeline, actor, Draft(found, MessageRole.USER, "When is the train?"))
    await say(database, pipeline, actor, Draft(found, MessageRole.ASSISTANT, "I do not know."))
    looked = {"name": "look_up", "arguments": '{"to": "Lisbon"}', "result": "9:05", "call_id": "c1"}
    calling = Draft(found, MessageRole.ASSISTANT, "", first, metadata={"name": "Ada", "note": 1}, calls_tools=True)
    await say(database, pipeline, actor, calling, [looked, {"name": "sing", "arguments": ""}])
    await say(database, pipeline, actor, Draft(found, MessageRole.ASSISTANT, "At 9:05.", generation=Generation("gpt")))
    return found
