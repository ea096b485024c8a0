"""What the promises are proven with: something to point at, processes with their background, providers of models."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest

from tests.client import Door, GraphQLClient, client_of
from tests.llm.provider_servers import ProviderServer
from tests.runs.conftest import a_process
from tests.worlds import ClientAs, Conversation, conversation


@pytest.fixture
async def talk(client: GraphQLClient) -> Conversation:
    """Something of one's own to point at."""
    return await conversation(client)


@pytest.fixture
async def live_as(dsn: str, door: Door) -> AsyncIterator[ClientAs]:
    """Makes clients of a process with its background, which begins with the first: until then no run is worked."""
    async with AsyncExitStack() as stack:

        async def make(user: str) -> GraphQLClient:
            process = await stack.enter_async_context(a_process(dsn))
            return await stack.enter_async_context(client_of(process.database, process.services, user, door))

        yield make


@pytest.fixture
def provider() -> Iterator[ProviderServer]:
    """A provider that answers by script; `compatible:scripted` where COLLOQUY_COMPATIBLE_BASE_URL is its address."""
    with ProviderServer() as started:
        yield started
