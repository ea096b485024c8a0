"""How messages were stored in the last hours is what their rows say."""

import json
import math
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.actor import Actor
from app.db.database import Database
from app.graph.loading import Loaders
from app.messages.pipeline import MessagePipeline
from app.sessions.values import SessionId
from app.statistics import service
from app.statistics.loaders.persistence import OF_SESSIONS
from app.statistics.values import MOST_HOURS, PersistenceStatistics, Stretch
from tests.client import GraphQLClient
from tests.conftest import an_actor, execute
from tests.conversations import new_session, rows
from tests.programs import Action, Conversation, programs
from tests.statistics.recomputed import by_count
from tests.worlds import ClientAs

EARLIER = """UPDATE chat_messages SET created_at = created_at - ($2 - sequence_number) * interval '7 minutes'
WHERE session_id = $1"""
"""As if the messages had come seven minutes after each other."""


def nearest_rank(numbers: list[Any], part: float) -> Any:
    """The least of the numbers that at least this part of them do not exceed."""
    return sorted(numbers)[max(math.ceil(part * len(numbers)), 1) - 1] if numbers else None


def recomputed(found: PersistenceStatistics, messages: list[Any]) -> PersistenceStatistics:
    """What it should be of these rows, in the stretch of time that was answered."""
    inside = [message for message in messages if message["created_at"] >= found.since]
    took = [message["processing_time_ms"] for message in inside if message["processing_time_ms"] is not None]
    prepared = [message["prepared_ms"] for message in inside if message["prepared_ms"] is not None]
    return PersistenceStatistics(
        found.session_id,
        found.since,
        found.until,
        len(inside),
        sum(message["token_count"] for message in inside),
        sum(message["status"] == "failed" or message["error_code"] is not None for message in inside),
        nearest_rank(took, 0.5),
        nearest_rank(took, 0.95),
        nearest_rank(prepared, 0.5),
        nearest_rank(prepared, 0.95),
        by_count(message["role"].upper() for message in inside),
        by_count(message["status"].upper() for message in inside),
        by_count(message["intent_name"] for message in inside if message["intent_name"]),
        by_count(code for message in inside for code in message["codes"]),
    )


_ROWS = """SELECT *, (pipeline_facts->>'processingTimeMs')::float8 AS prepared_ms,
    array(SELECT value->>'code' FROM jsonb_array_elements(coalesce(pipeline_facts->'warnings', '[]'))) AS codes
FROM chat_messages WHERE session_id = ANY($1)"""


