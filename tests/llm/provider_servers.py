"""Providers of models on loopback that answer by script: real HTTP, so that clients are tested with all they do.

    with ProviderServer() as server:
        server.script(error(429, "slow down", headers={"Retry-After": "0"}), openai_answer("Hello there"))
        ...  # COLLOQUY_OPENAI_BASE_URL (or …_ANTHROPIC_…, …_COMPATIBLE_…) is server.url, in any process of this machine
        assert server.requests[0].body["model"] == "gpt-4o"

Each request takes the next reply of the script; the last one is repeated. The server runs in a thread of its own, and
speaks whatever the reply says at any path. `server.left` is set once a client has gone away before the reply's end.
"""

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self, cast

PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Send:
    """Bytes of the body."""

    payload: bytes


@dataclass(frozen=True)
class Wait:
    """Nothing for so long; the client may go away in between."""

    seconds: float


@dataclass(frozen=True)
class Until:
    """Nothing until the gate is opened; the client may go away in between."""

    gate: threading.Event


@dataclass(frozen=True)
class Drop:
    """The connection breaks."""


Step = Send | Wait | Until | Drop

FOREVER = Wait(3600.0)
"""Until the client leaves or the server is closed."""


@dataclass(frozen=True)
class Reply:
    """What one request is answered with."""

    steps: Sequence[Step]
    status: int = 200
    content_type: str = "text/event-stream"
    headers: Mapping[str, str] = field(default_factory=dict)
    pause_before_headers: Wait | None = None

    def broken(self, after: int, *, by: Step | None = None) -> "Reply":
        """The same reply with `by` (the connection breaks, unless told otherwise) after so many steps."""
        kept = [*self.steps[:after], by or Drop(), *(self.steps[after:] if isinstance(by, Send | Wait | Until) else [])]
        return Reply(kept, self.status, self.content_type, self.headers)

    def delayed(self, wait: Wait) -> "Reply":
        """The same reply after a wait in which nothing comes."""
        return replace(self, pause_before_headers=wait)


@dataclass(frozen=True)
class Request:
    """What a client sent."""

    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: Any


class ProviderServer:
    """A server that replies by script; see the module."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.left = threading.Event()
        self._replies: list[Reply] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """The base URL; any path behind it is answered, too."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def asked(self, times: int) -> None:
        """Return when so many requests have come; for tests that ask in another process."""
        await _until(lambda: len(self.requests) >= times)

    async def quiet(self) -> None:
        """Return when no request is under way: each was answered, or its client has left."""
        await _until(lambda: not self._open)

    def script(self, *replies: Reply) -> None:
        """The replies to the next requests; the last one is repeated."""
        self._replies = list(replies)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)

    async def _stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        # Transports that were closed are gone one turn later.
        await asyncio.sleep(0)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast(asyncio.Task[None], asyncio.current_task())
        self._open.add(task)
        try:
            await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.left.set()
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            self._open.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests.append(await _read(reader))
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        if reply.pause_before_headers and await self._client_left(reader, reply.pause_before_headers.seconds):
            return
        writer.write(_head(reply))
        for step in reply.steps:
            match step:
                case Send(payload):
                    writer.write(f"{len(payload):x}\r\n".encode() + payload + b"\r\n")
                    await writer.drain()
                case Wait(seconds):
                    if await self._client_left(reader, seconds):
                        return
                case Until(gate):
                    while not gate.is_set():
                        if await self._client_left(reader, 0.01):
                            return
                case Drop():
                    writer.transport.abort()
                    return
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def _client_left(self, reader: asyncio.StreamReader, seconds: float) -> bool:
        try:
            await asyncio.wait_for(reader.read(1), seconds)
        except TimeoutError:
            return False
        self.left.set()
        return True


async def _until(holds: Callable[[], bool]) -> None:
    # Looked at again and again: the server is a thread of its own, with another event loop.
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if holds():
                return
            await asyncio.sleep(0.01)


