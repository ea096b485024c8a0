"""The list of sessions far down, against its first page; and what OFFSET would cost."""

from collections.abc import Awaitable, Callable
from time import perf_counter

from sqlalchemy import BigInteger, select

from app.core.paging import ListName, PageRequest
from app.db.database import Database
from app.db.statement import Query, param
from app.sessions.fragments import sessions
from app.sessions.loaders import page_of_sessions
from app.sessions.models import ChatSession
from app.sessions.values import SessionFilter, SessionOrder
from benchmarks.cluster import execute
from benchmarks.conversations import ACTOR, USER
from benchmarks.measure import Bench, Comparison, Side

PER_PAGE = 50

_BY_OFFSET = Query(
    ChatSession,
    select(*sessions.c)
    .where(sessions.c.tenant_id == param("tenant_id"), sessions.c.user_id == param("user_id"))
    .order_by(sessions.c.updated_at.desc(), sessions.c.id.desc())
    .limit(param("limit", BigInteger))
    .offset(param("offset", BigInteger)),
)


async def list_sessions(bench: Bench) -> list[Comparison]:
    """Page 1,000 of one user's 100,000 sessions: with a cursor, and by counting off what precedes it."""
    count = bench.effort.listed_sessions
    page = count // PER_PAGE // 2
    async with bench.cluster.database("list_sessions") as dsn:
        bench.say(f"list of sessions: storing {count:,}")
        await _seed(dsn, count)
        database = await Database.connect(dsn)
        try:
            offset = (page - 1) * PER_PAGE
            cursor = await _cursor_before(database, offset)
            first = Side("page 1", lambda: _rate(bench, lambda: _by_cursor(database, None)))
            far = Side(f"page {page:,}", lambda: _rate(bench, lambda: _by_cursor(database, cursor)))
            counted = Side("by OFFSET", lambda: _rate(bench, lambda: _by_offset(database, offset)))
            return [
                await bench.compare(f"list of {count:,} sessions, page {page:,}", far, first, "about 1"),
                await bench.compare("the same page by OFFSET, for contrast", counted, first, ""),
            ]
        finally:
            await database.close()


async def _seed(dsn: str, count: int) -> None:
    await execute(
        dsn,
        "INSERT INTO chat_sessions (tenant_id, id, user_id, title, created_at, updated_at) "
        f"SELECT 'default', gen_random_uuid(), '{USER}', 'Session ' || number, at, at "
        f"FROM generate_series(1, {count}) AS number, "
        "LATERAL (SELECT timestamptz '2026-01-01 00:00Z' + number * interval '1 minute' AS at) AS moment",
        "VACUUM ANALYZE chat_sessions",
        "CHECKPOINT",
    )


async def _cursor_before(database: Database, offset: int) -> str:
    """The cursor of the row after which the page starts."""
    async with database.read() as scope:
        row = await scope.first(_BY_OFFSET, **ACTOR.as_owner(), limit=1, offset=offset - 1)
    assert row is not None
    return ListName(f"sessions:{SessionOrder.UPDATED_AT_DESC}").encode((row.updated_at, row.id))


async def _by_cursor(database: Database, cursor: str | None) -> int:
    page = await page_of_sessions(
        database, ACTOR, SessionFilter(), SessionOrder.UPDATED_AT_DESC, PageRequest(PER_PAGE, after=cursor)
    )
    return len(page.nodes)


async def _by_offset(database: Database, offset: int) -> int:
    async with database.read() as scope:
        return len((await scope.all(_BY_OFFSET, **ACTOR.as_owner(), limit=PER_PAGE + 1, offset=offset))[:PER_PAGE])


async def _rate(bench: Bench, read: Callable[[], Awaitable[int]]) -> float:
    pages, started = 0, perf_counter()
    while perf_counter() < started + bench.effort.seconds:
        if await read() != PER_PAGE:
            raise RuntimeError("a page was not full")
        pages += 1
    return pages / (perf_counter() - started)
