"""A revoked key ends what it has open, on every process, over every transport."""

import asyncio
from contextlib import AsyncExitStack

import httpx2

from app.identity.pipeline import ApiKeyPipeline
from tests.conftest import an_actor
from tests.graph.wire import PATIENCE_SECONDS, until
from tests.identity.doors import FOLLOWED, Door, a_door
from tests.identity.keys import a_key
from tests.runs.conftest import a_process


async def open_stream(door: Door, key: str, stack: AsyncExitStack) -> httpx2.Response:
    """The response of a subscription that goes on."""
    http = await stack.enter_async_context(door.http(key))
    asked = http.stream("POST", "/graphql", json={"query": FOLLOWED}, headers={"Accept": "text/event-stream"})
    response = await stack.enter_async_context(asked)
    assert response.status_code == 200
    return response


async def ended(response: httpx2.Response) -> str:
    """All that is left of a stream, once the server ends it."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        return "".join([part async for part in response.aiter_text()])


async def status(door: Door, key: str) -> int:
    """What a request is answered."""
    async with door.http(key) as http:
        return (await http.post("/graphql", json={"query": "{ viewer { userId } }"})).status_code


async def test_revoked_key_ends_its_sockets_and_streams_on_every_process(dsn: str) -> None:
    async with AsyncExitStack() as stack:
        first, second = [await stack.enter_async_context(a_process(dsn)) for _ in range(2)]
        doors = [await stack.enter_async_context(a_door(process)) for process in (first, second)]
        pipeline: ApiKeyPipeline = first.services[ApiKeyPipeline]
        key_id, key = await a_key(first.database, pipeline=pipeline)
        _, kept = await a_key(first.database, pipeline=pipeline)
        sockets = [await stack.enter_async_context(door.socket(key)) for door in doors]
        streams = [await open_stream(door, key, stack) for door in doors]
        other = await stack.enter_async_context(doors[1].socket(kept))
        await until(lambda: all(door.keyring.watched for door in doors) and doors[1].keyring.watched == 2)
        before = [await status(door, key) for door in doors]

        await pipeline.revoke(first.database, an_actor("alice"), key_id, None)

        here = await status(doors[0], key)
        closed = [await socket.closed() for socket in sockets]
        told = [await ended(stream) for stream in streams]
        after = [await status(door, key) for door in doors]
        await other.say(type="ping")
        assert await other.hear() == {"type": "pong"}
        await until(lambda: [door.keyring.watched for door in doors] == [0, 1])

    assert (before, here, after) == ([200, 200], 401, [401, 401])
    assert closed == [(4403, "Forbidden: the key was revoked")] * 2
    assert not any("complete" in text for text in told)
