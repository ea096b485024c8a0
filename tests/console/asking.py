"""Asks the server of the console's tests, as the person beside the browser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2

from tests.client import GraphQLClient
from tests.worlds import add_call


@asynccontextmanager
async def asking(url: str, user: str = "alice") -> AsyncIterator[GraphQLClient]:
    """Asks as `user`."""
    async with httpx2.AsyncClient(base_url=url, headers={"X-Colloquy-User": user}, timeout=30) as http:
        yield GraphQLClient(http)


async def requested(client: GraphQLClient, session: str, name: str, **input_: object) -> str:
    """The id of an execution in a session that awaits approval, of a tool of that name."""
    message = (await client.reply(session, "", callsTools=True))["message"]["id"]
    call = await add_call(client, message, name=name, arguments='{"to": "Porto", "seats": [1, 2]}')
    wanted = {"toolCallId": call, "agentId": "bookings", "requiredApproval": True, **input_}
    payload = await client.mutate("addToolExecution", "toolExecution { id }", wanted)
    return str(payload["toolExecution"]["id"])
