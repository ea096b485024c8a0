"""Scripted providers on loopback."""

from collections.abc import Iterator

import pytest

from tests.llm.provider_servers import ProviderServer


@pytest.fixture
def server() -> Iterator[ProviderServer]:
    """A provider that answers by script."""
    with ProviderServer() as started:
        yield started


@pytest.fixture(scope="session", autouse=True)
def libraries() -> None:
    """Imported before tests with short patience ask for them: importing takes seconds."""
    import app.llm.adapters.clients  # noqa: F401
