"""Arguments: converted by what is known of a field, and by Strawberry, to the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    Undefined,
    is_input_object_type,
)
from graphql.utilities import coerce_input_value
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from strawberry.relay import GlobalID
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from app.graph.arguments import Arguments
from app.graph.inputs import as_sent, input_type
from app.graph.schema import build_schema
from app.graph.uploads import UploadedFile
from app.schema import schema

DEFINITION = GraphQLCoreConverter.DEFINITION_BACKREF

FILE = UploadedFile("a.txt", "text/plain")
FILE.close()

LEAVES: dict[str, st.SearchStrategy[Any]] = {
    "ID": st.text(), "String": st.text(), "Int": st.integers(-(2**31), 2**31 - 1), "Boolean": st.booleans(),
    "Float": st.floats(allow_nan=False, allow_infinity=False),
    "DateTime": st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
    "Decimal": st.decimals(allow_nan=False, allow_infinity=False).map(str),
    "BigInt": st.integers(-(2**63), 2**63 - 1).map(str),
    "JSON": st.integers() | st.text() | st.dictionaries(st.text(), st.none() | st.lists(st.booleans())),
    "Upload": st.just(FILE),
}  # fmt: skip
"""What a client may send for each scalar."""

TAKING = {
    f"{kind.name}.{name}": field
    for kind in schema.core.type_map.values()
    if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__")
    for name, field in kind.fields.items()
    if field.args
}
"""Every field with arguments, by its place in the schema."""


def sent_for(kind: Any) -> st.SearchStrategy[Any]:
    """What a client may send for a type."""
    if isinstance(kind, GraphQLNonNull):
        return sent_for(kind.of_type)
    if isinstance(kind, GraphQLList):
        return st.lists(_nullable(kind.of_type), max_size=3)
    if isinstance(kind, GraphQLEnumType):
        return st.sampled_from(sorted(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        return st.deferred(lambda: given_to(kind.fields))
    return LEAVES[kind.name]


def given_to(taken: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Values of arguments, or of an input's members: what need not be there is left out, null or given."""
    required = {name: one for name, one in taken.items() if _is_required(one)}
    others = {name: _nullable(one.type) for name, one in taken.items() if name not in required}
    return st.fixed_dictionaries({name: sent_for(one.type) for name, one in required.items()}, optional=others)


def _is_required(taken: GraphQLArgument | GraphQLInputField) -> bool:
    return isinstance(taken.type, GraphQLNonNull) and taken.default_value is Undefined


def _nullable(kind: Any) -> st.SearchStrategy[Any]:
    return sent_for(kind) if isinstance(kind, GraphQLNonNull) else st.none() | sent_for(kind)


def coerced(field: GraphQLField, sent: dict[str, Any]) -> dict[str, Any]:
    """As graphql-core gives them to a resolver."""
    values = {name: one.default_value for name, one in field.args.items() if one.default_value is not Undefined}
    return values | {name: coerce_input_value(value, field.args[name].type) for name, value in sent.items()}


@contextmanager
def inputs_of_strawberry() -> Iterator[None]:
    """Have Strawberry build inputs by itself."""
    kinds = [kind.extensions[DEFINITION] for kind in schema.core.type_map.values() if is_input_object_type(kind)]
    hooks = [kind.from_input for kind in kinds]
    for kind in kinds:
        kind.from_input = None
    try:
        yield
    finally:
        for kind, hook in zip(kinds, hooks, strict=True):
            kind.from_input = hook


def by_strawberry(declared: StrawberryField, values: dict[str, Any]) -> dict[str, Any]:
    """As Strawberry converts them."""
    registry = schema.schema_converter.scalar_registry
    return convert_arguments(values, declared.arguments, registry, schema.config)


@pytest.mark.parametrize("field", TAKING.values(), ids=TAKING)
def test_arguments_are_what_strawberry_makes_of_them(field: GraphQLField) -> None:
    declared = field.extensions[DEFINITION]
    ours = Arguments(declared, schema.config.name_converter)

    @settings(
        max_examples=25, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(sent=given_to(field.args))
    def same(sent: dict[str, Any]) -> None:
        values = coerced(field, sent)
        converted = ours(values)
        assert repr(converted) == repr(by_strawberry(declared, values))
        with inputs_of_strawberry():
            theirs = by_strawberry(declared, values)
        assert converted == theirs
        assert repr(converted) == repr(theirs)
        for shown, argument in zip(field.args, declared.arguments, strict=True):
            if shown in values:
                value, found = values[shown], converted[argument.python_name]
                assert as_sent(found) == value
                # A default is the same list each time: a resolver that changes it must not change the next one's.
                assert not isinstance(value, list) or found is not value

    same()


def test_fields_with_arguments_are_those_that_were_looked_at() -> None:
    assert len(TAKING) > 90


@input_type("An input.")
class InnerInput:
    texts: list[str] = strawberry.field(description="Some.", default_factory=lambda: ["red"])


@input_type("An input with others in it.")
class OuterInput:
    inner: InnerInput | None = strawberry.field(description="One.", default=None)
    many: list[InnerInput | None] | None = strawberry.field(description="More.", default=strawberry.UNSET)
    again: "OuterInput | None" = strawberry.field(description="One of its own kind.", default=None)


@strawberry.type
class Query:
    @strawberry.field
    def told(self, info: strawberry.Info, row: int, raw: str = "x", given_to: OuterInput | None = None) -> str:
        return repr((self, info.field_name, row, raw, given_to, as_sent(given_to)))

    @strawberry.field
    @staticmethod
    def parts(above: strawberry.Parent[Any], source_name: str = "y") -> str:
        return f"{above} {source_name}"


def test_a_resolver_is_given_what_it_takes() -> None:
    served = build_schema(Query)
    query = """{ told(row: 1, givenTo: { many: [null, { texts: [] }], again: { inner: {} } })
                 bare: told(row: 2) parts other: parts(sourceName: "z") }"""

    answer = served.execute_sync(query, root_value="top")

    built = OuterInput(many=[None, InnerInput(texts=[])], again=OuterInput(inner=InnerInput()))
    # What the schema publishes as a default is among what was sent.
    again = {"inner": {"texts": ["red"]}, "again": None}
    sent: dict[str, Any] = {"inner": None, "many": [None, {"texts": []}], "again": again}
    assert answer.errors is None
    assert answer.data is not None
    assert answer.data["told"] == repr(("top", "told", 1, "x", built, sent))
    assert answer.data["bare"] == repr(("top", "told", 2, "x", None, None))
    assert (answer.data["parts"], answer.data["other"]) == ("top y", "top z")


@strawberry.input
class ForeignInput:
    text: str


@pytest.mark.parametrize("kind", [ForeignInput, GlobalID, strawberry.Maybe[int]], ids=str)  # type: ignore[misc]
def test_a_type_that_is_not_known_is_refused_when_the_schema_is_built(kind: Any) -> None:
    def resolver(value):  # type: ignore[no-untyped-def]
        return str(value)

    resolver.__annotations__ = {"value": kind, "return": str}
    foreign = strawberry.type(type("Query", (), {"told": strawberry.field(resolver)}))

    with pytest.raises(TypeError, match="is no"):
        build_schema(foreign)
