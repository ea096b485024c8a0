"""Second attempts, and the circuit breaker, over real HTTP with a clock that is set by hand."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from app.core.settings import Settings
from app.llm.adapters.hosted import Dialect, Endpoint, HostedProvider
from app.llm.breaker import CircuitBreaker
from app.llm.errors import FailureReason, ProviderFailure, failure
from app.llm.port import ModelRequest, RawEvent, Stopped, StopReason, TextDelta, Working
from app.llm.resilience import Patience, ResilientProvider
from tests.llm.conversations import gathered, text_of, user
from tests.llm.provider_servers import ProviderServer, Reply, error, openai_answer

REQUEST = ModelRequest("gpt-4o", (user("Hello?"),))
OUT_OF_ORDER = error(500, "oops")


class Bench:
    """A provider whose sleeps are noted and whose clock is set by hand."""

    def __init__(self, url: str, attempts: int = 3) -> None:
        self.now = 0.0
        self.pauses: list[float] = []
        self.hosted = HostedProvider(Endpoint(Dialect.COMPATIBLE, url, None, Settings().model_connect_timeout_seconds))
        self.breaker = CircuitBreaker(lambda: self.now, opens_after=3, cool_down_seconds=30)
        self.provider = ResilientProvider(
            "compatible", self.hosted, Patience(30, 30, attempts), self.breaker, self.sleep, chance=lambda: 1.0
        )

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def ask(self) -> str:
        """The text of an answer."""
        try:
            return text_of(await gathered(self.provider.stream(REQUEST)))
        finally:
            await self.hosted.close()

    async def fail(self) -> ProviderFailure:
        """The failure of a request that has to fail."""
        with pytest.raises(ProviderFailure) as caught:
            await self.ask()
        return caught.value


@pytest.fixture
def bench(server: ProviderServer) -> Bench:
    """Three attempts."""
    return Bench(server.url)


@pytest.fixture
def once(server: ProviderServer) -> Bench:
    """One attempt."""
    return Bench(server.url, attempts=1)


async def test_second_attempt_answers(bench: Bench, server: ProviderServer) -> None:
    server.script(OUT_OF_ORDER, OUT_OF_ORDER, openai_answer("Here I am"))

    assert await bench.ask() == "Here I am"
    assert bench.pauses == [0.5, 1.0]


async def test_provider_is_left_alone_for_as_long_as_it_asks(bench: Bench, server: ProviderServer) -> None:
    server.script(error(429, "slow", headers={"Retry-After": "7"}), openai_answer("Here I am"))

    assert await bench.ask() == "Here I am"
    assert bench.pauses == [7.0]


async def test_nobody_waits_for_long(bench: Bench, server: ProviderServer) -> None:
    server.script(error(429, "slow", headers={"Retry-After": "21"}), openai_answer("no"))

    found = await bench.fail()

    assert (found.reason, found.retry_after_seconds) == (FailureReason.RATE_LIMITED, 21.0)
    assert bench.pauses == []


async def test_last_failure_is_told_when_all_attempts_fail(bench: Bench, server: ProviderServer) -> None:
    server.script(OUT_OF_ORDER, error(429, "slow"), OUT_OF_ORDER)

    assert (await bench.fail()).reason is FailureReason.UNAVAILABLE
    assert len(server.requests) == 3


@pytest.mark.parametrize("reply", [error(401, "no"), error(400, "no"), error(404, "no")])
async def test_what_cannot_succeed_is_not_tried_again(bench: Bench, server: ProviderServer, reply: Reply) -> None:
    server.script(reply)

    await bench.fail()

    assert len(server.requests) == 1


async def test_answer_that_has_begun_is_not_begun_again(bench: Bench, server: ProviderServer) -> None:
    server.script(openai_answer("one two three").broken(1), openai_answer("other words"))

    assert (await bench.fail()).reason is FailureReason.DROPPED
    assert len(server.requests) == 1


class Thinker:
    """Shows signs of life, breaks off as often as it is told, and answers."""

    def __init__(self, breaks: int) -> None:
        self.breaks = breaks

    async def stream(self, request: ModelRequest) -> AsyncGenerator[RawEvent, None]:
        """What it thinks is not shown."""
        yield Working()
        if self.breaks:
            self.breaks -= 1
            raise failure(FailureReason.DROPPED, "thinker")
        await asyncio.sleep(0.3)
        yield TextDelta("42")
        yield Stopped(StopReason.STOP)


async def test_reasoning_is_a_sign_of_life_but_no_piece_of_the_answer(bench: Bench) -> None:
    patience = Patience(first_token_seconds=0.2, silence_seconds=30, attempts=2)
    provider = ResilientProvider("thinker", Thinker(breaks=1), patience, bench.breaker, bench.sleep)

    events = await gathered(provider.stream(REQUEST))

    assert events == [TextDelta("42"), Stopped(StopReason.STOP)]
    assert len(bench.pauses) == 1, "what broke off while it was thinking was asked again"


async def test_breaker_opens_after_failures_in_a_row_and_closes_after_a_success(
    once: Bench, server: ProviderServer
) -> None:
    server.script(OUT_OF_ORDER, OUT_OF_ORDER, OUT_OF_ORDER, openai_answer("back"))
    for _ in range(3):
        assert (await once.fail()).reason is FailureReason.UNAVAILABLE

    refused = await once.fail()
    once.now = 29.0
    still_refused = await once.fail()
    once.now = 30.0
    first, second = await once.ask(), await once.ask()

    assert (refused.reason, refused.retry_after_seconds) == (FailureReason.CIRCUIT_OPEN, 30.0)
    assert still_refused.retry_after_seconds == 1.0
    assert (first, second) == ("back", "back")
    assert len(server.requests) == 5, "while it is open, nothing is sent"


async def test_probe_that_fails_opens_the_breaker_again(once: Bench, server: ProviderServer) -> None:
    server.script(OUT_OF_ORDER)
    for _ in range(3):
        await once.fail()

    once.now = 30.0
    probe = await once.fail()
    once.now = 59.0
    refused = await once.fail()

    assert (probe.reason, refused.reason) == (FailureReason.UNAVAILABLE, FailureReason.CIRCUIT_OPEN)


@pytest.mark.parametrize("reply", [error(401, "no"), error(400, "no"), error(429, "no")])
async def test_breaker_does_not_open_for_what_lies_with_the_request(
    once: Bench, server: ProviderServer, reply: Reply
) -> None:
    server.script(reply)
    for _ in range(6):
        await once.fail()

    assert len(server.requests) == 6
    assert once.breaker.wait_seconds() is None


def breaker_at(now: list[float]) -> CircuitBreaker:
    """A breaker that is open and has cooled down."""
    breaker = CircuitBreaker(lambda: now[0], opens_after=1, cool_down_seconds=10)
    breaker.begin()
    breaker.failed(FailureReason.DROPPED)
    now[0] += 10
    return breaker


def test_only_one_probe_goes_out() -> None:
    breaker = breaker_at([0.0])

    breaker.begin()

    assert breaker.wait_seconds() == 1.0


@pytest.mark.parametrize("end", ["left", "rate_limited"])
def test_probe_that_learns_nothing_lets_another_one_out(end: str) -> None:
    now: list[Any] = [0.0]
    breaker = breaker_at(now)
    breaker.begin()

    if end == "left":
        breaker.left()
    else:
        breaker.failed(FailureReason.RATE_LIMITED)

    assert breaker.wait_seconds() is None
