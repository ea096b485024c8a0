"""Statistics: of a long session against its row by its key, of a user with many sessions, and a season of usage."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from time import perf_counter

from app.db.database import Database
from app.graph.loading import Loaders
from app.sessions.loaders import SessionById
from app.sessions.values import SessionId
from app.statistics import service
from app.statistics.service import StatisticsCache, WantedSeries
from app.statistics.values import StatisticsScope, UsageBucket, UsageGrouping
from benchmarks.cluster import execute
from benchmarks.conversations import ACTOR, USER, session_id
from benchmarks.measure import Bench, Comparison, Side

LONG, SHORT = session_id(1), session_id(2)
DAYS = 90
RUNS_A_DAY = 200
START = datetime(2026, 1, 1, tzinfo=UTC)

Ask = Callable[[], Awaitable[object]]


async def statistics(bench: Bench) -> list[Comparison]:
    """What is added up, against one row by its primary key."""
    many = bench.effort.listed_sessions // 10
    async with bench.cluster.database("statistics") as dsn:
        bench.say(f"statistics: storing {many:,} sessions, and as many messages in one")
        await _seed(dsn, many)
        database = await Database.connect(dsn)
        try:
            return await _compared(bench, database, many)
        finally:
            await database.close()


async def _compared(bench: Bench, database: Database, many: int) -> list[Comparison]:
    known, new = StatisticsCache(), StatisticsCache

    def side(name: str, ask: Ask) -> Side:
        return Side(name, lambda: _rate(bench, ask))

    async def of_session(cache: StatisticsCache, scope: StatisticsScope, session: SessionId = LONG) -> object:
        return await service.of_session(Loaders(database, ACTOR), cache, session, scope)

    async def of_user(cache: StatisticsCache) -> object:
        return await service.of_user(database, cache, ACTOR, ACTOR.user_id)

    row = side("its row by its key", lambda: Loaders(database, ACTOR).of(SessionById).load(LONG))
    every, path = StatisticsScope.ALL, StatisticsScope.ACTIVE_PATH
    long = f"a session of {many:,} messages"
    user = f"a user of {many:,} sessions"
    return [
        await bench.compare(f"statistics of {long}", side("all", lambda: of_session(known, every)), row, "constant"),
        await bench.compare(
            "the same of 10 messages", side("all", lambda: of_session(known, every, SHORT)), row, "constant"
        ),
        await bench.compare(
            f"its active path, known, of {long}", side("known", lambda: of_session(known, path)), row, "constant"
        ),
        await bench.compare(
            "its active path, walked, for contrast", side("walked", lambda: of_session(new(), path)), row, ""
        ),
        await bench.compare(f"statistics of {user}, known", side("known", lambda: of_user(known)), row, "constant"),
        await bench.compare("the same, added up, for contrast", side("added up", lambda: of_user(new())), row, ""),
        await bench.compare(
            f"how the messages of {long} were stored", side("stored", lambda: _stored(database)), row, ""
        ),
        await bench.compare(
            f"usage of {DAYS} days, {DAYS * RUNS_A_DAY:,} runs, by day and model",
            side("series", lambda: _series(database)), row, "",
        ),
    ]  # fmt: skip


async def _stored(database: Database) -> object:
    return await service.of_stored(Loaders(database, ACTOR), LONG, 8_784)


async def _series(database: Database) -> object:
    wanted = WantedSeries(
        START, START + timedelta(days=DAYS), UsageBucket.DAY, UsageGrouping.MODEL, "Europe/Berlin", None
    )
    return await service.usage_series(Loaders(database, ACTOR), wanted)


async def _seed(dsn: str, many: int) -> None:
    """Sessions of one user, the first a chain of as many messages and the second one of 10; tools, models, runs."""
    number = "('0190b6a2-0000-7000-8000-' || lpad(number::text, 12, '0'))::uuid"
    message = "('0190b6a2-' || lpad(session::text, 4, '0') || '-7000-8000-' || lpad(({})::text, 12, '0'))::uuid"
    await execute(
        dsn,
        "INSERT INTO chat_sessions (tenant_id, id, user_id, title, last_sequence, last_event, total_tokens_used) "
        f"SELECT 'default', {number}, '{USER}', 'Session ' || number, 10, 10, 1000 "
        f"FROM generate_series(1, {many}) AS number",
        "INSERT INTO session_tallies (tenant_id, session_id, kind, name, times) "
        "SELECT tenant_id, id, kind, kind || ' ' || name, 3 FROM chat_sessions, "
        "unnest(array['tool', 'model']) AS kind, generate_series(1, 3) AS name",
        "INSERT INTO chat_messages (tenant_id, id, session_id, sequence_number, parent_message_id, role, content, "
        "token_count, processing_time_ms) "
        f"SELECT 'default', {message.format('number')}, "
        "('0190b6a2-0000-7000-8000-' || lpad(session::text, 12, '0'))::uuid, number, "
        f"CASE WHEN number > 1 THEN {message.format('number - 1')} END, "
        "CASE WHEN number % 2 = 1 THEN 'user' ELSE 'assistant' END, repeat('words ', 50), 60, number % 900 "
        f"FROM (VALUES (1, {many}), (2, 10)) AS long (session, turns), generate_series(1, turns) AS number",
        "INSERT INTO events (tenant_id, stream_id, seq, kind, payload, actor, owner_id, correlation_id, at) "
        "SELECT tenant_id, session_id, sequence_number, 'message.appended', jsonb_build_object('status', 'COMPLETED', "
        "'role', upper(role), 'messageId', encode(convert_to('ChatMessage:' || id, 'UTF8'), 'base64')), "
        f"'{USER}', '{USER}', 'c', created_at - interval '1 day' FROM chat_messages",
        "UPDATE chat_sessions SET last_sequence = counted, last_event = counted, active_leaf_id = leaf FROM (SELECT "
        "session_id, count(*) AS counted, (array_agg(id ORDER BY sequence_number DESC))[1] AS leaf FROM chat_messages "
        "GROUP BY 1) AS made WHERE id = session_id",
        "INSERT INTO usage_ledger (tenant_id, run_id, session_id, user_id, model, status, input_tokens, "
        "cached_input_tokens, cache_write_tokens, output_tokens, reasoning_tokens, estimated, cost, at) "
        f"SELECT 'default', gen_random_uuid(), gen_random_uuid(), '{USER}', 'openai:' || number % 4, 'completed', 900, "
        f"0, 0, 100, 0, false, 0.01, timestamptz '{START.isoformat()}' + number * interval '1 day' / {RUNS_A_DAY} "
        f"FROM generate_series(0, {DAYS * RUNS_A_DAY - 1}) AS number",
        "VACUUM ANALYZE",
        "CHECKPOINT",
    )


async def _rate(bench: Bench, ask: Ask) -> float:
    asked, started = 0, perf_counter()
    while perf_counter() < started + bench.effort.seconds:
        if not await ask():
            raise RuntimeError("there was no answer")
        asked += 1
    return asked / (perf_counter() - started)
