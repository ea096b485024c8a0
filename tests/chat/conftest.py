"""A server that answers by the built-in models, at a pace at which a person could read."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.conftest import address_of, execute
from tests.processes import Served, serving

LONG = " ".join(f"word{number}" for number in range(1, 41))
"""At the pace of the server an answer of two seconds: long enough to be cut into."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(cluster: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """A process of `colloquy serve` over a database of its own, for all tests of a module: each has its own user."""
    name = f"chat_{uuid4().hex[:12]}"
    await execute(cluster, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY wal_log")
    database = {"DATABASE_URL": address_of(cluster, name)}
    async with serving(tmp_path_factory.mktemp("served"), **database, COLLOQUY_LOCAL_WORDS_PER_SECOND="20") as served:
        await served.address()
        yield served
    await execute(cluster, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def user() -> str:
    """Somebody new, in a tenant of their own."""
    return f"user@{uuid4().hex}"
