"""Servers and workers over one database: whichever of them dies, what was acknowledged is answered, and once."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import httpx2
import pytest

from tests.answers import Asked, ask, inconsistent, nothing_under_way, run_of
from tests.client import GraphQLClient
from tests.conversations import value
from tests.processes import two_servers, working

WRITERS, TURNS = 8, 6
TEXT = " ".join(["word"] * 30)


@pytest.mark.timeout(240)
async def test_two_servers_and_two_workers_of_which_one_each_is_killed(tmp_path: Path, dsn: str) -> None:
    environment = {"DATABASE_URL": dsn, "COLLOQUY_JOB_LEASE_SECONDS": "2", "COLLOQUY_LOCAL_WORDS_PER_SECOND": "60"}
    async with AsyncExitStack() as stack:
        servers, worker, _ = await asyncio.gather(
            stack.enter_async_context(two_servers(tmp_path, **environment)),
            stack.enter_async_context(working(tmp_path, **environment)),
            stack.enter_async_context(working(tmp_path, **environment)),
        )
        clients = [await stack.enter_async_context(server.client()) for server in servers]
        half = asyncio.Event()
        writing = [asyncio.create_task(_ask_all(clients, number, half)) for number in range(WRITERS)]
        await half.wait()
        await asyncio.gather(servers[0].kill(), worker.kill())
        acknowledged = [asked for task in writing for asked in await task]
        await nothing_under_way(dsn)

        ends = [(await run_of(clients[1], asked.run_id)) for asked in acknowledged]

    # What somebody may have read is not begun anew: it ends with what it has.
    assert {run["status"] for run in ends} <= {"COMPLETED", "INTERRUPTED"}
    assert [run["message"]["content"] for run in ends if run["status"] == "COMPLETED" and run["attempts"] == 1].count(
        TEXT
    ) >= len(acknowledged) // 2
    assert len({asked.message_id for asked in acknowledged}) == WRITERS * TURNS
    assert await value(dsn, "SELECT count(*) FROM runs") == WRITERS * TURNS
    assert await inconsistent(dsn) == []


async def _ask_all(clients: list[GraphQLClient], number: int, half: asyncio.Event) -> list[Asked]:
    """What was acknowledged of questions that are sent again, to the other server, until they are."""
    acknowledged = []
    for turn in range(TURNS):
        acknowledged.append(await _ask(clients, (number + turn) % 2, f"{number}-{turn}"))
        if turn == TURNS // 2:
            half.set()
    return acknowledged


async def _ask(clients: list[GraphQLClient], first: int, key: str) -> Asked:
    try:
        return await ask(clients[first], TEXT, clientKey=key)
    except httpx2.TransportError:
        return await ask(clients[1], TEXT, clientKey=key)
