"""A process that sends GraphQL requests over kept-alive connections, as fast as they are answered.

HTTP by hand: what is to be measured is the server. Reads its task from stdin as JSON (`Task`), prints `Load` as JSON.
"""

import asyncio
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import cast

import orjson
import uvloop

_LENGTH = re.compile(rb"content-length: *([0-9]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Task:
    """What to send, and for how long. An answer that lacks `expected` is a wrong one."""

    port: int
    user: str
    bodies: list[str]
    expected: str
    connections: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it. `cpu` is the part of one core that the client itself took."""

    answers: int
    wrong: int
    per_second: float
    p50_ms: float
    p99_ms: float
    answer_bytes: int
    cpu: float


async def put_load(task: Task) -> Load:
    """Have another process do it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.load_client", cwd=Path(__file__).parents[1],
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    printed, _ = await process.communicate(orjson.dumps(asdict(task)))
    if process.returncode != 0:
        raise RuntimeError("the client of the benchmark failed")
    load = Load(**orjson.loads(printed))
    if load.wrong:
        raise RuntimeError(f"{load.wrong} of {load.answers} answers were wrong")
    return load


class _Connection(asyncio.Protocol):
    """One connection with at most one request under way."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._whole = 0
        self._waiting: asyncio.Future[bytes] | None = None
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not an instance of asyncio's class: uvloop's transports are none.
        self._transport = cast("asyncio.WriteTransport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(exc or ConnectionError("the server hung up"))

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._whole:
            head = self._received.find(b"\r\n\r\n")
            length = _LENGTH.search(self._received, 0, head) if head >= 0 else None
            if length is None:
                return
            self._whole = head + 4 + int(length[1])
        if len(self._received) >= self._whole and self._waiting is not None:
            answer, self._received, self._whole = bytes(self._received), bytearray(), 0
            self._waiting.set_result(answer)

    async def ask(self, request: bytes) -> bytes:
        """The whole answer, head and body."""
        assert self._transport is not None
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting


async def _load(task: Task) -> Load:
    loop = asyncio.get_running_loop()
    requests = [_request(task, body.encode()) for body in task.bodies]
    expected = task.expected.encode()
    opened = [(await loop.create_connection(_Connection, "127.0.0.1", task.port))[1] for _ in range(task.connections)]
    times: list[float] = []
    wrong = largest = 0
    started, cpu = perf_counter(), process_time()

    async def ask_on(connection: _Connection, number: int) -> None:
        nonlocal wrong, largest
        asked = perf_counter()
        while asked < started + task.seconds:
            # A stride that shares no factor with the number of requests meets all of them, in another order on each.
            number = (number + 7919) % len(requests)
            answer = await connection.ask(requests[number])
            wrong += expected not in answer
            largest = max(largest, len(answer))
            answered = perf_counter()
            times.append(answered - asked)
            asked = answered

    await asyncio.gather(*(ask_on(connection, number * 31) for number, connection in enumerate(opened)))
    elapsed = perf_counter() - started
    cpu_share = (process_time() - cpu) / elapsed
    return Load(
        len(times), wrong, len(times) / elapsed, _percentile(times, 0.5), _percentile(times, 0.99), largest, cpu_share
    )


def _request(task: Task, body: bytes) -> bytes:
    head = (
        "POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"X-Colloquy-User: {task.user}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _percentile(times: Sequence[float], part: float) -> float:
    return sorted(times)[min(int(len(times) * part), len(times) - 1)] * 1000


def main() -> None:
    """Do one task."""
    task = Task(**orjson.loads(sys.stdin.buffer.read()))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.stdout.buffer.write(orjson.dumps(asdict(runner.run(_load(task)))))


if __name__ == "__main__":
    main()
