"""What was done from one moment to another: tools that were called, sessions in which the most was said."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.actor import Actor
from app.db.database import Database
from app.graph.loading import Loaders
from app.sessions.values import SessionId
from app.statistics import service
from app.statistics.values import SessionActivity
from tests.client import GraphQLClient
from tests.conftest import an_actor, execute
from tests.conversations import new_session
from tests.fakes import StatementRecorder
from tests.statistics.recomputed import by_count
from tests.statistics.test_message_series import ANSWER, FAILURE, QUESTION, START, row_of
from tests.statistics.written import Written, write, writings
from tests.worlds import ClientAs

LONG_AGO = datetime(2026, 1, 5, tzinfo=UTC)


# The example database and random seeds are left out: a failure is the same for everybody.
@settings(
    max_examples=20, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(written=writings, minutes=st.integers(1, 8_000), of_one=st.booleans())
async def test_figures_of_a_range_equal_a_recomputation_from_the_messages(
    database: Database, actor: Actor, dsn: str, written: list[Written], minutes: int, of_one: bool
) -> None:
    await execute(dsn, "TRUNCATE chat_sessions CASCADE")
    sessions = [await new_session(database, who) for who in (actor, actor, an_actor("bob"))]
    await write(dsn, LONG_AGO, written, list(sessions))
    end = LONG_AGO + timedelta(minutes=minutes)

    loaders = Loaders(database, actor)
    found = await service.of_stored(loaders, sessions[0] if of_one else None, 24, LONG_AGO, end)
    assert found is not None
    tools = await service.tools_of(loaders, found)
    active = await service.most_active_sessions(loaders, found, 10)

    mine = [each for each in written if each.session in ([0] if of_one else [0, 1])]
    inside = [each for each in mine if 0 <= each.after_minutes < minutes]
    assert (found.since, found.until) == (LONG_AGO, end)
    assert (found.total_messages, found.total_tokens) == (len(inside), sum(each.tokens for each in inside))
    assert found.failed_messages == sum(each.failed for each in inside)
    assert found.intents == by_count(each.intent for each in inside if each.intent)
    assert tools == by_count(name for each in inside for name in each.calls)
    assert active == by_activity(inside, sessions)


def by_activity(inside: list[Written], sessions: list[SessionId]) -> tuple[SessionActivity, ...]:
    """The sessions of these messages, those with the most first."""
    found = []
    for number, session in enumerate(sessions):
        its = [each for each in inside if each.session == number]
        if its:
            failed = sum(each.failed for each in its)
            found.append(SessionActivity(session, len(its), failed, sum(each.tokens for each in its)))
    return tuple(sorted(found, key=lambda each: (-each.messages, each.session_id)))


ASKED = """query ($id: ID, $from: DateTime, $to: DateTime, $first: Int! = 10) {
    messagePersistenceStatistics(sessionId: $id, from: $from, to: $to) {
        since until totalMessages
        tools { key count }
        mostActiveSessions(first: $first) { messages failedMessages tokens session { id title } }
    }
}"""
IN_MAY = {"from": "2026-05-01T00:00:00Z", "to": "2026-05-03T00:00:00Z"}
CALL = Written(0, 62, "assistant", "echo", None, "completed", None, 1, None, ("search", "search", "weather"))


async def figures(client: GraphQLClient, **variables: Any) -> Any:
    """Of the first two days of May."""
    return (await client.data(ASKED, {**IN_MAY, **variables}))["messagePersistenceStatistics"]


async def test_what_was_done_in_a_range_is_told_with_its_sessions(client: GraphQLClient, dsn: str) -> None:
    quiet, lively = await client.create_session(title="quiet"), await client.create_session(title="lively")
    await write(dsn, START, [QUESTION], [row_of(quiet)])
    await write(dsn, START, [QUESTION, ANSWER, CALL, FAILURE], [row_of(lively)])

    found = await figures(client)

    assert found == {
        "since": "2026-05-01T00:00:00+00:00",
        "until": "2026-05-03T00:00:00+00:00",
        "totalMessages": 5,
        "tools": [{"key": "search", "count": 2}, {"key": "weather", "count": 1}],
        "mostActiveSessions": [
            {"messages": 4, "failedMessages": 1, "tokens": "13", "session": {"id": lively, "title": "lively"}},
            {"messages": 1, "failedMessages": 0, "tokens": "5", "session": {"id": quiet, "title": "quiet"}},
        ],
    }
    assert len((await figures(client, first=1))["mostActiveSessions"]) == 1
    assert (await figures(client, id=quiet))["tools"] == []
    assert (await figures(client, to="2026-05-01T01:00:00Z"))["totalMessages"] == 0


async def test_what_is_told_costs_the_same_of_many_sessions(
    client: GraphQLClient, dsn: str, statements: StatementRecorder
) -> None:
    counted = []
    for _ in range(2):
        for _ in range(4):
            await write(dsn, START, [QUESTION, CALL], [row_of(await client.create_session())])
        statements.clear()
        await figures(client)
        counted.append(len(statements.sent))

    # The figures, the tools, the sessions by activity, and their rows.
    assert counted == [4, 4]


async def test_a_range_is_reckoned_back_from_its_end(client: GraphQLClient, dsn: str) -> None:
    await write(dsn, START, [QUESTION, FAILURE], [row_of(await client.create_session())])

    found = await figures(client, **{"from": None})

    assert (found["since"], found["totalMessages"]) == ("2026-05-02T00:00:00+00:00", 1)


async def test_others_see_nothing_of_a_session(client_as: ClientAs, dsn: str) -> None:
    session = await (await client_as("bob")).create_session()
    await write(dsn, START, [QUESTION, CALL], [row_of(session)])

    assert await figures(await client_as("alice"), id=session) is None
    assert await figures(await client_as("bob@acme"), id=session) is None
    assert (await figures(await client_as("alice")))["mostActiveSessions"] == []
    assert len((await figures(await client_as("system"), id=session))["tools"]) == 2


@pytest.mark.parametrize(
    ("variables", "code", "field"),
    [
        ({"first": 0}, "VALIDATION_ERROR", "first"),
        ({"first": 101}, "VALIDATION_ERROR", "first"),
        ({"to": "2026-05-01T00:00:00Z"}, "VALIDATION_ERROR", "to"),
        ({"from": "2024-05-01T00:00:00Z"}, "LIMIT_EXCEEDED", "from"),
        ({"from": "1999-05-01T00:00:00Z"}, "VALIDATION_ERROR", "from"),
    ],
)
async def test_refusals_name_what_to_mend(client: GraphQLClient, variables: Any, code: str, field: str) -> None:
    (error,) = (await client.answer(ASKED, {**IN_MAY, **variables}))["errors"]

    assert (error["extensions"]["code"], error["extensions"]["field"]) == (code, field)
    assert error["extensions"]["hint"]
