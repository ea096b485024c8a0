"""What the sessions of a user add up to; what is kept of it is never shown once it is old."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.core.actor import Actor
from app.db.database import Database
from app.graph.loading import Loaders
from app.messages import service as messages
from app.messages.pipeline import MessagePipeline
from app.messages.values import Draft, MessageId, MessageRole
from app.sessions import service as sessions
from app.statistics import service
from app.statistics.service import StatisticsCache
from app.statistics.values import LONGEST_WRITE, KeyCount, StatisticsScope, UserStatistics
from tests.client import GraphQLClient
from tests.conversations import eventually, new_session, rows, say
from tests.fakes import StatementRecorder
from tests.runs.conftest import a_process
from tests.worlds import ClientAs, add_call

FIELDS = """totalSessions totalMessages totalTokensUsed totalCost firstSessionDate lastSessionDate
modelUsage { key count } mostUsedTools { key count }"""


@pytest.fixture
def cache() -> StatisticsCache:
    """A process's own that hears of nothing."""
    return StatisticsCache()


async def asked(database: Database, cache: StatisticsCache, actor: Actor) -> UserStatistics:
    """The answer to a new request."""
    found = await service.of_user(database, cache, actor, actor.user_id)
    assert found is not None
    return found


async def shown(client: GraphQLClient, user: str | None = None) -> Any:
    """What the graph says."""
    query = f"query ($user: String) {{ userStatistics(userId: $user) {{ {FIELDS} }} }}"
    return (await client.data(query, {"user": user}))["userStatistics"]


async def test_sessions_of_a_user_add_up(client: GraphQLClient, client_as: ClientAs) -> None:
    """S1-28."""
    await (await client_as("bob")).create_session()
    first, second = await client.create_session(), await client.create_session()
    await client.say(first)
    answer = (await client.reply(second, tokensUsed=40, modelUsed="m"))["message"]["id"]
    for number in range(12):
        for _ in range(2 if number == 7 else 1):
            await add_call(client, answer, name=f"tool {number:02}")

    found = await shown(client)

    assert (found["totalSessions"], found["totalMessages"], found["totalTokensUsed"]) == (2, "2", "41")
    assert found["modelUsage"] == [{"key": "m", "count": 1}]
    assert [(each["key"], each["count"]) for each in found["mostUsedTools"]] == [
        ("tool 07", 2), *((f"tool {number:02}", 1) for number in (0, 1, 2, 3, 4, 5, 6, 8, 9)),
    ]  # fmt: skip
    assert datetime.fromisoformat(found["firstSessionDate"]) < datetime.fromisoformat(found["lastSessionDate"])


async def test_user_without_sessions_is_all_zeros(client: GraphQLClient) -> None:
    assert await shown(client) == {
        "totalSessions": 0, "totalMessages": "0", "totalTokensUsed": "0", "totalCost": "0", "firstSessionDate": None,
        "lastSessionDate": None, "modelUsage": [], "mostUsedTools": [],
    }  # fmt: skip


async def test_another_user_is_told_to_admins_alone(client_as: ClientAs) -> None:
    bob = await client_as("bob")
    await bob.create_session()

    told = {user: await shown(await client_as(user), "bob") for user in ("bob", "system", "alice", "system@acme")}

    assert told["alice"] is None
    assert told["system"] == told["bob"] == await shown(bob)
    assert told["bob"]["totalSessions"] == 1
    assert told["system@acme"]["totalSessions"] == 0


async def test_what_is_known_costs_one_look_at_the_log(
    database: Database, cache: StatisticsCache, actor: Actor, statements: StatementRecorder
) -> None:
    await new_session(database, actor)
    first = await asked(database, cache, actor)

    statements.clear()
    second = await asked(database, cache, actor)

    assert second is first
    assert len(statements.sent) == 1
    assert "session_tallies" not in statements.sent[0]


