"""Answers that are written and followed borrow connections for statements, and for nothing else."""

import asyncio

from app.core.actor import Actor
from app.runs.following import Ended
from app.runs.values import RunId
from tests.conversations import eventually, rows, value
from tests.runs.conftest import a_process
from tests.runs.scenes import ECHO, ask, followed, message_of, text_of

STREAMS = 50
CONNECTIONS = 2
SAMPLES = 100

ENDLESS = "one two three four five six seven " * 2_000
"""At the pace below more than five minutes: it is called off before."""

# One that talks to the test's own connection is no worker's.
IDLE_IN_TRANSACTION = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name ~ '^colloquy( |$)'
AND state LIKE 'idle in transaction%'"""

SHOWN = "SELECT count(DISTINCT run_id) FROM run_events WHERE seq > 1"


async def test_two_connections_are_enough_for_fifty_answers_and_their_followers(dsn: str, actor: Actor) -> None:
    async with a_process(dsn, pool_size=CONNECTIONS, connect_timeout_seconds=30, local_words_per_second=40) as process:
        runs = [await ask(process, actor, content=ENDLESS, wanted=ECHO) for _ in range(STREAMS)]
        following = [asyncio.create_task(followed(process, actor, run)) for run in runs]
        await eventually(lambda: value(dsn, SHOWN), STREAMS)

        in_transaction = []
        for _ in range(SAMPLES):
            in_transaction.append(await value(dsn, IDLE_IN_TRANSACTION))
            await process.database.ping()
        borrowed = await rows(
            dsn,
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
            "AND application_name ~ '^colloquy( |$)'",
        )
        for run in runs:
            await process.runs.cancel(process.database, actor, RunId(run.id), None)
        told = await asyncio.gather(*following)

    assert in_transaction == [0] * SAMPLES
    # Jobs have a pool of their own.
    assert len(borrowed) <= CONNECTIONS + 3
    for run, events in zip(runs, told, strict=True):
        assert isinstance(events[-1], Ended)
        assert events[-1].node_type == "CompletionCancelled"
        assert text_of(events) == (await message_of(dsn, run))["content"]
        assert ENDLESS.startswith(text_of(events))
