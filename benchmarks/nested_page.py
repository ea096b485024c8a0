"""The page that a front end opens with: sessions, their latest messages, and what these called."""

import asyncio
from collections.abc import Callable
from statistics import median
from time import perf_counter

import asyncpg
import orjson

from app.container import build_services
from app.core.settings import Settings
from app.db.database import Database
from app.graph.context import Context
from app.schema import schema
from benchmarks.conversations import ACTOR, SESSIONS, USER, filled_sessions
from benchmarks.load_client import Load, Task, put_load
from benchmarks.measure import Bench, Comparison, Side
from benchmarks.server import serving

CLIENTS = 4
STORED_MESSAGES = 60
"""In each session; the page shows the last 20 of them."""

QUERY = """{
  sessions(first: 20) { nodes {
    id title status updatedAt messageCount
    messages(last: 20) {
      nodes {
        id sequenceNumber role status content tokenCount createdAt
        toolCalls { id position name arguments result success durationMs }
      }
      pageInfo { hasPreviousPage startCursor }
    }
  } }
}"""

_BY_HAND = """
SELECT json_agg(json_build_object(
  'id', s.id, 'title', s.title, 'status', s.status, 'updatedAt', s.updated_at, 'messageCount', s.last_sequence,
  'messages', (
    SELECT json_agg(json_build_object(
      'id', m.id, 'sequenceNumber', m.sequence_number, 'role', m.role, 'status', m.status, 'content', m.content,
      'tokenCount', m.token_count, 'createdAt', m.created_at,
      'toolCalls', coalesce((
        SELECT json_agg(json_build_object(
          'id', c.id, 'position', c.position, 'name', c.name, 'arguments', c.arguments, 'result', c.result,
          'success', c.success, 'durationMs', c.duration_ms) ORDER BY c.position)
        FROM tool_calls AS c WHERE c.tenant_id = m.tenant_id AND c.message_id = m.id), '[]'::json)
    ) ORDER BY m.sequence_number)
    FROM (SELECT * FROM chat_messages WHERE tenant_id = s.tenant_id AND session_id = s.id
          ORDER BY sequence_number DESC LIMIT 20) AS m)
) ORDER BY s.updated_at DESC, s.id DESC)
FROM (SELECT * FROM chat_sessions WHERE tenant_id = $1 AND user_id = $2
      ORDER BY updated_at DESC, id DESC LIMIT 20) AS s
"""


async def nested_page(bench: Bench) -> list[Comparison]:
    """The whole HTTP stack, against one statement that makes the same JSON inside PostgreSQL."""
    loads: list[Load] = []
    async with bench.cluster.database("nested_page") as dsn, serving(dsn, bench.cluster.folder) as server:
        bench.say("page: storing sessions, messages and tool calls")
        await filled_sessions(dsn, STORED_MESSAGES)
        body = orjson.dumps({"query": QUERY}).decode()
        task = Task(server.port, USER, [body], f'"sequenceNumber":{STORED_MESSAGES}', CLIENTS, bench.effort.seconds)
        pool = await asyncpg.create_pool(dsn, min_size=CLIENTS, max_size=CLIENTS)

        async def by_http() -> float:
            loads.append(await put_load(task))
            return loads[-1].per_second

        async def by_hand() -> float:
            return await _rate(pool, bench.effort.seconds)

        found = await bench.compare(
            f"page of {SESSIONS} sessions x 20 messages x tool calls, {CLIENTS} clients",
            Side("HTTP", by_http),
            Side("one statement by hand", by_hand),
            "",
        )
        by_hand_bytes = len(await pool.fetchval(_BY_HAND, ACTOR.tenant_id, ACTOR.user_id))
        await pool.close()
        statements = await _statements(dsn)
    found.notes += [
        f"{statements} statements, {loads[-1].answer_bytes / 1000:.0f} KB (by hand {by_hand_bytes / 1000:.0f} KB)",
        f"p50 {_median(loads, lambda load: load.p50_ms):.1f} ms, p99 {_median(loads, lambda load: load.p99_ms):.1f} ms",
        f"the client took {_median(loads, lambda load: load.cpu):.0%} of a core",
    ]
    return [found]


def _median(loads: list[Load], figure: Callable[[Load], float]) -> float:
    return median(figure(load) for load in loads)


async def _rate(pool: asyncpg.Pool, seconds: float) -> float:
    started = perf_counter()

    async def read() -> int:
        pages = 0
        while perf_counter() < started + seconds:
            await pool.fetchval(_BY_HAND, ACTOR.tenant_id, ACTOR.user_id)
            pages += 1
        return pages

    pages = sum(await asyncio.gather(*(read() for _ in range(CLIENTS))))
    return pages / (perf_counter() - started)


class _Counted:
    """Counts what the database is sent."""

    def __init__(self) -> None:
        self.statements = 0

    def ran(self, sql: str, elapsed_ms: float, rows: int) -> None:  # noqa: ARG002
        """Called after every statement."""
        self.statements += 1


async def _statements(dsn: str) -> int:
    counted = _Counted()
    database = await Database.connect(dsn, log=counted)
    try:
        answer = await schema.execute(QUERY, context_value=Context(ACTOR, database, build_services(Settings())))
    finally:
        await database.close()
    if answer.errors:
        raise RuntimeError(answer.errors)
    return counted.statements