async def test_every_change_is_seen_by_a_process_that_hears_of_none(
    database: Database, pipeline: MessagePipeline, cache: StatisticsCache, actor: Actor
) -> None:
    """C28: correctness never depends on the invalidation."""
    seen = [await asked(database, cache, actor)]
    session = await new_session(database, actor)
    seen.append(await asked(database, cache, actor))
    message = await say(database, pipeline, actor, session)
    seen.append(await asked(database, cache, actor))
    async with database.single_statement() as uow:
        await messages.delete(uow, actor, MessageId(message.id), None)
    seen.append(await asked(database, cache, actor))
    async with database.single_statement() as uow:
        await sessions.delete(uow, actor, session, None)
    seen.append(await asked(database, cache, actor))

    assert [(found.total_sessions, found.total_messages) for found in seen] == [(0, 0), (1, 0), (1, 1), (1, 1), (0, 0)]


async def test_writer_that_commits_late_is_seen(
    database: Database, pipeline: MessagePipeline, cache: StatisticsCache, actor: Actor
) -> None:
    """A change that was begun before the figures were added up, and before another one that they know."""
    slow, quick = await new_session(database, actor), await new_session(database, actor)
    async with database.unit_of_work() as uow:
        await pipeline.append(uow, actor, Draft(slow, MessageRole.USER, "one"), None)
        await say(database, pipeline, actor, quick, "two")
        before = await asked(database, cache, actor)
    after = await asked(database, cache, actor)

    assert (before.total_messages, after.total_messages) == (1, 2)
    assert before.recent.last_at == after.recent.last_at


async def test_changes_of_long_ago_are_not_looked_at(
    database: Database, cache: StatisticsCache, actor: Actor, dsn: str
) -> None:
    session = await new_session(database, actor)
    await rows(dsn, "UPDATE events SET at = at - $1::interval", 2 * LONGEST_WRITE)

    found = await asked(database, cache, actor)

    assert (found.total_sessions, found.recent) == (1, (0, None, session))
    assert timedelta(0) <= await now(dsn) - found.since - LONGEST_WRITE < timedelta(minutes=1)
    assert await asked(database, cache, actor) is found


async def test_user_who_was_erased_with_the_log_has_nothing_left(
    database: Database, cache: StatisticsCache, actor: Actor, dsn: str
) -> None:
    await new_session(database, actor)
    await rows(dsn, "UPDATE events SET at = at - $1::interval", 2 * LONGEST_WRITE)
    before = await asked(database, cache, actor)

    await rows(dsn, "DELETE FROM chat_sessions")
    await rows(dsn, "DELETE FROM events")

    assert (before.total_sessions, (await asked(database, cache, actor)).total_sessions) == (1, 0)


async def now(dsn: str) -> datetime:
    """By the database's clock."""
    [[moment]] = await rows(dsn, "SELECT now()")
    found: datetime = moment
    return found


async def test_what_another_process_changes_leaves_memory_here(
    database: Database, pipeline: MessagePipeline, actor: Actor, dsn: str
) -> None:
    """S1-36: invalidated on write across processes."""
    session = await new_session(database, actor)
    async with a_process(dsn) as process, a_process(dsn) as other:
        cache: StatisticsCache = process.services[StatisticsCache]

        async def kept() -> int:
            return len(cache.paths)

        async def ask() -> int:
            await service.of_session(Loaders(process.database, actor), cache, session, StatisticsScope.ACTIVE_PATH)
            return await kept()

        await eventually(ask, 1)
        await say(other.database, pipeline, actor, session)
        await eventually(kept, 0)


async def test_models_and_tools_are_sorted_by_count_then_name(
    database: Database, cache: StatisticsCache, actor: Actor, client: GraphQLClient
) -> None:
    session = await client.create_session()
    for model in ("b", "a", "b", "é", "Z"):
        await client.reply(session, modelUsed=model)

    found = await asked(database, cache, actor)

    assert found.model_usage == (KeyCount("b", 2), KeyCount("Z", 1), KeyCount("a", 1), KeyCount("é", 1))
