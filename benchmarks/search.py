"""Search: every kind of query in the texts of a user with many, among others' texts, against a row by its key."""

import random
from collections.abc import Awaitable, Callable
from itertools import accumulate
from time import perf_counter

import asyncpg

from app.core.actor import Actor, CorrelationId, TenantId, UserId
from app.core.paging import PageRequest
from app.db.database import Database
from app.graph.loading import Loaders
from app.identity.service import local_actor
from app.search.service import search_messages, search_sessions
from app.search.values import MessageSearch, SessionSearch
from app.sessions.loaders import SessionById
from benchmarks.cluster import execute
from benchmarks.conversations import session_id
from benchmarks.measure import Bench, Comparison, Side

USERS = 200
TEXTS = 5_000
"""So many different texts, each with a word of its own wherever it is said again."""
WANTED = "p95 < 50 ms"

_SYLLABLES = ("ba", "ke", "li", "mo", "nu", "ra", "so", "ti", "ver", "con", "sa", "tion", "ed", "ing", "pre")
_COMMON = ("the", "of", "and", "to", "in", "is", "that", "for", "it", "conversation")
_CHINESE = "的一是不了人我在有他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后小么心"

_QUERIES = {
    "a rare word": "ref2000",
    "a common word": "the",
    "a phrase": '"of the"',
    "part of a word": "onversati",
    "or, and a minus": "conversation of or that -it",
    "three common words": "the of and",
}

Ask = Callable[[], Awaitable[object]]


async def search(bench: Bench) -> list[Comparison]:
    """What is found in 250,000 messages of 200 users, by the one who has the most."""
    count = bench.effort.listed_sessions * 5 // 2
    async with bench.cluster.database("search") as dsn:
        bench.say(f"search: storing {count:,} messages")
        await _seed(dsn, count)
        database = await Database.connect(dsn)
        try:
            return [
                await _compared(bench, database, f"{kind}, of {count:,} messages", ask)
                for kind, ask in _asked(database).items()
            ]
        finally:
            await database.close()


def _asked(database: Database) -> dict[str, Ask]:
    page = PageRequest(20)
    most, chinese = _actor(0), _actor(1)

    def messages(wanted: MessageSearch, actor: Actor = most) -> Ask:
        return lambda: search_messages(database, actor, wanted, page)

    def sessions(query: str) -> Ask:
        return lambda: search_sessions(database, most, SessionSearch(query), page)

    return {
        **{kind: messages(MessageSearch(query)) for kind, query in _QUERIES.items()},
        "two Chinese characters": messages(MessageSearch("中国"), chinese),
        "one Chinese character": messages(MessageSearch("中"), chinese),
        "a common word, in one session": messages(MessageSearch("the", session_id(1))),
        **{f"sessions by {kind}": sessions(_QUERIES[kind]) for kind in ("a rare word", "a common word")},
        "sessions by three common words": sessions("the of and"),
    }


async def _compared(bench: Bench, database: Database, title: str, ask: Ask) -> Comparison:
    taken: list[float] = []

    async def searching() -> object:
        started = perf_counter()
        found = await ask()
        taken.append(perf_counter() - started)
        return found

    async def row() -> object:
        return await Loaders(database, _actor(0)).of(SessionById).load(session_id(1))

    ours = Side("search", lambda: _rate(bench, searching))
    found = await bench.compare(title, ours, Side("a row by its key", lambda: _rate(bench, row)), WANTED)
    taken.sort()
    p50, p95 = (taken[int(len(taken) * share)] * 1_000 for share in (0.5, 0.95))
    found.notes.append(f"p50 {p50:.1f} ms, p95 {p95:.1f} ms, of {len(taken):,}")
    return found


async def _rate(bench: Bench, ask: Ask) -> float:
    asked, started = 0, perf_counter()
    while perf_counter() < started + bench.effort.seconds:
        if not await ask():
            raise RuntimeError("there was no answer")
        asked += 1
    return asked / (perf_counter() - started)


