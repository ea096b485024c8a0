"""What a session adds up to, all of it and its active path, is what its rows say; and it costs the same at any size."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from app.core.actor import Actor
from app.db.database import Database
from app.graph.loading import Loaders
from app.messages.pipeline import MessagePipeline
from app.messages.values import MessageRole
from app.sessions.values import SessionId
from app.statistics import service
from app.statistics.service import StatisticsCache
from app.statistics.values import SessionStatistics, StatisticsScope
from tests.client import GraphQLClient
from tests.conversations import new_session, say
from tests.fakes import StatementRecorder
from tests.programs import Action, Conversation, programs
from tests.statistics.recomputed import session_statistics
from tests.worlds import ClientAs, add_call, add_execution, conversation, rows

ALL, ACTIVE_PATH = StatisticsScope.ALL, StatisticsScope.ACTIVE_PATH

FIELDS = """totalMessages totalTokens estimatedCost durationMs toolExecutions averageResponseTimeMs
messagesByRole { key count } toolUsageCount { key count }"""
ASKED = f"""query ($id: ID!, $scope: StatisticsScope!) {{
    sessionStatistics(sessionId: $id, scope: $scope) {{ {FIELDS} }}
}}"""


async def shown(client: GraphQLClient, session: str, scope: StatisticsScope) -> Any:
    """What the graph says."""
    return (await client.data(ASKED, {"id": session, "scope": scope.name}))["sessionStatistics"]


@pytest.fixture
def cache() -> StatisticsCache:
    """A process's own that hears of nothing."""
    return StatisticsCache()


async def asked(
    database: Database, cache: StatisticsCache, actor: Actor, session: SessionId, scope: StatisticsScope
) -> SessionStatistics:
    """The answer to a new request."""
    found = await service.of_session(Loaders(database, actor), cache, session, scope)
    assert found is not None
    return found


