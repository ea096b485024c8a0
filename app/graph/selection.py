"""What an operation asks of the objects that a field leads to, known before they are read."""

from collections.abc import Iterable, Iterator
from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLResolveInfo,
    InlineFragmentNode,
    SelectionSetNode,
    get_named_type,
)

from app.graph.context import Info


def selected(info: Info) -> frozenset[str]:
    """The names of the fields that are asked of a field's objects; of a connection, of its nodes, wherever they stand.

    What a directive may leave out is among them: more is read then, never too little. Found once for all rows of a
    level.
    """
    raw = info._raw_info
    known = info.context.selections
    key = tuple(map(id, raw.field_nodes))
    if key not in known:
        known[key] = frozenset(field.name.value for field in _of_objects(raw))
    return known[key]


def _of_objects(info: GraphQLResolveInfo[Any]) -> Iterator[FieldNode]:
    fields = _below(info.field_nodes, info)
    kind = get_named_type(info.return_type)
    if not (isinstance(kind, GraphQLObjectType) and "edges" in kind.fields):
        yield from fields
        return
    for field in fields:
        match field.name.value:
            case "nodes":
                yield from _below([field], info)
            case "edges":
                nodes = (inner for inner in _below([field], info) if inner.name.value == "node")
                yield from _below(nodes, info)
            case _:
                pass


def _below(fields: Iterable[FieldNode], info: GraphQLResolveInfo[Any]) -> Iterator[FieldNode]:
    for field in fields:
        yield from _fields(field.selection_set, info)


def _fields(found: SelectionSetNode | None, info: GraphQLResolveInfo[Any]) -> Iterator[FieldNode]:
    """The fields of a selection, those of its fragments included; a valid document has no circles of them."""
    for selection in found.selections if found else ():
        match selection:
            case FieldNode():
                yield selection
            case InlineFragmentNode():
                yield from _fields(selection.selection_set, info)
            case FragmentSpreadNode():
                yield from _fields(info.fragments[selection.name.value].selection_set, info)
            case _:
                pass
