"""What an operation selects, collected once: a tree of selections, fields merged, fragments and directives resolved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from graphql import (
    GraphQLAbstractType,
    GraphQLField,
    GraphQLIsTypeOfFn,
    GraphQLObjectType,
    GraphQLOutputType,
    get_named_type,
    is_abstract_type,
    is_object_type,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetails, collect_subfields

from app.graph.executor.given import constant_arguments


class Unplanned(Exception):
    """An operation, or a schema, has something for which there is no plan: graphql-core executes it."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a selection, with all the places of the document that ask for it."""

    key: str
    """Its name in the answer."""
    parent: GraphQLObjectType
    definition: GraphQLField
    details: Sequence[FieldDetails]
    selections: "Mapping[str, Selection]"
    """What is selected of its objects, by the name of their type."""
    arguments: Mapping[str, Any] | None = None
    """What its resolver is given, where that is the same each time."""

    @property
    def kind(self) -> GraphQLOutputType:
        """Its type."""
        return self.definition.type


class Attribute(NamedTuple):
    """A field that is an attribute of the row."""

    name: str
    field: Field


class Later(NamedTuple):
    """A field that has a resolver: it is called for all rows of a level together."""

    number: int
    field: Field


class Typename(NamedTuple):
    """`__typename`."""

    key: str
    name: str


@dataclass(slots=True)
class Selection:
    """What is selected of an object of one type."""

    number: int
    is_type_of: GraphQLIsTypeOfFn | None
    entries: list[Attribute | Later | Typename] = field(default_factory=list)


class Selections:
    """Collects the selections of one operation, for given values of the variables in its directives.

    `most` is how many fields there may be in all: an interface has each of its fields once for each type.
    """

    def __init__(self, executor: Executor[Any], most: int) -> None:
        self._executor = executor
        self._most = most
        self._found: dict[tuple[str, tuple[int, ...]], Selection] = {}
        self._laters = 0
        self.size = 0
        """How many fields were collected."""

    def field(self, parent: GraphQLObjectType, key: str, details: Sequence[FieldDetails]) -> Field:
        """A field of a type, with all that is below it; Unplanned."""
        first = details[0]
        if any(_is_special(detail) for detail in details):
            raise Unplanned
        definition = self._executor.schema.get_field(parent, first.node.name.value)
        if definition is None:
            raise Unplanned
        selections = {kind.name: self._of(kind, details) for kind in self._objects(definition.type)}
        return Field(key, parent, definition, details, selections)

    def _objects(self, kind: GraphQLOutputType) -> Sequence[GraphQLObjectType]:
        named = get_named_type(kind)
        if is_object_type(named):
            return [named]
        if not is_abstract_type(named):
            return []
        if not _told_by_rows(named):
            raise Unplanned
        return self._executor.schema.get_possible_types(named)

    def _of(self, kind: GraphQLObjectType, details: Sequence[FieldDetails]) -> Selection:
        # The same places of the document select the same, whichever way led there.
        place = (kind.name, tuple(id(detail.node) for detail in details))
        if place in self._found:
            return self._found[place]
        found = self._found[place] = Selection(len(self._found), kind.is_type_of)
        executor = self._executor
        collected = collect_subfields(
            executor.schema, executor.fragments, executor.variable_values, executor.operation, kind, list(details)
        )
        self.size += 1 + len(collected.grouped_field_set)
        if self.size > self._most:
            raise Unplanned
        for key, below in collected.grouped_field_set.items():
            found.entries.append(self._entry(kind, key, below))
        return found

    def _entry(self, kind: GraphQLObjectType, key: str, details: list[FieldDetails]) -> Attribute | Later | Typename:
        if details[0].node.name.value == "__typename":
            return Typename(key, kind.name)
        found = self.field(kind, key, details)
        name: str | None = getattr(found.definition.resolve, "attribute", None)
        if name is not None:
            return Attribute(name, found)
        self._laters += 1
        arguments = constant_arguments(self._executor, found.definition, details[0].node)
        return Later(self._laters, replace(found, arguments=arguments))


def _told_by_rows(kind: GraphQLAbstractType) -> bool:
    """Whether rows of the type say which object they are, by `node_type`."""
    return bool(getattr(kind.resolve_type, "by_node_type", False))


def _is_special(detail: FieldDetails) -> bool:
    """Whether a field is asked for in a way that only graphql-core knows: later, in parts, by values of a fragment."""
    directives = detail.node.directives or ()
    known = all(directive.name.value in ("skip", "include") for directive in directives)
    return not known or detail.defer_usage is not None or detail.fragment_variable_values is not None
