"""Scalars and enums: the code that tests a value and writes it, without a call where that can be.

A test lets through exactly what the type's own serializer takes as it is; all else is a surprise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from math import isfinite
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLScalarType,
    GraphQLString,
    Undefined,
)
from graphql.pyutils import is_awaitable

from app.graph.scalars import as_it_is, plain_decimal

_JSON = frozenset({dict, list, str, int, float, bool})


@dataclass(frozen=True, slots=True)
class Leaf:
    """How a value `{v}` is tested and written; `{n}` is a name of its own for what both need."""

    test: str | None
    """An expression that is true of what is known; None where `written` tests it itself."""
    written: str
    """An expression."""
    needs: Mapping[str, Any]
    nothing: tuple[str, ...] = ()
    """What `written` gives where the value is none of the type."""


_STRING = Leaf("type({v}) is str", "{v}", {})
_OWN = {
    GraphQLString: _STRING,
    GraphQLID: _STRING,
    GraphQLBoolean: Leaf("type({v}) is bool", "{v}", {}),
    GraphQLInt: Leaf("type({v}) is int and -2147483648 <= {v} <= 2147483647", "{v}", {}),
    GraphQLFloat: Leaf("type({v}) is float and isfinite({v})", "{v}", {"isfinite": isfinite}),
}

_SERIALIZED: Mapping[Any, Leaf] = {
    # A moment in UTC is left to the encoder of JSON, which writes the same text.
    datetime.isoformat: Leaf(
        "type({v}) is datetime",
        "({v} if {v}.tzinfo is UTC else {v}.isoformat())",
        {"datetime": datetime, "UTC": UTC},
    ),
    str: Leaf("type({v}) is int", "str({v})", {}),
    plain_decimal: Leaf(
        "type({v}) is Decimal", "plain_decimal({v})", {"Decimal": Decimal, "plain_decimal": plain_decimal}
    ),
    as_it_is: Leaf("type({v}) in JSON", "{v}", {"JSON": _JSON}),
}
"""By what serializes a scalar of the graph."""


def leaf_of(kind: GraphQLLeafType) -> Leaf:
    """How values of a scalar or an enum are written."""
    if isinstance(kind, GraphQLScalarType):
        known = _OWN.get(kind) or _SERIALIZED.get(kind.coerce_output_value)
        return known or _by_call(kind)
    names = _names_of(kind)
    # Of text alone: 1, True and 1.0 are one key of a dict.
    if not all(isinstance(value, str) for value in names):
        return _by_call(kind)
    return Leaf(None, "{n}({v})", {"{n}": names.get}, ("None",))


def _names_of(kind: GraphQLEnumType) -> dict[Any, str]:
    """The names of an enum's values, by what a row may hold: text, or a member of the enum."""
    return {value.value: name for name, value in kind.values.items()}


def _by_call(kind: GraphQLLeafType) -> Leaf:
    needs = {"{n}": kind.coerce_output_value, "is_plain": _is_plain, "Undefined": Undefined}
    return Leaf("is_plain({v})", "{n}({v})", needs, ("None", "Undefined"))


def _is_plain(value: object) -> bool:
    return not isinstance(value, Exception) and not is_awaitable(value)
