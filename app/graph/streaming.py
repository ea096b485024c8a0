"""Subscriptions as the body of one HTTP response: server-sent events, and Apollo's multipart."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from typing import Any, Protocol

import orjson
from starlette.types import Receive, Scope, Send

from app.graph.context import Context
from app.graph.operations import Answer, errors_of

KEEP_ALIVE_SECONDS = 12.0
"""Proxies close what is silent for 30 to 60 seconds; Apollo's own heartbeat is 5 to 15."""
CLOSING_SECONDS = 5.0
"""How long a resolver may delay the end of its response."""


class Framing(Protocol):
    """How answers are written into the body."""

    content_type: str
    opening: bytes
    keep_alive: bytes

    def answer(self, answer: Answer) -> bytes:
        """One answer."""

    def end(self) -> bytes:
        """What says that there will be no more."""


class EventStream:
    """GraphQL over server-sent events, in distinct connections mode: one operation, one response."""

    content_type = "text/event-stream; charset=utf-8"
    opening = b":\n\n"
    keep_alive = b":\n\n"

    def answer(self, answer: Answer) -> bytes:
        """A `next` event; JSON as we write it has no line breaks."""
        return b"event: next\ndata: " + orjson.dumps(answer) + b"\n\n"

    def end(self) -> bytes:
        """The `complete` event; without data, browsers would not dispatch it."""
        return b"event: complete\ndata:\n\n"


class Multipart:
    """Subscriptions by Apollo's multipart protocol: every answer is a part, an empty object is a heartbeat."""

    content_type = 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0'
    opening = b"--graphql"
    keep_alive = b"\r\nContent-Type: application/json\r\n\r\n{}\r\n--graphql"

    def answer(self, answer: Answer) -> bytes:
        """A part, with the boundary behind it: clients take a part when they see its end."""
        return b"\r\nContent-Type: application/json\r\n\r\n" + orjson.dumps({"payload": answer}) + b"\r\n--graphql"

    def end(self) -> bytes:
        """Two dashes make the last boundary the closing one."""
        return b"--\r\n"


class StreamedAnswers:
    """The response: it ends with the operation, or the operation with it.

    Nothing is queued for a client that does not read: the server's `send` waits, and the stream is not advanced.
    """

    def __init__(
        self,
        framing: Framing,
        answers: AsyncGenerator[Answer, None],
        context: Context,
        stopping: asyncio.Event,
        keep_alive_seconds: float = KEEP_ALIVE_SECONDS,
    ) -> None:
        self._framing = framing
        self._answers = answers
        self._correlation_id = context.actor.correlation_id
        self._expires_at = context.actor.expires_at
        self._withdrawn = context.withdrawn
        self._stopping = stopping
        self._keep_alive_seconds = keep_alive_seconds
        self._sending = asyncio.Lock()
        self._is_silent = False
        self._is_complete = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send it until one of the three ends: the operation, the client, the server."""
        await send({"type": "http.response.start", "status": 200, "headers": self._headers()})
        await self._send(send, self._framing.opening)
        tasks = [
            _task(self._pump(send)), _task(_gone(receive)), _task(self._keep_alive(send)),
            _task(self._stop(send)), _task(self._end_when_withdrawn(send)),
        ]  # fmt: skip
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=CLOSING_SECONDS)
        for task in done:
            task.result()

    async def _pump(self, send: Send) -> None:
        last = b""
        async with aclosing(self._answers) as answers:
            try:
                async for answer in answers:
                    await self._send(send, self._framing.answer(answer))
            except Exception as error:
                last = self._framing.answer({"errors": errors_of(error, self._correlation_id)})
        await self._send(send, last + self._framing.end(), more=False)

    async def _stop(self, send: Send) -> None:
        """End the response, without saying that it is complete, so that clients come again.

        When the server stops, or what let the client in has expired.
        """
        seconds = None if self._expires_at is None else (self._expires_at - datetime.now(UTC)).total_seconds()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
        await self._send(send, b"", more=False)

    async def _end_when_withdrawn(self, send: Send) -> None:
        await self._withdrawn()
        await self._send(send, b"", more=False)

    async def _keep_alive(self, send: Send) -> None:
        while True:
            self._is_silent = True
            await asyncio.sleep(self._keep_alive_seconds)
            if self._is_silent:
                await self._send(send, self._framing.keep_alive)

    async def _send(self, send: Send, body: bytes, *, more: bool = True) -> None:
        async with self._sending:
            if self._is_complete:
                return
            self._is_silent, self._is_complete = False, not more
            await send({"type": "http.response.body", "body": body, "more_body": more})

    def _headers(self) -> list[tuple[bytes, bytes]]:
        return [
            (b"content-type", self._framing.content_type.encode()),
            (b"cache-control", b"no-cache"),
            # nginx would collect the events of many seconds before it passes them on.
            (b"x-accel-buffering", b"no"),
            (b"x-correlation-id", self._correlation_id.encode()),
        ]


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _task(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    return asyncio.create_task(work)
