"""Append a message: the pipeline against pgbench, which runs the very statement that the pipeline sends."""

import asyncpg

from app.db.database import Database
from benchmarks.conversations import ACTOR, SESSIONS, draft, empty_sessions, spoken
from benchmarks.measure import Bench, Comparison, Side
from benchmarks.pgbench import NEW_ID, Overheard, Script, chosen_session
from benchmarks.writers import appends_per_second, connected, production_pipeline

WANTED = "at least 0.45"

_CASES = ((1, SESSIONS, ""), (16, SESSIONS, WANTED), (16, 1, ""))
"""Writers, sessions they write to, and what is wanted."""


async def append(bench: Bench) -> list[Comparison]:
    """One writer, sixteen, and sixteen on one session. Both sides start with empty tables and open connections."""
    pipeline = production_pipeline()

    async with bench.cluster.database("append") as dsn:

        def ours(writers: int, sessions: int) -> Side:
            async def rate() -> float:
                await empty_sessions(dsn)
                async with connected(dsn, writers) as database:
                    return await appends_per_second(
                        pipeline, database, writers=writers, seconds=bench.effort.seconds, sessions=sessions
                    )

            return Side("pipeline", rate)

        async def overhear(sessions: int) -> Script:
            await empty_sessions(dsn)
            database = await Database.connect(dsn)
            async with database.single_statement() as uow:
                overheard = Overheard(uow)
                await pipeline.append(overheard, ACTOR, draft(1, spoken(1)[0]), None)
            await database.close()
            return overheard.script({"message_id": NEW_ID, "session_id": chosen_session(sessions)})

        def anchor(script: Script, writers: int) -> Side:
            async def rate() -> float:
                await empty_sessions(dsn)
                found = await script.per_second(bench.cluster, dsn, clients=writers, seconds=bench.effort.seconds)
                await _require_messages(dsn)
                return found

            return Side("pgbench", rate)

        found = []
        for writers, sessions, wanted in _CASES:
            title = f"append, {_count(writers, 'writer')}, {_count(sessions, 'session')}"
            script = await overhear(sessions)
            found.append(await bench.compare(title, ours(writers, sessions), anchor(script, writers), wanted))
        return found


async def _require_messages(dsn: str) -> None:
    """The statement is none that fails when it finds no session: see that it stored something, whole."""
    connection = await asyncpg.connect(dsn)
    try:
        stored = await connection.fetchrow(
            "SELECT count(*) AS messages, (SELECT count(*) FROM events) AS events, "
            "(SELECT sum(last_sequence) FROM chat_sessions) AS numbers FROM chat_messages"
        )
    finally:
        await connection.close()
    if not stored or not stored["messages"] == stored["events"] == stored["numbers"] > 0:
        raise RuntimeError(f"pgbench stored something else: {stored}")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
