"""Events that many subscribers are told of: what is encoded of one for the first is sent to all who select the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import (
    GraphQLObjectType,
    GraphQLOutputType,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_list_type,
    is_object_type,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetails, collect_subfields

MOST_KEPT = 8
"""Selections of one event: clients of a server are few programs, and each asks for the same always."""


@dataclass(frozen=True, slots=True)
class SharedRow:
    """An event of which there is one object in a process, whoever follows; its type is told by `node_type`.

    Who may follow was found out before it is given to anybody. Equal events that are two objects share nothing.
    """

    encoded: dict[str, bytes] | None = field(default=None, repr=False, compare=False, kw_only=True)
    """What was made of it, as JSON, by what was selected; None for one that a single subscriber is given."""

    def keep(self, key: str, data: Mapping[str, Any]) -> bytes:
        """The JSON of `data`, which is kept for the next who selects the same."""
        encoded = orjson.dumps(data)
        if self.encoded is not None and len(self.encoded) < MOST_KEPT:
            self.encoded[key] = encoded
        return encoded


class Sharing:
    """What one subscription selects of its events, as far as that is the same for everybody."""

    __slots__ = ("_details", "_executor", "_keys", "_kind", "_name")

    def __init__(
        self, executor: Executor[Any], name: str, kind: GraphQLOutputType, details: Sequence[FieldDetails]
    ) -> None:
        self._executor = executor
        self._name = name
        self._kind = kind
        self._details = details
        self._keys: dict[str, str | None] = {}

    def key(self, row: SharedRow) -> str | None:
        """What is selected of such an event; None when the answer does not depend on the event alone.

        Two subscriptions with the same key are answered the same, whatever they call their operation and variables.
        """
        name: str = row.node_type  # type: ignore[attr-defined]  # as the row of a union has
        try:
            return self._keys[name]
        except KeyError:
            found = self._keys[name] = self._selected(name)
            return found

    def _selected(self, name: str) -> str | None:
        kind = get_nullable_type(self._kind)
        if is_list_type(kind):
            return None
        if is_abstract_type(kind):
            if not getattr(kind.resolve_type, "by_node_type", False):
                return None
            return self._of_type(self._executor.schema.get_type(name))
        return self._of_type(kind)

    def _of_type(self, kind: object) -> str | None:
        below = self._below(kind, self._details) if is_object_type(kind) else None
        return None if below is None else f"{self._name}:{below}"

    def _below(self, kind: GraphQLObjectType, details: Sequence[FieldDetails]) -> str | None:
        """The selection, written in the order of the answer."""
        if kind.is_type_of or any(detail.defer_usage or detail.fragment_variable_values for detail in details):
            return None
        executor = self._executor
        collected = collect_subfields(
            executor.schema, executor.fragments, executor.variable_values, executor.operation, kind, list(details)
        )
        written = []
        for key, fields in collected.grouped_field_set.items():
            told = self._field(kind, fields)
            if told is None:
                return None
            written.append(f"{key}:{told}")
        return f"{kind.name}{{{' '.join(written)}}}"

    def _field(self, parent: GraphQLObjectType, details: Sequence[FieldDetails]) -> str | None:
        name = details[0].node.name.value
        if name == "__typename":
            return name
        definition = self._executor.schema.get_field(parent, name)
        if definition is None or definition.args or getattr(definition.resolve, "attribute", None) is None:
            return None
        kind = get_named_type(definition.type)
        if is_abstract_type(kind):
            return None
        if not is_object_type(kind):
            return name
        below = self._below(kind, details)
        return None if below is None else f"{name}{below}"