def _actor(number: int) -> Actor:
    return local_actor(UserId(f"user{number}"), TenantId("default"), CorrelationId("search"))


def _texts() -> list[tuple[int, str, str]]:
    """Of each number a text of words of which few are common, 3 to 150 of them, and a Chinese one."""
    chance = random.Random(7)
    words = [*_COMMON, *("".join(chance.choices(_SYLLABLES, k=chance.randint(1, 4))) for _ in range(20_000))]
    weights = list(accumulate(1 / rank for rank in range(1, len(words) + 1)))
    return [
        (
            number,
            " ".join(chance.choices(words, cum_weights=weights, k=int(3 * 50 ** chance.random()))),
            "".join(chance.choices(_CHINESE, k=chance.randint(10, 200))),
        )
        for number in range(TEXTS)
    ]


async def _seed(dsn: str, count: int) -> None:
    """Sessions of 25 messages; the first user has a fourteenth of all, the last a four-hundredth.

    The second speaks Chinese. What the triggers would enter row by row is entered by one statement,
    and its index made afterwards.
    """
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("CREATE TABLE texts (number int PRIMARY KEY, latin text, chinese text)")
        await connection.copy_records_to_table("texts", records=_texts())
        index = await connection.fetchval("SELECT pg_get_indexdef('ix_search_entries_body'::regclass)")
    finally:
        await connection.close()
    sessions = count // 25
    said = f"(m.number::bigint * 7919) % {TEXTS}"
    of_session = f"('0190b6a2-0000-7000-8000-' || lpad((m.number % {sessions} + 1)::text, 12, '0'))::uuid"
    await execute(
        dsn,
        "DROP INDEX ix_search_entries_body",
        "ALTER TABLE chat_sessions DISABLE TRIGGER USER",
        "ALTER TABLE chat_messages DISABLE TRIGGER USER",
        "INSERT INTO chat_sessions (tenant_id, id, user_id, title) "
        f"SELECT 'default', {of_session}, 'user' || floor({USERS} * power(m.number::float / {sessions}, 2)), "
        "'the talk of ' || latin "
        f"FROM generate_series(0, {sessions - 1}) AS m (number) "
        f"JOIN (SELECT number, left(latin, 40) AS latin FROM texts) AS t ON t.number = m.number % {TEXTS}",
        "CREATE TABLE said AS SELECT s.id AS session_id, s.user_id, m.number, "
        "('0190b6a3-0000-7000-8000-' || lpad(m.number::text, 12, '0'))::uuid AS id, "
        "CASE s.user_id WHEN 'user1' THEN chinese ELSE latin || ' ref' || m.number END AS content, "
        "CASE s.user_id WHEN 'user1' THEN chinese_body ELSE latin_body || 'ref' || m.number || ' ' END AS body "
        f"FROM generate_series(0, {count - 1}) AS m (number) JOIN chat_sessions s ON s.id = {of_session} "
        "JOIN (SELECT *, search_text(latin) AS latin_body, search_text(chinese) AS chinese_body FROM texts OFFSET 0) "
        f"AS t ON t.number = {said}",
        "INSERT INTO chat_messages (tenant_id, id, session_id, sequence_number, role, content) "
        f"SELECT 'default', id, session_id, number / {sessions} + 1, 'user', content FROM said",
        "INSERT INTO search_entries (tenant_id, id, session_id, user_id, role, at, body) "
        "SELECT 'default', id, session_id, user_id, 'user', now(), body FROM said UNION ALL "
        "SELECT tenant_id, id, id, user_id, NULL, created_at, search_text(title) || '|||' FROM chat_sessions",
        "SET maintenance_work_mem = '512MB'",
        index,
        "DROP TABLE said, texts",
        "ALTER TABLE chat_sessions ENABLE TRIGGER USER",
        "ALTER TABLE chat_messages ENABLE TRIGGER USER",
        "VACUUM ANALYZE",
        "CHECKPOINT",
    )
