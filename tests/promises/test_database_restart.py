"""PostgreSQL may go away and come back: answers and those who follow them go on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from app.db.embedded import EmbeddedPostgres
from tests.answers import ask, inconsistent, nothing_under_way, run_of
from tests.conversations import rows
from tests.db.clusters import FAST
from tests.followers import HAPPENING, Kept, Way, subscribed
from tests.processes import serving

LONG = " ".join(f"word-{number}🙂" for number in range(300))
ANSWERS = 6

TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'colloquy%'"


@pytest.fixture
async def postgres(tmp_path: Path) -> AsyncIterator[EmbeddedPostgres]:
    """A cluster of the test's own, to be restarted."""
    server = EmbeddedPostgres(tmp_path / "postgres", settings=FAST)
    yield server
    await asyncio.to_thread(server.stop)


async def test_streams_outlive_a_restart_of_postgresql(tmp_path: Path, postgres: EmbeddedPostgres) -> None:
    dsn = await asyncio.to_thread(postgres.start)
    async with (
        serving(tmp_path, DATABASE_URL=dsn, COLLOQUY_LOCAL_WORDS_PER_SECOND="40") as server,
        server.client() as client,
    ):
        address = await server.address()
        session_id = await client.create_session()
        told = subscribed(address, Way.SOCKET, HAPPENING, {"sessionId": session_id, "after": "0"})
        async with aclosing(told) as happened:
            assert (await anext(happened))["kind"] == "SESSION_CREATED"
            answers = [Kept((await ask(client, LONG)).run_id) for _ in range(ANSWERS)]
            following = [
                asyncio.create_task(kept.follow_on([address], list(Way)[number % len(Way)]))
                for number, kept in enumerate(answers)
            ]

            await shown(answers, 10)
            assert await rows(dsn, TERMINATE)
            await shown(answers, 20)
            # As `pg_ctl restart -m fast` does: connections are ended, and for a while there is no server.
            await asyncio.to_thread(postgres.stop)
            await asyncio.to_thread(postgres.start)
            await asyncio.gather(*following)

            assert [(kept.kind, kept.text) for kept in answers] == [("CompletionFinished", LONG)] * ANSWERS
            assert {code for kept in answers for code in kept.refused} <= {"PERSISTENCE_ERROR"}
            stored = [await run_of(client, kept.run_id) for kept in answers]
            assert [run["message"]["content"] for run in stored] == [LONG] * ANSWERS
            # The same process takes new questions, and whoever followed the session hears on the same connection.
            later = Kept((await ask(client, "and now?", sessionId=session_id)).run_id)
            await later.follow(address)
            assert (later.kind, later.text) == ("CompletionFinished", "and now?")
            numbers = [int((await anext(happened))["seq"]) for _ in range(5)]
            assert numbers == [2, 3, 4, 5, 6]
        await nothing_under_way(dsn)
        assert await inconsistent(dsn) == []


async def shown(answers: list[Kept], words: int) -> None:
    """Return when each has shown so many words."""
    async with asyncio.timeout(60):
        while any(kept.text.count(" ") < words for kept in answers):  # noqa: ASYNC110 - what is looked at tells nobody
            await asyncio.sleep(0.02)
