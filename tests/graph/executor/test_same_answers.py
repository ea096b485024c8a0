"""The batch executor answers what the standard one does, byte for byte: operations made from the schema at random."""

import os
from collections import Counter
from functools import partial
from typing import Any

import pytest

from app.core.actor import Actor
from app.db.database import Database
from app.graph.schema import Schema
from app.schema import schema
from tests.filled import Filled
from tests.graph.executor.asking import Both
from tests.graph.executor.conftest import Ids
from tests.graph.executor.faults import Faults, spoil, with_spoiled_roots
from tests.graph.executor.generating import Writer
from tests.schema_walk import query_fields

PARTS = 8
"""Tests among which the workers of a run share the operations."""

DOCUMENTS = int(os.environ.get("COLLOQUY_GENERATED_DOCUMENTS", "600"))
"""Each is executed four times by both executors; the setting is for whoever changes one of them and wants more."""

RATES = (0.0, 0.02, 0.06, 0.2)
"""How much is wrong: nothing, a value here and there, and so much that little is left of the answer."""

VARIES = frozenset({("MessagePersistenceStatistics", "since"), ("MessagePersistenceStatistics", "until")})
"""Fields that tell the time."""

ROOTS = [name for name in query_fields() for _ in range(3 if name in ("node", "nodes", "session", "sessions") else 1)]
"""Which field an operation begins with, in turn."""


@pytest.fixture(scope="module")
def spoilt() -> Schema:
    """The served schema, whose root fields may hand out what is wrong."""
    return with_spoiled_roots(schema)


# What graphql-core 3.3.2 has begun beside a field that fails is never awaited. Python's warning of that is passed over;
# in the constructor of a named tuple, where the collector may come by, it cannot even be made: there is no __import__.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", range(PARTS))
async def test_generated_operations_are_answered_the_same(
    part: int, spoilt: Schema, reading: Database, world: Filled[Ids], services: Any, actor: Actor
) -> None:
    both, outcomes = Both(spoilt, reading, services, actor), Counter[str]()

    for number in range(part, DOCUMENTS, PARTS):
        writer = Writer(schema.core, world.told, number, VARIES)
        asked = writer.query([ROOTS[number % len(ROOTS)]])
        for rate in RATES:
            operation = both.prepared(asked)
            # The same number makes the same document, and the same is wrong.
            told, exactly = await both.same(operation, partial(spoil, Faults(number, rate)))
            outcomes.update([*(told.codes or ["none"]), "to the byte" if exactly else "loosely", "asked"])
            # What is kept of an operation is used again, with other values of its variables.
            asked = writer.again(asked)

    # Were it not so, they would be too much alike: all refused, nothing wrong, or compared loosely.
    assert outcomes["none"] > outcomes["asked"] / 8, outcomes
    assert outcomes["INTERNAL_SERVER_ERROR"] > outcomes["asked"] / 20, outcomes
    assert outcomes["loosely"] < outcomes["asked"] / 8, outcomes
