"""What operations cost: the objects that they may return at most."""

from typing import Any

import pytest
from graphql import get_introspection_query

from app.core.paging import MOST_PER_PAGE
from app.core.settings.limits import LimitSettings
from app.graph.cost import ASSUMED_LENGTH, INTROSPECTION_COST, MUTATION_COST
from app.graph.preparing import Preparation
from app.schema import schema

PREPARATION = Preparation(schema.core, LimitSettings())
MESSAGES = "query ($n: Int = 5, $m: Int) { sessions(first: $n) { nodes { messages(last: $m) { nodes { id } } } } }"


def cost(text: str, variables: dict[str, Any] | None = None) -> int:
    """The cost of a document's only operation."""
    prepared = PREPARATION.prepare(text)
    assert not prepared.errors, prepared.errors
    return prepared.costs[prepared.key(None)].of(variables)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ viewer { userId roles } }", 1),
        ("{ a: viewer { userId } b: viewer { userId } }", 2),
        ("{ __typename }", 1),
        ("{ sessions(first: 20) { totalCount } }", 1),
        ("{ sessions(first: 20) { nodes { id } } }", 1 + 20),
        ("{ sessions(first: 20) { pageInfo { endCursor } edges { cursor node { id } } } }", 1 + 1 + 20 + 20),
        ("{ sessions(last: 20) { nodes { messages(first: 3) { nodes { id } } } } }", 1 + 20 + 20 + 60),
        ("{ sessions { nodes { id } } }", 1 + MOST_PER_PAGE),
        ("{ sessions(first: 5000) { nodes { id } } }", 1 + MOST_PER_PAGE),
        ("{ sessions(first: -3) { nodes { id } } }", 1 + 1),
        ("{ sessions(first: null) { nodes { id } } }", 1 + MOST_PER_PAGE),
        ("{ promptTemplatesPage(limit: 7) { items { id } } }", 1 + 7),
        ("{ promptTemplatesPage { items { id } } }", 1 + 50),
        ('{ nodes(ids: ["a", "b", "c"]) { id } }', 3),
        ("{ viewer { budgets { id } } }", 1 + ASSUMED_LENGTH),
        ('{ session(id: "x") { ...F ...F } } fragment F on ChatSession { metadata { tags } }', 3),
        ("query { viewer { userId ... on Viewer @skip(if: true) { budgets { id } } } }", 1 + ASSUMED_LENGTH),
        ('mutation { deleteSession(input: { sessionId: "x" }) { success error { code } } }', MUTATION_COST + 1),
    ],
)
def test_an_object_counts_as_often_as_its_lists_may_hold_it(text: str, expected: int) -> None:
    assert cost(text) == expected


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (None, 1 + 5 + 5 + 500),
        ({}, 1 + 5 + 5 + 500),
        ({"m": 2}, 1 + 5 + 5 + 10),
        ({"n": 10, "m": 2}, 1 + 10 + 10 + 20),
        ({"n": None, "m": 1}, 1 + 100 + 100 + 100),
        ({"n": 10**9, "m": -1}, 1 + 100 + 100 + 100),
        ({"n": True, "m": "many"}, 1 + 100 + 100 + 10_000),
    ],
)
def test_variables_say_how_long_lists_are(variables: dict[str, Any] | None, expected: int) -> None:
    assert cost(MESSAGES, variables) == expected


def test_ids_in_a_variable_are_counted() -> None:
    text = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on ChatSession { metadata { tags } } } }"

    assert cost(text, {"ids": ["a"] * 7}) == 14
    assert cost(text, {"ids": ["a"] * 1_000}) == 200


def test_introspection_costs_what_the_schema_has() -> None:
    once = cost(get_introspection_query())

    assert LimitSettings().max_cost / 3 < once < LimitSettings().max_cost / 2
    assert cost("{ __schema { types { name } } }") == INTROSPECTION_COST * (1 + len(schema.core.type_map))
