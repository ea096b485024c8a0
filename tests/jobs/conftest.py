"""Workers over the test's own database, which end with the test."""

from collections.abc import AsyncIterator

import pytest

from app.db.listening import Listener


@pytest.fixture
async def listener(dsn: str) -> AsyncIterator[Listener]:
    """The test's own listening connection."""
    async with Listener(dsn) as opened:
        yield opened
