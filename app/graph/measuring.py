"""The size of a document, whatever it means: one pass over its definitions, each fragment measured once."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

INTROSPECTION = ("__schema", "__type")
"""The root fields that lead into the schema itself, whose types refer to each other in circles."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What one definition comes to when all its fragments are written out where they are spread."""

    depth: int = 0
    """Fields inside each other."""
    aliases: int = 0
    directives: int = 0
    root_fields: int = 0
    """Fields that stand at its top."""
    fields: int = 0
    introspection_depth: int = 0
    """Fields inside each other below `__schema` and `__type`."""


@dataclass(frozen=True, slots=True)
class _Spread:
    """A fragment that is named inside a definition: so deep, and so deep below a root field of introspection."""

    name: str
    depth: int
    introspection_depth: int | None


@dataclass(frozen=True, slots=True)
class _Own:
    """What a definition holds itself, and what it names."""

    measure: Measure
    spreads: tuple[_Spread, ...]


def measure(document: DocumentNode) -> Measure:
    """The largest of each number over the document's operations, in time linear to the document.

    A fragment inside itself, and one that is not there, add nothing: validation refuses both afterwards.
    """
    named = {found.name.value: found for found in document.definitions if isinstance(found, FragmentDefinitionNode)}
    fragments = _measured({name: _own(found) for name, found in named.items()})
    operations = [
        _whole(_own(found), fragments) for found in document.definitions if isinstance(found, OperationDefinitionNode)
    ]
    return _largest(operations)


def _measured(owns: Mapping[str, _Own]) -> dict[str, Measure]:
    """Each fragment written out, those before it that it names; without recursion, for a chain may be long."""
    done: dict[str, Measure] = {}
    for first in owns:
        path: list[tuple[str, Iterator[_Spread]]] = [(first, iter(owns[first].spreads))] if first not in done else []
        on_path = {first}
        while path:
            name, spreads = path[-1]
            following = next((found.name for found in spreads if found.name in owns and found.name not in done), None)
            if following is None:
                path.pop()
                on_path.discard(name)
                done[name] = _whole(owns[name], done)
            elif following not in on_path:
                path.append((following, iter(owns[following].spreads)))
                on_path.add(following)
    return done


def _own(definition: OperationDefinitionNode | FragmentDefinitionNode) -> _Own:
    depth = aliases = root_fields = fields = introspection_depth = 0
    directives = len(definition.directives or ())
    directives += sum(len(variable.directives or ()) for variable in definition.variable_definitions or ())
    spreads: list[_Spread] = []
    waiting: list[tuple[SelectionSetNode, int, int | None]] = [(definition.selection_set, 0, None)]
    while waiting:
        selections, above, inside = waiting.pop()
        for found in selections.selections:
            directives += len(found.directives or ())
            if isinstance(found, FragmentSpreadNode):
                spreads.append(_Spread(found.name.value, above, inside))
            elif isinstance(found, FieldNode):
                fields += 1
                aliases += found.alias is not None
                root_fields += above == 0
                depth = max(depth, above + 1)
                below = 0 if inside is None and found.name.value in INTROSPECTION else inside
                if inside is not None:
                    below = inside + 1
                    introspection_depth = max(introspection_depth, below)
                if found.selection_set is not None:
                    waiting.append((found.selection_set, above + 1, below))
            else:
                waiting.append((found.selection_set, above, inside))  # type: ignore[attr-defined]  # inline fragments
    return _Own(Measure(depth, aliases, directives, root_fields, fields, introspection_depth), tuple(spreads))


def _whole(own: _Own, fragments: Mapping[str, Measure]) -> Measure:
    found = own.measure
    depth, aliases, directives = found.depth, found.aliases, found.directives
    root_fields, fields, introspection_depth = found.root_fields, found.fields, found.introspection_depth
    for spread in own.spreads:
        inner = fragments.get(spread.name)
        if inner is None:
            continue
        depth = max(depth, spread.depth + inner.depth)
        aliases += inner.aliases
        directives += inner.directives
        fields += inner.fields
        root_fields += inner.root_fields if spread.depth == 0 else 0
        inside = spread.introspection_depth
        deep = inner.introspection_depth if inside is None else inside + inner.depth
        introspection_depth = max(introspection_depth, deep)
    return Measure(depth, aliases, directives, root_fields, fields, introspection_depth)


def _largest(measures: Iterable[Measure]) -> Measure:
    found = list(measures)
    return Measure(
        depth=max((one.depth for one in found), default=0),
        aliases=max((one.aliases for one in found), default=0),
        directives=max((one.directives for one in found), default=0),
        root_fields=max((one.root_fields for one in found), default=0),
        fields=max((one.fields for one in found), default=0),
        introspection_depth=max((one.introspection_depth for one in found), default=0),
    )
