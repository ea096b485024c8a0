"""Operations that are made from the schema alone, valid and invalid: each is answered, and none by a surprise."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    OperationDefinitionNode,
    OperationType,
    build_schema,
    parse,
    print_ast,
    print_schema,
)
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.graphql import nodes
from structlog.testing import capture_logs

from app.core.errors import ErrorCode
from app.schema import schema as served
from tests.client import GraphQLClient
from tests.schema_walk import ID_NAMES, Ids, mutation_fields, query_fields, random_id
from tests.worlds import Conversation

EXAMPLES = {GenerationMode.POSITIVE: 8, GenerationMode.NEGATIVE: 3}
"""Of each root field: eight hundred operations in all."""

SCALARS = {
    "DateTime": ["2026-01-31T12:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-12:00", "2026-02-30"],
    "Decimal": ["0", "1.5", "-0.000000000001", "1E+400", "9" * 60, "NaN"],
    "BigInt": ["0", "-1", str(2**63 - 1), str(-(2**63)), str(2**63), "0.5"],
    "JSON": ["a text", "\ufffe", ""],
    "Upload": ["no file"],
}
"""What is written where a scalar of ours is wanted: values, some at its edges, and some beyond."""

PLACES: dict[str, list[Any]] = {
    "first": [nodes.Int(2), nodes.Int(100), nodes.Int(0), nodes.Int(101), nodes.Null],
    "last": [nodes.Null, nodes.Null, nodes.Null, nodes.Int(1), nodes.Int(-1)],
    "after": [nodes.Null, nodes.Null, nodes.String("x")],
    "before": [nodes.Null, nodes.Null, nodes.Null, nodes.String("")],
    "page": [nodes.Int(1), nodes.Int(2**31 - 1), nodes.Int(0)],
    "query": [nodes.String("plain"), nodes.String('"a phrase" -x'), nodes.String("")],
    "limit": [nodes.Int(20), nodes.Int(100), nodes.Int(0)],
}
"""What says what of a list is wanted: of numbers and texts at random, hardly one is a size, a place or a search."""

LEAVE_NOTHING = ("delete", "erase")
"""How the names of mutations begin after which others find nothing to do."""

NEVER_DONE = frozenset({"uploadAttachment"})
"""Root fields that no document alone can ask for: a file comes beside it."""


@pytest.mark.timeout(300)
async def test_every_generated_operation_is_answered(client: GraphQLClient, talk: Conversation) -> None:
    asked = [query for mode, count in EXAMPLES.items() for query in generated(mode, count)]
    asked.sort(key=lambda query: query.partition("{")[2].strip().startswith(LEAVE_NOTHING))
    answered: Counter[str] = Counter()

    with capture_logs() as lines:
        for query in asked:
            answered.update(await data_of(client, with_ids(query, talk.ids)))

    assert [line for line in lines if line["log_level"] in ("warning", "error", "critical")] == []
    assert {*query_fields(), *mutation_fields()} - answered.keys() == NEVER_DONE


async def data_of(client: GraphQLClient, query: str) -> list[str]:
    """The root fields that were executed; whatever was refused has its reason, and none is a fault of ours."""
    response = await client.post(query)
    answer = response.json()
    codes = [error["extensions"]["code"] for error in answer.get("errors", [])]
    data = answer.get("data") or {}
    payloads = [payload for payload in data.values() if isinstance(payload, dict)]
    codes += [payload["error"]["code"] for payload in payloads if payload.get("error")]
    assert response.status_code == (200 if "data" in answer else 400), (query, answer)
    assert response.headers["content-type"].startswith("application/json"), query
    assert codes or data, (query, answer)
    assert ErrorCode.INTERNAL_SERVER_ERROR not in map(ErrorCode, codes), (query, answer)
    return list(data)


def generated(mode: GenerationMode, count: int) -> Iterator[str]:
    """So many operations of each root field, the same in every run; `@Run` in them stands for the id of one."""
    for name, values in SCALARS.items():
        schemathesis.graphql.scalar(name, st.sampled_from(values).map(nodes.String))
    for operation in schemathesis.graphql.from_file(with_kinds_of_values(served.as_str())).get_all_operations():
        assert isinstance(operation, Ok)
        yield from examples(operation.ok().as_strategy(generation_mode=mode), count)


def examples(cases: st.SearchStrategy[Any], count: int) -> list[str]:
    """Documents, first made and then sent: what is asynchronous cannot be called by Hypothesis here."""
    found: list[str] = []

    @settings(
        max_examples=count, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=cases)
    def keep(case: Any) -> None:
        found.append(telling_errors(case.body))

    keep()
    return found


def telling_errors(query: str) -> str:
    """A mutation that selects why it was refused."""
    document = parse(query)
    [operation] = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    if operation.operation is not OperationType.MUTATION:
        return query
    [root] = operation.selection_set.selections
    assert isinstance(root, FieldNode)
    return f"mutation {{ {print_ast(root).rpartition('}')[0]} error {{ code }} }} }}"


def with_kinds_of_values(text: str) -> str:
    """The schema with a scalar of its own for each kind of id that is taken, and for what names a page."""
    schema = build_schema(text)
    kinds: dict[str, GraphQLScalarType] = {}

    def replace(taken: GraphQLArgument | GraphQLInputField, name: str) -> None:
        taken.type = kind_of(taken.type, name)

    def kind_of(kind: Any, name: str) -> Any:
        if isinstance(kind, GraphQLNonNull | GraphQLList):
            return type(kind)(kind_of(kind.of_type, name))
        to = ID_NAMES.get(name, "ChatSession")
        if kind.name == "ID":
            known = st.sampled_from([f"@{to}", f"@{to}", f"@{to}", f"?{to}", "x"])
            return scalar(f"{to}Id", known.map(nodes.String))
        return scalar(f"{name}Place", st.sampled_from(PLACES[name])) if name in PLACES else kind

    def scalar(name: str, values: st.SearchStrategy[Any]) -> GraphQLScalarType:
        schemathesis.graphql.scalar(name, values)
        return kinds.setdefault(name, GraphQLScalarType(name))

    with_fields = (GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType)
    for kind in list(schema.type_map.values()):
        for name, field in kind.fields.items() if isinstance(kind, with_fields) else ():
            if isinstance(field, GraphQLInputField):
                replace(field, name)
            else:
                for argument, taken in field.args.items():
                    replace(taken, name if argument in ("id", "ids") else argument)
    return "\n".join([print_schema(schema), *(f"scalar {name}" for name in kinds)])


def with_ids(query: str, ids: Ids) -> str:
    """The operation in a world with these ids; `?Run` is an id of none."""
    known = re.sub(r'"@(\w+)"', lambda found: f'"{ids[found[1]]}"', query)
    return re.sub(r'"\?(\w+)"', lambda found: f'"{random_id(found[1])}"', known)
