"""A process that works runs, and clients of it."""

from collections.abc import AsyncIterator

import pytest

from tests.client import GraphQLClient, client_of
from tests.runs.conftest import Process, asking, libraries, process, server

__all__ = ["asking", "libraries", "process", "server"]


@pytest.fixture
async def worked(process: Process) -> AsyncIterator[GraphQLClient]:
    """`alice`, of a process that answers at once."""
    async with client_of(process.database, process.services, "alice") as client:
        yield client


@pytest.fixture
async def scripted(asking: Process) -> AsyncIterator[GraphQLClient]:
    """`alice`, of a process whose models answer by script."""
    async with client_of(asking.database, asking.services, "alice") as client:
        yield client
