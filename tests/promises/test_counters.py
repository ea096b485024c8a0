"""A session's counters are those of the rows that hang on it, whatever was done to them and when."""

from typing import Any

from hypothesis import HealthCheck, given, settings

from app.core.actor import Actor
from app.db.database import Database
from app.messages.pipeline import MessagePipeline
from app.sessions.values import SessionId
from tests.conversations import broken_rules, counters, new_session, recounted, rows
from tests.programs import Action, Conversation, programs, recounted_times


async def times_of(dsn: str, session: SessionId) -> dict[str, Any]:
    """What the session's row says about time."""
    names = "total_duration_ms, answered, answer_ms, awaiting_answer_since"
    [row] = await rows(dsn, f"SELECT {names} FROM chat_sessions WHERE id = $1", session)
    return dict(row)


# The example database and random seeds are left out: a failure is the same for everybody.
@settings(
    max_examples=40, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(program=programs)
async def test_counters_equal_a_recount_after_anything(
    database: Database, pipeline: MessagePipeline, actor: Actor, dsn: str, program: list[Action]
) -> None:
    session = await new_session(database, actor)
    conversation = Conversation(database, pipeline, actor, dsn, session)

    for action in program:
        await conversation.do(action)

    assert await counters(dsn, session) == await recounted(dsn, session)
    assert await times_of(dsn, session) == await recounted_times(dsn, session)
    assert await broken_rules(dsn) == []
