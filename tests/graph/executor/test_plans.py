"""Plans: made once, kept within bounds, one for each way the directives fall out."""

from typing import Any

import pytest
from graphql import DocumentNode, parse
from graphql.execution import Executor

from app.graph.executor import plans
from app.graph.executor.batch import BatchExecutor
from app.graph.executor.plans import Plans
from app.schema import schema
from tests.graph.executor.family import FAMILY, FETCHED, asked

CORE = FAMILY.core


def built(document: DocumentNode, of: Any = CORE, **variables: Any) -> Executor[Any]:
    """What executes an operation."""
    executor = BatchExecutor.build(of, document, raw_variable_values=variables)
    assert isinstance(executor, Executor), executor
    return executor


async def test_a_plan_is_made_once() -> None:
    kept, document = Plans(), parse("{ eve { number } }")

    first, again = kept.prepare(built(document)), kept.prepare(built(document))

    assert first[0] is not None
    assert first[0] is again[0]
    assert kept.made == 1


async def test_directives_are_looked_at_each_time() -> None:
    text = """query ($name: Boolean!, $number: Boolean! = true) { eve {
        name @include(if: $name) ...F @skip(if: $name) children @skip(if: true) { number } } }
        fragment F on Person { number @include(if: $number) }"""

    assert (await asked(text, name=True))["data"] == {"eve": {"name": "number 1"}}
    assert (await asked(text, name=False))["data"] == {"eve": {"number": 1}}
    assert (await asked(text, name=False, number=False))["data"] == {"eve": {}}
    assert FETCHED.calls == []


async def test_arguments_are_not_part_of_a_plan() -> None:
    text = "query ($n: Int!) { eve { plus(n: $n) } }"

    assert [(await asked(text, n=n))["data"]["eve"]["plus"] for n in (1, 5)] == [2, 6]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("{ eve { plus } }", {"n": 1}),
        ("{ eve { plus(n: 5) } }", {"n": 5}),
        ("query ($n: Int!) { eve { plus(n: $n) } }", None),
    ],
)
def test_a_plan_keeps_the_arguments_that_no_variable_tells(text: str, kept: dict[str, object] | None) -> None:
    [plan] = Plans().prepare(built(parse(text), n=2))

    assert plan is not None
    assert [field.arguments for field in plan.fields] == [kept]


def test_a_plan_keeps_no_argument_that_a_resolver_could_change() -> None:
    document = parse('{ project(id: "x") { stages(status: [PENDING]) { __typename } } }')

    [plan] = Plans().prepare(built(document, schema.core))

    assert plan is not None
    assert [field.arguments for field in plan.fields] == [None]


def test_those_not_used_for_longest_go_first() -> None:
    documents = [parse(f"{{ a{number}: eve {{ number }} }}") for number in range(4)]
    kept = Plans()
    kept.prepare(built(documents[0]))
    kept = Plans(most_bytes=3 * kept.size_bytes + 10)

    for document in documents[:3]:
        kept.prepare(built(document))
    kept.prepare(built(documents[0]))
    kept.prepare(built(documents[3]))

    assert (len(kept), kept.made) == (3, 4)
    kept.prepare(built(documents[0]))
    assert kept.made == 4
    kept.prepare(built(documents[1]))
    assert kept.made == 5


def test_many_new_operations_stay_within_the_bound() -> None:
    kept = Plans(most_bytes=200_000)

    for number in range(300):
        kept.prepare(built(parse(f"{{ a{number}: eve {{ number children {{ number name }} }} }}")))
        assert kept.size_bytes <= 200_000

    assert 0 < len(kept) < 300


def test_an_operation_has_a_budget_for_all_of_its_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "MOST_FIELDS", 200)
    kept = Plans()
    aliases = " ".join(f"a{number}: __typename" for number in range(50))
    document = parse(f'query ($x: Boolean = true) {{ n: node(id: "x") {{ {aliases} id @skip(if: $x) }} }}')

    # Each of the types of a node would have them all: that is more than is planned for one operation.
    assert kept.prepare(built(document, schema.core, x=True)) == [None]
    assert kept.prepare(built(document, schema.core, x=False)) == [None]
    assert kept.size_bytes < 2 * plans.BYTES_PER_FIELD * 200


@pytest.mark.parametrize("text", ["{ eve { number @stream } }", "{ eve { ... @defer { number } } }"])
def test_what_is_not_known_is_not_planned(text: str) -> None:
    assert Plans().prepare(built(parse(text))) == [None]