# The example database and random seeds are left out: a failure is the same for everybody.
@settings(
    max_examples=25, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(program=programs)
async def test_figures_equal_a_recomputation_from_the_rows(
    database: Database, pipeline: MessagePipeline, actor: Actor, dsn: str, program: list[Action]
) -> None:
    """S1-26, S1-27, C27; asked before each step too, so that what is kept is old whenever it can be."""
    cache = StatisticsCache()
    session = await new_session(database, actor)
    talk = Conversation(database, pipeline, actor, dsn, session)

    for action in program:
        await asked(database, cache, actor, session, ACTIVE_PATH)
        await talk.do(action)

    for scope in StatisticsScope:
        assert await asked(database, cache, actor, session, scope) == await session_statistics(dsn, session, scope)


async def test_session_without_messages_is_all_zeros(client: GraphQLClient) -> None:
    session = await client.create_session()

    answers = [
        (await client.data(ASKED, {"id": session, "scope": scope.name}))["sessionStatistics"]
        for scope in (ALL, ACTIVE_PATH)
    ]

    assert answers == [
        {
            "totalMessages": 0, "totalTokens": "0", "estimatedCost": "0", "durationMs": "0", "toolExecutions": 0,
            "averageResponseTimeMs": 0.0, "messagesByRole": [], "toolUsageCount": [],
        }
    ] * 2  # fmt: skip


async def test_tools_are_listed_by_count_then_by_name(client: GraphQLClient) -> None:
    """C24."""
    session = await client.create_session()
    answer = (await client.reply(session))["message"]["id"]
    for name in ("zoom", "search", "zoom", "fetch", "Fetch"):
        call = await add_call(client, answer, name=name)
        if name == "zoom":
            await add_execution(client, call)

    found = await shown(client, session, ALL)

    assert [(each["key"], each["count"]) for each in found["toolUsageCount"]] == [
        ("zoom", 2), ("Fetch", 1), ("fetch", 1), ("search", 1),
    ]  # fmt: skip
    assert found["toolExecutions"] == 2


async def test_deleted_message_stays_counted_and_leaves_the_path_without_its_calls(client: GraphQLClient) -> None:
    """C27: what was spent never decreases; a path is what is there."""
    session = await client.create_session()
    answer = (await client.reply(session, tokensUsed=7))["message"]["id"]
    await add_execution(client, await add_call(client, answer, name="search"))

    await client.mutate("deleteMessage", "message { id }", {"messageId": answer})
    lifetime, path = [await shown(client, session, scope) for scope in (ALL, ACTIVE_PATH)]

    assert (lifetime["totalMessages"], lifetime["totalTokens"], lifetime["toolExecutions"]) == (1, "7", 1)
    assert (path["totalMessages"], path["totalTokens"], path["toolExecutions"]) == (1, "7", 0)


async def test_path_counts_the_runs_that_wrote_it(client: GraphQLClient, dsn: str) -> None:
    talk = await conversation(client, chains=2)
    await rows(dsn, "UPDATE usage_ledger SET cost = 0.25")
    await client.reply(talk.session, parentMessageId=talk.answers[-1])
    session = SessionId((await rows(dsn, "SELECT id FROM chat_sessions"))[0]["id"])

    found = await shown(client, talk.session, ACTIVE_PATH)

    assert found["estimatedCost"] == "0.25"
    expected = await session_statistics(dsn, session, ACTIVE_PATH)
    assert expected.estimated_cost == Decimal("0.25")
    assert found["totalMessages"] == expected.total_messages


async def test_models_are_counted_by_the_answers_they_gave(client: GraphQLClient, dsn: str) -> None:
    """What no worker took was not asked of its model."""
    session = await client.create_session()
    await client.reply(session, modelUsed="mine")
    sent = await client.mutate(
        "sendMessage", "run { id }", {"sessionId": session, "content": "?", "model": "local:echo"}
    )
    await client.mutate("cancelRun", "run { id }", {"runId": sent["run"]["id"]})
    await conversation(client)

    found = (await client.data("{ userStatistics { modelUsage { key count } } }"))["userStatistics"]

    assert found["modelUsage"] == [{"key": "local:echo", "count": 2}, {"key": "mine", "count": 1}]


async def test_others_are_told_nothing_and_an_admin_is(client_as: ClientAs) -> None:
    session = await (await client_as("bob")).create_session()

    answers = {
        user: [await shown(await client_as(user), session, scope) for scope in (ALL, ACTIVE_PATH)]
        for user in ("bob", "alice", "bob@acme", "system")
    }

    assert answers["alice"] == answers["bob@acme"] == [None, None]
    assert answers["system"] == answers["bob"]
    assert answers["bob"][0] is not None


async def test_all_costs_one_statement_and_a_path_that_is_known_one(
    database: Database,
    pipeline: MessagePipeline,
    actor: Actor,
    cache: StatisticsCache,
    statements: StatementRecorder,
) -> None:
    session = await new_session(database, actor)
    for turn in range(20):
        await say(database, pipeline, actor, session, "hello", MessageRole.ASSISTANT if turn % 2 else MessageRole.USER)

    async def cost(scope: StatisticsScope) -> int:
        statements.clear()
        await asked(database, cache, actor, session, scope)
        return len(statements.sent)

    assert [await cost(ALL), await cost(ACTIVE_PATH), await cost(ACTIVE_PATH)] == [1, 2, 1]


async def test_many_sessions_of_one_request_cost_what_one_does(
    client: GraphQLClient, statements: StatementRecorder
) -> None:
    """S3-20: a dashboard is a fixed number of statements."""
    sessions = [await client.create_session() for _ in range(5)]
    for session in sessions:
        await client.say(session)
    fields = " ".join(
        f'all{number}: sessionStatistics(sessionId: "{session}") {{ {FIELDS} }} '
        f'path{number}: sessionStatistics(sessionId: "{session}", scope: ACTIVE_PATH) {{ {FIELDS} }} '
        f'stored{number}: messagePersistenceStatistics(sessionId: "{session}") {{ totalMessages }}'
        for number, session in enumerate(sessions)
    )

    statements.clear()
    answer: dict[str, Any] = await client.data(f"{{ {fields} }}")

    assert len(statements.sent) == 4
    assert {found["totalMessages"] for found in answer.values()} == {1}
