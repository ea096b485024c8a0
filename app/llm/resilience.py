"""Patience, second attempts and a circuit breaker around a provider."""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass

import structlog

from app.llm.breaker import CircuitBreaker
from app.llm.errors import FailureReason, ProviderFailure, failure
from app.llm.port import ModelEvent, ModelRequest, RawEvent, RawProvider, Stopped, TextDelta, ToolCallRequested, Working
from app.telemetry.meters import MODEL_ATTEMPTS

FIRST_PAUSE_SECONDS = 0.5
"""Before the second attempt; each further pause is twice as long, and each is cut by chance to between half and all."""

LONGEST_PAUSE_SECONDS = 20.0
"""Nobody waits longer between two attempts: where a provider asks for more, its failure is passed on instead."""

log = structlog.get_logger("colloquy.llm")

Sleep = Callable[[float], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, and how often to try."""

    first_token_seconds: float
    """From asking to the first piece of the answer, or sign of life."""
    silence_seconds: float
    """Between two of them."""
    attempts: int


class ResilientProvider:
    """A provider that tries again while nothing of the answer was shown, and gives up in time.

    Once a piece was passed on, a failure is final: a second attempt would say something else.
    """

    def __init__(
        self,
        name: str,
        provider: RawProvider,
        patience: Patience,
        breaker: CircuitBreaker,
        sleep: Sleep = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._name = name
        self._provider = provider
        self._patience = patience
        self._breaker = breaker
        self._sleep = sleep
        self._chance = chance

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """The answer without signs of life; the last attempt's ProviderFailure where all fail."""
        attempt = 1
        while True:
            shown = False
            try:
                async with aclosing(self._attempt(request)) as events:
                    async for event in events:
                        shown = shown or isinstance(event, TextDelta | ToolCallRequested)
                        yield event
            except ProviderFailure as found:
                pause = self._pause_seconds(found, attempt)
                if shown or pause is None:
                    raise
                log.warning("model_attempt_failed", provider=self._name, attempt=attempt, reason=found.reason.value)
            else:
                return
            await self._sleep(pause)
            attempt += 1

    def _pause_seconds(self, found: ProviderFailure, attempt: int) -> float | None:
        """How long to wait before the next attempt; None where there is to be none."""
        if not found.retryable or found.reason is FailureReason.CIRCUIT_OPEN or attempt >= self._patience.attempts:
            return None
        asked = found.retry_after_seconds or 0.0
        if asked > LONGEST_PAUSE_SECONDS:
            return None
        backed_off = min(FIRST_PAUSE_SECONDS * 2.0 ** (attempt - 1), LONGEST_PAUSE_SECONDS)
        return max(asked, backed_off * (0.5 + self._chance() / 2))

    async def _attempt(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        wait_seconds = self._breaker.wait_seconds()
        if wait_seconds is not None:
            raise failure(FailureReason.CIRCUIT_OPEN, self._name, retry_after_seconds=wait_seconds)
        self._breaker.begin()
        settled, outcome = False, "left"
        try:
            async with aclosing(self._provider.stream(request)) as events:
                async for event in self._in_time(events):
                    if not settled:
                        # At the first piece: a probe need not last as long as an answer.
                        self._breaker.succeeded()
                        settled = True
                    if isinstance(event, Stopped):
                        outcome = "ok"
                    if not isinstance(event, Working):
                        yield event
        except ProviderFailure as found:
            self._breaker.failed(found.reason)
            settled, outcome = True, found.reason.value
            raise
        finally:
            MODEL_ATTEMPTS.labels(self._name, outcome).inc()
            if not settled:
                self._breaker.left()

    async def _in_time(self, events: AsyncGenerator[RawEvent, None]) -> AsyncGenerator[RawEvent, None]:
        limit, reason = self._patience.first_token_seconds, FailureReason.FIRST_TOKEN_TIMEOUT
        while True:
            try:
                # Not wait_for: until Python 3.12 it reads in a task of its own, and HTTP is closed in another one.
                async with asyncio.timeout(limit):
                    event = await anext(events)
            except StopAsyncIteration:
                raise failure(FailureReason.DROPPED, self._name) from None
            except TimeoutError:
                raise failure(reason, self._name) from None
            yield event
            if isinstance(event, Stopped):
                return
            limit, reason = self._patience.silence_seconds, FailureReason.SILENCE
