"""A WebSocket server that does nothing but send: the least that streaming costs with Starlette and uvicorn."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from benchmarks.server import Server, free_port, until_ready


async def _send(socket: WebSocket) -> None:
    """The frames of an answer, at its pace: how many and how fast is the client's first message."""
    await socket.accept("graphql-transport-ws")
    events, per_second = await socket.receive_json()
    began = perf_counter()
    for seq in range(1, events + 1):
        await socket.send_text(
            '{"id":"1","type":"next","payload":{"data":{"messageCompletion":'
            f'{{"__typename":"CompletionDelta","seq":{seq},"text":" word{seq}"}}}}}}'
        )
        await asyncio.sleep(max(0.0, began + seq / per_second - perf_counter()))
    await socket.send_text('{"id":"1","type":"complete"}')
    await socket.close()


app = Starlette(routes=[WebSocketRoute("/graphql", _send)])


@asynccontextmanager
async def bare_server(served: str = "benchmarks.bare_server:app") -> AsyncIterator[Server]:
    """The server, or another app, in a process of its own; it is stopped at the end."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "uvicorn", served, "--no-access-log", "--port", str(port), "--log-level", "warning",
        cwd=Path(__file__).parents[1], env=dict(os.environ),
    )  # fmt: skip
    try:
        await until_ready(process, port, None)
        yield Server(port, process.pid)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
