"""Ways through the served graph: from a root field along fields that lead to objects."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from graphql import (
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
)

from tests.schema_walk import (
    SCHEMA,
    is_connection,
    leaves,
    literal,
    node_of,
    query_fields,
    valid_arguments,
    without_required,
)

ASKED_WITH = {"ChatSession.agentState": '(agentId: "plain")', "PromptTemplate.diff": "(from: 1, to: 1)"}
"""The arguments of fields below the root that cannot be asked for without."""

Wanted = Callable[[GraphQLNamedType], str]
"""What is asked of the objects at the end of a way."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One field on a way into the graph, and the type of the objects it leads to."""

    name: str
    kind: GraphQLNamedType
    to: GraphQLObjectType


Way = tuple[Hop, ...]


def ways() -> Iterator[Way]:
    """Ways from the root, so that below every field that leads to objects each field of theirs is gone to once.

    The shortest way is taken, from a list of objects where there is one: a field is asked of many objects at a time.
    What an interface has is the same of all its types, and gone to once.
    """
    assert SCHEMA.query_type is not None
    gone: set[tuple[Hop | GraphQLInterfaceType | None, Hop]] = set()
    open_ends: deque[Way] = deque([()])
    while open_ends:
        way = open_ends.popleft()
        for hop in _hops(way[-1].to) if way else sorted(_hops(SCHEMA.query_type), key=_lists_first):
            pair = (_origin(way[-1], hop) if way else None, hop)
            if pair not in gone:
                gone.add(pair)
                yield (*way, hop)
                open_ends.append((*way, hop))


def _hops(kind: GraphQLObjectType) -> Iterator[Hop]:
    """The fields of a type that lead to objects; where to an interface, to each of its types."""
    for name, field in kind.fields.items():
        found = get_named_type(field.type)
        if is_leaf_type(found):
            continue
        # What cannot be asked for without a value is a gap to fill in ASKED_WITH.
        named = f"{kind.name}.{name}"
        assert kind is SCHEMA.query_type or without_required(field) or named in ASKED_WITH, f"{named} takes arguments"
        node = node_of(found)
        for to in SCHEMA.get_possible_types(node) if is_abstract_type(node) else [node]:
            assert isinstance(to, GraphQLObjectType)
            yield Hop(name + ASKED_WITH.get(named, ""), found, to)


def _origin(before: Hop, hop: Hop) -> Hop | GraphQLInterfaceType:
    """What a field is gone to from: a hop, or where an interface of its objects has the field, that."""
    for interface in before.to.interfaces:
        if interface.name != "Node" and hop.name.partition("(")[0] in interface.fields:
            assert isinstance(interface, GraphQLInterfaceType)
            return interface
    return before


def _lists_first(root: Hop) -> int:
    return 0 if is_connection(root.kind) else 1 if root.name == "nodes" else 2


def selected(way: Way, through: str, last: str, wanted: Wanted = leaves) -> str:
    """The selection of a way: lists `through` nodes or edges, of the last `last`; of its objects what is `wanted`."""
    hop, *rest = way
    inner = f"{_asked(rest[0])} {selected(tuple(rest), through, last, wanted)}" if rest else wanted(hop.to)
    if is_abstract_type(node_of(hop.kind)):
        inner = f"... on {hop.to.name} {{ {inner} }}"
    if not is_connection(hop.kind):
        return f"{{ {inner} }}"
    if not rest and last == "totalCount":
        return "{ totalCount }"
    if through == "edges":
        return f"{{ edges {{ cursor node {{ {inner} }} }} pageInfo {{ {leaves(SCHEMA.type_map['PageInfo'])} }} }}"
    return f"{{ nodes {{ {inner} }} }}"


def _asked(hop: Hop) -> str:
    """A field below the root as it is asked for: of lists inside lists so many that the whole is within the limits."""
    return f"{hop.name}(first: 20)" if is_connection(hop.kind) and "(" not in hop.name else hop.name


def rooted(way: Way, ids: Mapping[str, list[str]], selection: str) -> str:
    """The operation that goes a way in a world with these ids, with the selection of its first hop."""
    root = way[0]
    taken = {**valid_arguments("query", root.name, {name: found[0] for name, found in ids.items()})}
    if "ids" in taken or "id" in taken:
        taken = {"ids": ids[root.to.name]} if "ids" in taken else {"id": ids[root.to.name][0]}
    kinds = query_fields()[root.name].args
    written = (f"{name}: {literal(value, kinds[name].type)}" for name, value in taken.items())
    arguments = f"({', '.join(written)})" if taken else ""
    return f"{{ {root.name}{arguments} {selection} }}"


def operations(way: Way, ids: Mapping[str, list[str]]) -> Iterator[str]:
    """The operations that go a way in a world with these ids: by nodes, by edges, and with the count of its end."""
    forms = {("nodes", "objects")}
    if any(is_connection(hop.kind) for hop in way):
        forms.add(("edges", "objects"))
    if is_connection(way[-1].kind):
        forms |= {("nodes", "totalCount"), ("edges", "totalCount")} if len(way) > 1 else {("nodes", "totalCount")}
    for through, last in sorted(forms):
        yield rooted(way, ids, selected(way, through, last))
