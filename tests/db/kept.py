"""A table of the tests' own, and statements on it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from sqlalchemy import BigInteger, Column, Double, MetaData, Table, Text, func, insert, literal, select, update

from app.db.database import Database, PoolSettings
from app.db.statement import Command, Query, param
from tests.conftest import execute
from tests.conversations import rows

_kept = Table("kept", MetaData(), Column("id", BigInteger, primary_key=True), Column("amount", BigInteger))

KEEP = Command(int, insert(_kept).values(id=param("id"), amount=0).returning(_kept.c.id))
SET = Command(
    int, update(_kept).where(_kept.c.id == param("key")).values(amount=param("new")).returning(_kept.c.amount)
)
AMOUNT = Query(int, select(_kept.c.amount).where(_kept.c.id == param("id")))
IDS = Query(int, select(_kept.c.id).order_by(_kept.c.id))
PID = Query(int, select(func.pg_backend_pid().label("pid")))
SLEEP = Query(str, select(func.pg_sleep(param("seconds", Double)).label("slept")))
SETTING: Query[str | None] = Query(str, select(func.current_setting(param("name", Text)).label("setting")))
_slept = func.pg_sleep(param("seconds", Double)).is_not(None)
KEEP_SLOWLY = Command(
    int,
    insert(_kept)
    .from_select(["id", "amount"], select(param("id", BigInteger), literal(0)).where(_slept))
    .returning(_kept.c.id),
)


@asynccontextmanager
async def kept_in(dsn: str, settings: PoolSettings | None = None) -> AsyncIterator[Database]:
    """A database with the table, which is made when it is missing."""
    await execute(dsn, "CREATE TABLE IF NOT EXISTS kept (id bigint PRIMARY KEY, amount bigint)")
    database = await Database.connect(dsn, settings)
    try:
        yield database
    finally:
        await database.close()


async def kept_ids(dsn: str) -> list[int]:
    """What is stored, asked on a connection of its own."""
    return [row["id"] for row in await rows(dsn, "SELECT id FROM kept ORDER BY id")]


OURS = "FROM pg_stat_activity WHERE datname = current_database() AND application_name ~ '^colloquy( |$)'"


async def kill_connections(dsn: str) -> int:
    """End every connection of a pool of ours to the database; how many there were."""
    return len(await rows(dsn, f"SELECT pg_terminate_backend(pid, 5000) {OURS}"))


async def use_all_at_once(database: Database, size: int) -> set[int]:
    """The server processes of `size` connections that are held at the same time: the pool is whole if there are."""
    found = set()
    async with AsyncExitStack() as stack:
        for _ in range(size):
            uow = await stack.enter_async_context(database.unit_of_work())
            found.add(await uow.first(PID) or 0)
    return found
