"""Every statistic is what the rows say, also after writers and askers at once, on processes that hear nothing."""

import asyncio
from collections.abc import Awaitable, Callable

from alembic.script import ScriptDirectory

from app.core.actor import Actor
from app.core.ids import new_id
from app.db import migrate
from app.db.database import Database
from app.graph.loading import Loaders
from app.messages.pipeline import MessagePipeline
from app.messages.values import Draft, Generation, MessageId, MessageRole
from app.sessions.values import SessionId
from app.statistics import service
from app.statistics.service import StatisticsCache
from app.statistics.values import SessionStatistics, StatisticsScope, UserStatistics
from app.tools import service as tools
from app.tools.values import NewToolCall, ToolCallId
from tests.client import GraphQLClient
from tests.conversations import new_session, rows
from tests.statistics.recomputed import by_count, session_statistics
from tests.worlds import conversation

WRITERS = 24
TURNS = 6
SESSIONS = 3


class Replica:
    """A process whose listener is cut: it asks the database, and hears of nothing."""

    def __init__(self, database: Database, actor: Actor) -> None:
        self._database, self._actor = database, actor
        self._cache = StatisticsCache()

    async def of_session(self, session: SessionId, scope: StatisticsScope) -> SessionStatistics:
        """The answer to a new request."""
        found = await service.of_session(Loaders(self._database, self._actor), self._cache, session, scope)
        assert found is not None
        return found

    async def of_user(self) -> UserStatistics:
        """The answer to a new request."""
        found = await service.of_user(self._database, self._cache, self._actor, self._actor.user_id)
        assert found is not None
        return found


class Writer:
    """Says, is answered, calls tools; and asks after each acknowledged write whether the figures know of it."""

    def __init__(
        self, database: Database, pipeline: MessagePipeline, actor: Actor, replicas: list[Replica], number: int
    ) -> None:
        self._database, self._pipeline, self._actor = database, pipeline, actor
        self._replicas, self._number = replicas, number

    async def work(self, session: SessionId) -> None:
        """Some turns in a session that others write too."""
        for turn in range(TURNS):
            replica = self._replicas[(self._number + turn) % len(self._replicas)]
            role = MessageRole.ASSISTANT if turn % 2 else MessageRole.USER
            generation = Generation(f"m{turn % 3}" if turn % 2 else None, tokens_used=turn)
            draft = Draft(session, role, "words", generation=generation)
            stored = (await self._pipeline.persist(self._database, self._actor, draft, None)).message
            assert (await replica.of_session(session, StatisticsScope.ALL)).total_messages >= stored.sequence_number
            path = await replica.of_session(session, StatisticsScope.ACTIVE_PATH)
            assert path.version >= stored.sequence_number + 1
            assert (await replica.of_user()).total_messages >= stored.sequence_number
            if role is MessageRole.ASSISTANT:
                await self._call(MessageId(stored.id), f"tool {turn}")

    async def _call(self, message: MessageId, name: str) -> None:
        async with self._database.single_statement() as uow:
            await tools.add(uow, self._actor, NewToolCall(ToolCallId(new_id()), message, name, "{}"), None)


async def test_figures_equal_the_rows_after_24_writers_and_on_the_way_know_what_was_acknowledged(
    database: Database, pipeline: MessagePipeline, actor: Actor, dsn: str
) -> None:
    """C28: two processes, their listeners cut, and no answer is older than a write that was acknowledged before."""
    sessions = [await new_session(database, actor) for _ in range(SESSIONS)]
    replicas = [Replica(database, actor), Replica(database, actor)]

    await asyncio.gather(
        *(
            Writer(database, pipeline, actor, replicas, number).work(sessions[number % SESSIONS])
            for number in range(WRITERS)
        )
    )

    for replica in replicas:
        for session in sessions:
            for scope in StatisticsScope:
                assert await replica.of_session(session, scope) == await session_statistics(dsn, session, scope)
        await equals_the_rows(dsn, await replica.of_user())


async def equals_the_rows(dsn: str, found: UserStatistics) -> None:
    """Whether the figures of the only user are those of all rows."""
    messages = await rows(dsn, "SELECT token_count, model, role FROM chat_messages")
    calls = [row["name"] for row in await rows(dsn, "SELECT name FROM tool_calls")]
    created = [row["created_at"] for row in await rows(dsn, "SELECT created_at FROM chat_sessions")]
    assert found.total_messages == len(messages) == WRITERS * TURNS
    assert found.total_tokens_used == sum(message["token_count"] for message in messages)
    assert (found.first_session_date, found.last_session_date) == (min(created), max(created))
    assert found.total_sessions == len(created)
    assert found.model_usage == by_count(message["model"] for message in messages if message["model"])
    assert found.most_used_tools == by_count(calls)


async def test_asking_at_once_adds_up_once(database: Database, actor: Actor) -> None:
    replica = Replica(database, actor)

    ask: Callable[[], Awaitable[UserStatistics]] = replica.of_user
    found = await asyncio.gather(*(ask() for _ in range(20)))

    assert len({id(each) for each in found}) == 1


async def test_what_was_there_before_is_counted_by_the_migration(client: GraphQLClient, dsn: str) -> None:
    talk = await conversation(client, chains=2)
    await client.mutate("deleteMessage", "message { id }", {"messageId": talk.chains[0][2]})
    counted = "SELECT * FROM session_tallies ORDER BY kind, name"
    before = await rows(dsn, counted)
    [script] = [
        script
        for script in ScriptDirectory(str(migrate.FOLDER)).walk_revisions()
        if script.revision == "20261121_statistics"
    ]

    await migrate.downgrade(dsn, str(script.down_revision))
    await migrate.upgrade(dsn)

    assert await rows(dsn, counted) == before
    assert [(row["kind"], row["name"], row["times"]) for row in before] == [
        ("model", "local:echo", 4), ("tool", "plain", 6),
    ]  # fmt: skip
