"""Followers on real sockets that do not read, or are gone without a word: nothing is kept for them."""

import asyncio
import gc
import threading
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, cast

from app.core.actor import Actor
from app.core.ids import global_id
from app.runs.models import Run
from app.runs.values import RunEntry
from app.sessions.values import SessionId
from app.streams.feed import MOST_REMEMBERED
from tests.graph.wire import Speaker, until
from tests.llm.provider_servers import ProviderServer, Reply, Until, openai_answer, openai_chunk, openai_end
from tests.runs.conftest import Process
from tests.runs.edge import edge
from tests.runs.scenes import ask, end_of, followed, held_back, is_running, text_of

FOLLOW = """subscription ($id: ID!) { messageCompletion(runId: $id) { __typename
    ... on CompletionSnapshot { text } ... on CompletionDelta { text } } }"""

FOLLOWERS = 30
STUCK = 20

# Some megabytes for all that are stuck: more than the buffers between two sockets take.
PIECE = "0123456789" * 500
PIECES = 150


def entries() -> int:
    """How many lines of logs are in memory."""
    gc.collect()
    # By the type: asking an object for its class is answered by the object, and some are not what they seem.
    return sum(type(found) is RunEntry for found in gc.get_objects())


async def follow(speaker: Speaker, run: Run, operation: str = "1") -> None:
    """Subscribe to an answer."""
    await speaker.subscribe(operation, FOLLOW, id=global_id("Run", run.id))


def told(events: list[dict[str, Any]], operation: str) -> tuple[str, str]:
    """The text that a subscriber has in the end, and what the end was."""
    mine = [event["payload"]["data"]["messageCompletion"] for event in events
            if event["type"] == "next" and event["id"] == operation]  # fmt: skip
    return "".join(event["text"] for event in mine[:-1]), mine[-1]["__typename"]


async def test_followers_that_are_cut_off_leave_nothing_behind(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    gate = threading.Event()
    server.script(held_back("one two three", gate))
    run = await ask(asking, actor, session_id)
    await is_running(dsn, run)
    feed = asking.completions.feed

    async with edge(asking) as wire, AsyncExitStack() as stack:
        for _ in range(FOLLOWERS):
            speaker = await stack.enter_async_context(wire.socket())
            await follow(speaker, run)
            assert (await speaker.hear())["payload"]["data"]["messageCompletion"]["text"] == "one"
            stack.callback(speaker.connection.transport.abort)
        followed_before = feed.followed
        # The connections break, one after the other.
        await stack.aclose()
        await wire.is_quiet()

        assert (followed_before, feed.followed) == (1, 0)
        gate.set()
        assert (await end_of(asking, actor, run)).status == "completed"
    assert entries() == 0


async def test_follower_that_does_not_read_costs_no_more_than_the_ring_and_gets_every_character(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    gate = threading.Event()
    chunks = [openai_chunk({"content": f"{number:06}{PIECE}"}) for number in range(PIECES)]
    server.script(Reply([chunks[0], Until(gate), *chunks[1:], *openai_end("stop", None)]))
    run = await ask(asking, actor, session_id)
    await is_running(dsn, run)
    whole = "".join(f"{number:06}{PIECE}" for number in range(PIECES))
    stuck = [str(number) for number in range(STUCK)]

    async with edge(asking) as wire, wire.socket(max_queue=1) as slow, wire.socket() as quick:
        for operation in stuck:
            await follow(slow, run, operation)
        await follow(quick, run)
        await quick.hear()
        gate.set()
        await quick.hear_all("1")
        assert (await end_of(asking, actor, run)).status == "completed"
        kept = entries()
        still = asking.completions.feed.followed

        heard = await slow.hear_all(*stuck)
        await until(lambda: asking.completions.feed.followed == 0)

    assert kept <= MOST_REMEMBERED
    assert still == 1
    for operation in stuck:
        assert told(heard, operation) == (whole, "CompletionFinished")
    assert entries() == 0


def of_followers() -> list[str]:
    """The files of what tasks do that has to do with following; others of the process come and go by themselves."""
    files = [Path(cast(Any, task.get_coro()).cr_code.co_filename).name for task in asyncio.all_tasks()]
    return sorted(name for name in files if name in ("following.py", "feed.py", "test_followers.py"))


async def test_followers_who_come_and_go_leave_nothing_behind(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    gate = threading.Event()
    server.script(held_back("one two three", gate), openai_answer("unused"))
    run = await ask(asking, actor, session_id)
    await is_running(dsn, run)
    before = of_followers()

    for _ in range(5):
        # Who stays is there before the others come: of many who come at once, any may be the first.
        staying = asyncio.create_task(followed(asking, actor, run))
        await until(lambda: asking.completions.feed.followed == 1)
        leaving = [asyncio.create_task(followed(asking, actor, run)) for _ in range(FOLLOWERS)]
        # They leave in the middle of what they do on their way in, one a little further than the other.
        for task in leaving:
            await asyncio.sleep(0.001)
            task.cancel()
        await asyncio.gather(*leaving, return_exceptions=True)
        assert asking.completions.feed.followed == 1
        staying.cancel()
        await asyncio.gather(staying, return_exceptions=True)
        assert asking.completions.feed.followed == 0

    assert of_followers() == before
    gate.set()
    assert text_of(await followed(asking, actor, run)) == "one two three"
    assert entries() == 0
