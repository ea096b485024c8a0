"""A world that is only read, filled once for a file of tests."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pytest

from app.core.ids import global_id, split_global_id
from app.db.database import Database, PoolSettings
from tests.conftest import address_of
from tests.filled import Filled, filled
from tests.worlds import ClientAs, conversation

Ids = Mapping[str, Sequence[str]]
"""Of each type that implements Node, the global ids of what there is."""


@pytest.fixture(scope="module")
def world(cluster: str, template: str, built: Any) -> Filled[Ids]:
    """Conversations of one user, with several of everything, and one of somebody else in the same tenant."""
    return filled(cluster, template, built, _fill)


async def _fill(client_as: ClientAs) -> Ids:
    alice, bob = await client_as("alice"), await client_as("bob")
    talks = [await conversation(alice, chains=2, mark="plain"), await conversation(alice, mark="other")]
    theirs = await conversation(bob, mark="theirs")
    ids: dict[str, list[str]] = {}
    for talk in (*talks, theirs):
        for kind, found in talk.ids.items():
            ids.setdefault(kind, []).append(found)
        key = split_global_id(talk.session)[1]
        ids["AuditEvent"] += [global_id("AuditEvent", f"{key}:{number}") for number in range(2, 6)]
        ids["ChatMessage"] += [talk.question, *(message for chain in talk.chains for message in chain), *talk.answers]
        ids["ToolCall"] += talk.calls
        ids["ToolExecution"] += talk.executions
        ids["MessageAttachment"] += talk.files
        ids["Run"] += talk.runs
    return ids


@pytest.fixture
async def reading(cluster: str, world: Filled[Ids]) -> AsyncIterator[Database]:
    """The world's database: a test that wrote to it would be seen by others."""
    opened = await Database.connect(address_of(cluster, world.template), PoolSettings())
    yield opened
    await opened.close()
