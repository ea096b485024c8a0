"""However often a client loses its connection, it ends with the answer that is stored, each character once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.answers import ask, inconsistent, nothing_under_way
from tests.client import GraphQLClient
from tests.conftest import cloned
from tests.followers import COMPLETION, Kept, Way, subscribed
from tests.processes import serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

EXAMPLES = 30
AT_ONCE = 10
"""Answers of one example, which are written and followed at the same time."""
WORDS_PER_SECOND = "500"
"""Twenty pieces a tick of the writer: an answer of the longest texts comes in some ten events."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One connection of a client: where, how, and after how many events it is gone."""

    server: int
    way: Way
    events: int
    forgetful: bool
    """Whether it starts from nothing, by a snapshot."""


@dataclass(frozen=True, slots=True)
class Journey:
    """A question and how its answer is followed; the last leg goes to the end."""

    asked_at: int
    text: str
    legs: list[Leg]


@dataclass(frozen=True, slots=True)
class Servers:
    """Two processes and one database."""

    dsn: str
    clients: list[GraphQLClient]
    addresses: list[str]


SERVER = st.integers(0, 1)
LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0") | st.sampled_from('é🙂👩‍🚀漢\u0301\n\t"\\')
WORDS = st.lists(st.text(LETTERS, min_size=1, max_size=24), min_size=1, max_size=8)
TEXTS = st.builds(
    lambda words, between, times, end: (between.join(words) + between) * times + end,
    WORDS, st.sampled_from(["", " ", "\n", "\r\n", "  \n\n", "🙂"]), st.integers(1, 25), st.sampled_from("x🙂漢"),
)  # fmt: skip
LEGS = st.builds(Leg, SERVER, st.sampled_from(Way), st.integers(0, 4), st.integers(0, 3).map(lambda die: die == 0))
JOURNEYS = st.builds(Journey, SERVER, TEXTS, st.lists(LEGS, min_size=1, max_size=6))


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def servers(cluster: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Servers]:
    async with AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(cloned(cluster, template))
        environment = {"DATABASE_URL": dsn, "COLLOQUY_LOCAL_WORDS_PER_SECOND": WORDS_PER_SECOND}
        started = [
            await stack.enter_async_context(serving(tmp_path_factory.mktemp("served"), **environment)) for _ in range(2)
        ]
        clients = [await stack.enter_async_context(served.client()) for served in started]
        yield Servers(dsn, clients, [await served.address() for served in started])


@pytest.mark.timeout(300)
@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.too_slow],
    # What fails is not made smaller: each attempt takes seconds, and one that waits in vain a minute.
    phases=[Phase.generate],
)  # fmt: skip
@given(journeys=st.lists(JOURNEYS, min_size=AT_ONCE, max_size=AT_ONCE))
async def test_whoever_leaves_and_comes_again_ends_with_what_is_stored(
    servers: Servers, journeys: list[Journey]
) -> None:
    async with asyncio.timeout(60):
        await asyncio.gather(*(travel(servers, journey) for journey in journeys))


async def travel(servers: Servers, journey: Journey) -> None:
    """Follow one answer as planned; Kept checks every step."""
    asked = await ask(servers.clients[journey.asked_at], journey.text)
    kept = Kept(asked.run_id)
    for leg in journey.legs:
        if kept.end is None:
            if leg.forgetful:
                kept.forget()
            await kept.follow(servers.addresses[leg.server], leg.way, events=leg.events)
    last = journey.legs[-1]
    if kept.end is None:
        await kept.follow(servers.addresses[last.server], last.way)

    assert kept.kind == "CompletionFinished"
    assert kept.text == journey.text
    elsewhere = servers.addresses[1 - last.server]
    assert await told_after(elsewhere, asked.run_id, kept.seq) == []
    from_nothing = Kept(asked.run_id)
    await from_nothing.follow(elsewhere)
    assert (from_nothing.text, from_nothing.seq) == (kept.text, kept.seq)


async def told_after(address: str, run_id: str, after: int | None) -> list[dict[str, Any]]:
    """All that a subscriber is told from a position on."""
    return [event async for event in subscribed(address, Way.SOCKET, COMPLETION, {"runId": run_id, "after": after})]


async def test_afterwards_every_log_message_and_entry_agrees(servers: Servers) -> None:
    async with asyncio.timeout(30):
        await nothing_under_way(servers.dsn)

    assert await inconsistent(servers.dsn) == []
