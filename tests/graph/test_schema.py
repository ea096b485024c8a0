"""The schema as a product: printed, described, and named by rule."""

from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    get_named_type,
    is_introspection_type,
    is_specified_scalar_type,
)

from app.core.errors import ErrorCode
from app.schema import schema
from tests.schema_walk import SCHEMA, mutation_fields

TYPES = [
    kind
    for name, kind in sorted(SCHEMA.type_map.items())
    if not is_introspection_type(kind) and not is_specified_scalar_type(kind)
]


def test_committed_schema_is_the_served_one() -> None:
    committed = (Path(__file__).parents[2] / "schema.graphql").read_text()

    assert committed == schema.as_str() + "\n", "run `make schema`"


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_every_element_is_described(kind: GraphQLNamedType) -> None:
    missing = [] if kind.description else [kind.name]
    if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
        for name, field in kind.fields.items():
            missing += [] if field.description else [f"{kind}.{name}"]
            missing += [
                f"{kind}.{name}({argument}:)" for argument, value in field.args.items() if not value.description
            ]
    if isinstance(kind, GraphQLInputObjectType):
        missing += [f"{kind}.{name}" for name, field in kind.fields.items() if not field.description]
    if isinstance(kind, GraphQLEnumType):
        missing += [f"{kind}.{name}" for name, value in kind.values.items() if not value.description]

    assert missing == []


@pytest.mark.parametrize("name", mutation_fields())
def test_mutations_take_one_input_and_answer_a_payload_named_after_them(name: str) -> None:
    field = mutation_fields()[name]
    kind = name[0].upper() + name[1:]

    payload = get_named_type(field.type)
    taken = get_named_type(field.args["input"].type)

    assert list(field.args) == ["input"]
    assert (taken.name, payload.name) == (f"{kind}Input", f"{kind}Payload")
    assert isinstance(taken, GraphQLInputObjectType)
    assert "clientKey" in taken.fields
    assert isinstance(payload, GraphQLObjectType)
    assert "MutationPayload" in {interface.name for interface in payload.interfaces}


def test_every_error_code_is_in_the_graph() -> None:
    codes = SCHEMA.type_map["ErrorCode"]

    assert isinstance(codes, GraphQLEnumType)
    assert set(codes.values) == {code.value for code in ErrorCode}