# The example database and random seeds are left out: a failure is the same for everybody.
@settings(
    max_examples=12, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(talks=st.lists(programs, min_size=1, max_size=2))
async def test_figures_equal_a_recomputation_from_the_rows(
    database: Database, pipeline: MessagePipeline, actor: Actor, dsn: str, talks: list[list[Action]]
) -> None:
    await execute(dsn, "TRUNCATE chat_sessions CASCADE")
    sessions: list[SessionId] = []
    for program in talks:
        session = await new_session(database, actor)
        sessions.append(session)
        talk = Conversation(database, pipeline, actor, dsn, session)
        for action in program:
            await talk.do(action)
        await rows(dsn, EARLIER, session, 12)
        await rows(dsn, "UPDATE chat_sessions SET created_at = created_at - interval '1 day' WHERE id = $1", session)

    loaders = Loaders(database, actor)
    of_one = await service.of_stored(loaders, sessions[0], 1)
    of_all = await service.of_stored(loaders, None, 1)

    assert of_one is not None
    assert of_all is not None
    assert of_one == recomputed(of_one, await rows(dsn, _ROWS, sessions[:1]))
    assert of_all == recomputed(of_all, await rows(dsn, _ROWS, sessions))
    assert of_all.until - of_all.since == timedelta(hours=1)


ASKED = """query ($id: ID, $hours: Int! = 24) { messagePersistenceStatistics(sessionId: $id, timeRangeHours: $hours) {
    totalMessages failedMessages errorRate processingTimeP50Ms intents { key count } warnings { key count } } }"""


async def test_failures_intents_and_warnings_are_counted(client: GraphQLClient, dsn: str) -> None:
    """S3-10."""
    session = await client.create_session()
    await client.say(session, "hello")
    await client.reply(session, errorCode="E1", processingTimeMs=30)
    await client.reply(session, processingTimeMs=10)
    await client.reply(session, status="FAILED")
    await execute(
        dsn,
        """UPDATE chat_messages SET pipeline_facts = pipeline_facts || '{"warnings": [{"code": "W", "message": "m"}]}'
        WHERE sequence_number > 2""",
    )

    found = (await client.data(ASKED))["messagePersistenceStatistics"]

    assert found == {
        "totalMessages": 4, "failedMessages": 2, "errorRate": 0.5, "processingTimeP50Ms": 10,
        "intents": [{"key": "GREETING", "count": 1}], "warnings": [{"key": "W", "count": 2}],
    }  # fmt: skip


async def test_nothing_stored_is_no_failure(client: GraphQLClient) -> None:
    found = (await client.data(ASKED))["messagePersistenceStatistics"]

    assert (found["totalMessages"], found["errorRate"], found["processingTimeP50Ms"]) == (0, 0.0, None)


async def test_session_of_another_is_not_there(client_as: ClientAs) -> None:
    session = await (await client_as("bob")).create_session()

    answers = {
        user: (await (await client_as(user)).data(ASKED, {"id": session}))["messagePersistenceStatistics"]
        for user in ("bob", "system", "alice", "bob@acme")
    }

    assert answers["alice"] is None
    assert answers["bob@acme"] is None
    assert answers["bob"] is not None
    assert answers["bob"] == answers["system"]


@pytest.mark.parametrize("hours", [0, -1, MOST_HOURS + 1])
async def test_time_range_is_bounded(client: GraphQLClient, hours: int) -> None:
    (error,) = (await client.answer(ASKED, {"hours": hours}))["errors"]

    assert (error["extensions"]["code"], error["extensions"]["field"]) == ("VALIDATION_ERROR", "timeRangeHours")
    assert error["extensions"]["hint"]


async def rows_read(dsn: str, session: SessionId, hours: int) -> int:
    """How many rows of messages the statement looks at."""
    values = {"ids": [session], **Stretch(timedelta(hours=hours))._asdict(), **an_actor("alice").as_reader()}
    connection = await asyncpg.connect(dsn)
    try:
        plan = await connection.fetchval(
            f"EXPLAIN (ANALYZE, FORMAT JSON) {OF_SESSIONS.sql}", *OF_SESSIONS.arguments(values)
        )
    finally:
        await connection.close()
    return sum(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        for node in nodes(json.loads(plan)[0]["Plan"])
        if node.get("Relation Name") == "chat_messages"
    )


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan's nodes."""
    yield node
    for child in node.get("Plans", ()):
        yield from nodes(child)


async def test_what_lies_before_the_stretch_is_not_read(database: Database, actor: Actor, dsn: str) -> None:
    """S3-20: of a long session the last hours cost what they hold."""
    session = await new_session(database, actor)
    await execute(
        dsn,
        """INSERT INTO chat_messages (tenant_id, id, session_id, sequence_number, role, content, created_at)
        SELECT tenant_id, gen_random_uuid(), id, number, 'user', 'x', now() - (5000 - number) * interval '1 minute'
        FROM chat_sessions, generate_series(1, 5000) AS number;
        UPDATE chat_sessions SET last_sequence = 5000, created_at = now() - interval '20 days';
        ANALYZE""",
    )

    found = await service.of_stored(Loaders(database, actor), session, 1)

    assert found is not None
    assert found.total_messages in (60, 61)
    assert await rows_read(dsn, session, 1) <= 2 * found.total_messages + 4
