"""A process that follows answers over sockets, and tells when their pieces came.

Reads its task from stdin as JSON (`StreamTask`), prints `Flow` as JSON.
"""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import httpx2
import orjson
import uvloop
import websockets
from websockets.typing import Subprotocol

START_SECONDS = 0.03
"""Between the starts of two streams: what is measured is carrying them, not a crowd at the door."""

WARM_UP = 30
"""Answers before those that are counted, one by one: connections and caches of a new process are cold."""

_SEND = """mutation Send($input: SendMessageInput!) {
  sendMessage(input: $input) { success error { code message } run { id } }
}"""
_SAY = """mutation Say($input: PersistUserMessageInput!) {
  persistUserMessage(input: $input) { success error { code message } message { id } }
}"""
_CREATE = "mutation { createSession(input: {}) { session { id } } }"
FOLLOW = """subscription Follow($run: ID!, $after: Int) {
  messageCompletion(runId: $run, after: $after) {
    __typename
    ... on CompletionSnapshot { seq text }
    ... on CompletionDelta { seq text }
    ... on CompletionFinished { seq }
  }
}"""


@dataclass(frozen=True, slots=True)
class StreamTask:
    """What to follow. `one_by_one`: ask, wait for the whole answer, ask again, for `seconds`."""

    port: int
    user: str
    streams: int
    events_per_second: int
    seconds: float
    bare: bool = False
    one_by_one: bool = False

    def at(self, port: int, *, bare: bool) -> "StreamTask":
        """The same at another server."""
        return replace(self, port=port, bare=bare)

    def shorter(self) -> "StreamTask":
        """The same, to warm up."""
        return replace(self, seconds=0.5)

    @property
    def events(self) -> int:
        """Of each stream: all of them flow at once for `seconds`."""
        return int((self.seconds + self.streams * START_SECONDS) * self.events_per_second)


@dataclass(frozen=True, slots=True)
class Flow:
    """What came. `cpu` is the part of one core that the client itself took."""

    events: int
    gap_p50_ms: float
    gap_p99_ms: float
    gap_max_ms: float
    first_p50_ms: float
    first_p99_ms: float
    sent_p50_ms: float
    stored_p50_ms: float
    cpu: float


async def follow(task: StreamTask) -> Flow:
    """Have another process do it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.stream_client", cwd=Path(__file__).parents[1],
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    printed, _ = await process.communicate(orjson.dumps(asdict(task)))
    if process.returncode != 0:
        raise RuntimeError("the client of the benchmark failed")
    return Flow(**orjson.loads(printed))


class _Follower:
    """What one client process sees."""

    def __init__(self, task: StreamTask, http: httpx2.AsyncClient) -> None:
        self._task = task
        self._http = http
        self.events = 0
        self.running = 0
        self.gaps: list[float] = []
        self.first: list[float] = []
        self.sent: list[float] = []
        self.stored: list[float] = []

    async def all_at_once(self) -> None:
        """Every stream on a socket of its own."""
        await asyncio.gather(*(self._stream(number) for number in range(self._task.streams)))

    async def one_by_one(self) -> None:
        """Ask and wait, again and again, on one socket; store a message in between, for comparison."""
        session = (await self._ask(_CREATE, {}))["createSession"]["session"]["id"]
        until = perf_counter() + self._task.seconds
        async with self._socket() as socket:
            turn = 0
            while perf_counter() < until or len(self.first) < 3:
                await self._answer(socket, turn, "one two three")
                started = perf_counter()
                await self._ask(_SAY, {"input": {"sessionId": session, "content": "one two three"}})
                self.stored.append(perf_counter() - started)
                turn += 1
                if turn == WARM_UP:
                    self.first, self.sent, self.stored = [], [], []
                    until = perf_counter() + self._task.seconds

    async def _stream(self, number: int) -> None:
        async with self._socket() as socket:
            await asyncio.sleep(number * START_SECONDS)
            if self._task.bare:
                await socket.send(_text([self._task.events, self._task.events_per_second]))
                await self._pieces(socket, perf_counter())
            else:
                await self._answer(socket, number, " ".join(f"word{index}" for index in range(self._task.events)))

    def _socket(self) -> Any:
        return websockets.connect(
            f"ws://127.0.0.1:{self._task.port}/graphql",
            subprotocols=[Subprotocol("graphql-transport-ws")],
            compression=None,
            max_size=None,
        )

    async def _answer(self, socket: Any, number: int, content: str) -> None:
        if not number or not self._task.one_by_one:
            await socket.send(_text({"type": "connection_init", "payload": {"X-Colloquy-User": self._task.user}}))
            await socket.recv()
        started = perf_counter()
        sent = await self._ask(_SEND, {"input": {"content": content, "model": "local:echo"}})
        self.sent.append(perf_counter() - started)
        payload = {"query": FOLLOW, "variables": {"run": sent["sendMessage"]["run"]["id"]}}
        await socket.send(_text({"id": str(number), "type": "subscribe", "payload": payload}))
        await self._pieces(socket, started)

    async def _pieces(self, socket: Any, started: float) -> None:
        before = None
        async for frame in socket:
            now = perf_counter()
            if "CompletionDelta" in frame:
                self.events += 1
                if before is None:
                    self.running += 1
                    self.first.append(now - started)
                elif self.running == self._task.streams:
                    # Once all of them flow.
                    self.gaps.append(now - before)
                before = now
                continue
            told = orjson.loads(frame)
            if told["type"] == "complete":
                return
            if told["type"] == "ping":
                await socket.send('{"type":"pong"}')
            elif told["type"] != "next" or "errors" in told["payload"]:
                raise RuntimeError(f"unexpected: {frame!r}")

    async def _ask(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        response = await self._http.post(
            "/graphql", json={"query": query, "variables": variables}, headers={"X-Colloquy-User": self._task.user}
        )
        data: dict[str, Any] = response.json()["data"]
        refused = [payload["error"] for payload in data.values() if payload.get("error")]
        if refused:
            raise RuntimeError(f"refused: {refused}")
        return data


def _text(message: object) -> str:
    return orjson.dumps(message).decode()


def _ms(times: Sequence[float], part: float) -> float:
    ordered = sorted(times)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)] * 1000 if ordered else 0.0


async def _main(task: StreamTask) -> Flow:
    limits = httpx2.Limits(max_connections=20)
    started, cpu = perf_counter(), process_time()
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{task.port}", timeout=60, limits=limits) as http:
        seen = _Follower(task, http)
        await (seen.one_by_one() if task.one_by_one else seen.all_at_once())
    return Flow(
        events=seen.events,
        gap_p50_ms=_ms(seen.gaps, 0.5),
        gap_p99_ms=_ms(seen.gaps, 0.99),
        gap_max_ms=_ms(seen.gaps, 1),
        first_p50_ms=_ms(seen.first, 0.5),
        first_p99_ms=_ms(seen.first, 0.99),
        sent_p50_ms=_ms(seen.sent, 0.5),
        stored_p50_ms=_ms(seen.stored, 0.5),
        cpu=(process_time() - cpu) / (perf_counter() - started),
    )


if __name__ == "__main__":
    print(orjson.dumps(asdict(uvloop.run(_main(StreamTask(**orjson.loads(sys.stdin.buffer.read())))))).decode())
