"""A process that follows what grows and works runs, beside the application that only answers."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from tests.client import GraphQLClient, client_of
from tests.runs.conftest import a_process
from tests.worlds import ClientAs


@pytest.fixture
async def live_as(dsn: str) -> AsyncIterator[ClientAs]:
    """Makes clients of a process with its background, which begins with the first: until then no run is worked."""
    async with AsyncExitStack() as stack:

        async def make(user: str) -> GraphQLClient:
            process = await stack.enter_async_context(a_process(dsn))
            return await stack.enter_async_context(client_of(process.database, process.services, user))

        yield make