@contextmanager
def unreachable_url() -> Iterator[str]:
    """The address of a server that never takes a connection: its queue is full."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listening.getsockname())
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        for one in waiting:
            one.close()


def openai_answer(
    text: str, *, usage: Mapping[str, Any] | None = None, finish: str | None = "stop", pause: Wait | None = None
) -> Reply:
    """A chat completion that streams `text` word by word: a step per word, then finish, usage and [DONE]."""
    steps: list[Step] = []
    for word in _words(text):
        steps += [*([pause] if pause else []), openai_chunk({"content": word})]
    return Reply([*steps, *openai_end(finish, usage)])


def openai_tool_call(name: str, arguments: str, *, call_id: str = "call_1") -> Reply:
    """A chat completion that asks for a tool, its arguments in pieces of five characters."""
    return openai_tool_calls((call_id, name, arguments))


def openai_tool_calls(
    *calls: tuple[str, str, str], text: str = "", usage: Mapping[str, Any] | None = None, finish: str = "tool_calls"
) -> Reply:
    """A chat completion that says something and asks for tools, each by its id, name and arguments."""
    said = [openai_chunk({"content": word}) for word in _words(text)] if text else []
    return Reply([*said, *_openai_calls(calls), *openai_end(finish, usage)])


def _openai_calls(calls: Sequence[tuple[str, str, str]]) -> Iterator[Send]:
    for index, (call_id, name, arguments) in enumerate(calls):
        start = {"index": index, "id": call_id, "type": "function", "function": {"name": name, "arguments": ""}}
        yield openai_chunk({"tool_calls": [start]})
        for at in range(0, len(arguments), 5):
            piece = {"index": index, "function": {"arguments": arguments[at : at + 5]}}
            yield openai_chunk({"tool_calls": [piece]})


def openai_end(finish: str | None, usage: Mapping[str, Any] | None) -> list[Step]:
    """The last steps of a chat completion."""
    counted = usage or {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
    ending: list[Step] = [openai_chunk({}, finish=finish)] if finish else []
    return [*ending, openai_chunk(None, usage=counted), Send(b"data: [DONE]\n\n")]


def openai_chunk(
    delta: Mapping[str, Any] | None, *, finish: str | None = None, usage: Mapping[str, Any] | None = None
) -> Send:
    """One event of a chat completion."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    facts = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "scripted", "choices": choices}
    return _event({**facts, **({"usage": usage} if usage else {})})


def anthropic_answer(
    text: str, *, usage: Mapping[str, Any] | None = None, output_tokens: int = 3, stop: str = "end_turn"
) -> Reply:
    """A message that streams `text` word by word."""
    block = {"type": "text", "text": ""}
    deltas = [{"type": "text_delta", "text": word} for word in _words(text)]
    return _anthropic(block, deltas, usage, output_tokens, stop)


def anthropic_tool_call(name: str, arguments: str, *, call_id: str = "toolu_1") -> Reply:
    """A message that asks for a tool, its arguments in pieces of five characters."""
    block = {"type": "tool_use", "id": call_id, "name": name, "input": {}}
    pieces = [arguments[at : at + 5] for at in range(0, len(arguments), 5)]
    return _anthropic(block, [{"type": "input_json_delta", "partial_json": p} for p in pieces], None, 3, "tool_use")


def _anthropic(
    block: Mapping[str, Any],
    deltas: Sequence[Mapping[str, Any]],
    usage: Mapping[str, Any] | None,
    output_tokens: int,
    stop: str,
) -> Reply:
    counted = {"input_tokens": 9, "output_tokens": 1, **(usage or {})}
    message: dict[str, Any] = {
        "id": "m1", "type": "message", "role": "assistant", "model": "scripted", "content": [], "stop_reason": None,
        "stop_sequence": None, "usage": counted,
    }  # fmt: skip
    return Reply(
        [
            anthropic_event("message_start", message=message),
            anthropic_event("content_block_start", index=0, content_block=block),
            *(anthropic_event("content_block_delta", index=0, delta=delta) for delta in deltas),
            anthropic_event("content_block_stop", index=0),
            anthropic_event(
                "message_delta",
                delta={"stop_reason": stop, "stop_sequence": None},
                usage={"output_tokens": output_tokens},
            ),
            anthropic_event("message_stop"),
        ]
    )


def anthropic_event(kind: str, **facts: Any) -> Send:
    """One event of a message."""
    return _event({"type": kind, **facts}, kind)


def error(
    status: int, message: str, *, code: str | None = None, kind: str = "error", headers: Mapping[str, str] | None = None
) -> Reply:
    """A refusal in the shape that both OpenAI's and Anthropic's clients read."""
    body = {"type": "error", "error": {"message": message, "type": kind, "code": code}}
    return Reply([Send(json.dumps(body).encode())], status, "application/json", headers or {})


def _event(facts: Mapping[str, Any], kind: str | None = None) -> Send:
    return Send((f"event: {kind}\n" if kind else "").encode() + b"data: " + json.dumps(facts).encode() + b"\n\n")


def _words(text: str) -> list[str]:
    words = text.split(" ")
    return [words[0], *(f" {word}" for word in words[1:])]


def _head(reply: Reply) -> bytes:
    headers = {
        "Content-Type": reply.content_type, "Transfer-Encoding": "chunked", "Connection": "close", **reply.headers,
    }  # fmt: skip
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {reply.status} Scripted\r\n{lines}\r\n".encode()


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(first.split(" ")[1], headers, json.loads(body) if body else None)
