"""Operations made from a schema at random, by a seed: nested, merged, with fragments, directives and variables."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_composite_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)

from app.graph.body import GraphQLRequest
from tests.schema_walk import ID_NAMES, literal, random_id

DEEPEST = 5
"""Objects below each other, from the root on: as deep as a world of ours goes without turning back."""

NUMBERS: Mapping[str, Sequence[int]] = {"first": (1, 2, 2, 3, 3, 50, 50, 0), "last": (1, 2, 50), "limit": (2, 50)}
"""How much of a list is wanted: mostly some of it, at times too little to be taken."""

TEXTS: Mapping[str, Sequence[str]] = {
    "after": ("x",), "before": ("x",), "query": ("plain", "own"), "model": ("local:echo",), "timeZone": ("UTC",),
}  # fmt: skip

_RARELY = {"after": 0.03, "before": 0.03}
"""How likely an argument is that is mostly refused: a cursor of no list."""

SCALARS: Mapping[str, Sequence[Any]] = {
    "String": ("plain", "", "\u00e9 \U0001f44d"), "Float": (0.5, 2), "Boolean": (True, False), "BigInt": ("1", "0"),
    "Decimal": ("1.5",), "JSON": ({"some": ["object"]}, None, 1),
    "DateTime": ("2020-01-31T12:00:00Z", "2100-01-01T00:00:00+02:00"),
}  # fmt: skip


@dataclass(slots=True)
class Scope:
    """What the response names of one place stand for: of a second use, that it fits; and what hangs below each."""

    meanings: dict[str, tuple[str, "Scope"]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fragment:
    """A named fragment that was written, with the names that it brings to where it is spread."""

    name: str
    condition: str
    brings: Scope


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of an operation, and what gives it values."""

    name: str
    declared: str
    value: Callable[[], Any]
    optional: bool


class Writer:
    """Writes one operation; the same for the same seed. What it writes is valid, whatever becomes of it."""

    def __init__(
        self,
        schema: GraphQLSchema,
        ids: Mapping[str, Sequence[str]],
        seed: int,
        without: Collection[tuple[str, str]] = (),
    ) -> None:
        self._without = without
        self._schema = schema
        self._ids = ids
        self._chance = Random(seed)
        self._count = 0
        self._objects = self._chance.choice((2, 3, 4, 6, 12))
        self._declared: list[str] = []
        self._variables: list[Variable] = []
        self._fragments: list[Fragment] = []
        self._written: list[str] = []

    def query(self, roots: Sequence[str] = ()) -> GraphQLRequest:
        """A query of some root fields: of `roots`, and others at random."""
        kind = self._schema.query_type
        assert kind is not None
        names = [*roots, *self._chance.sample(sorted(kind.fields), self._chance.choice((0, 0, 0, 0, 1, 2)))]
        scope, parts = Scope(), []
        for name in names:
            parts.append(self._field(kind, name, scope, DEEPEST - 1))
        if self._likely(0.1):
            parts.append(self._chance.choice(("__typename", "__schema { queryType { name kind } }")))
        if self._likely(0.15):
            parts.append(self._fragment_of(kind, scope, 1))
        return self._request("query", self._shuffled(parts))

    def again(self, asked: GraphQLRequest) -> GraphQLRequest:
        """The same document with other values of its variables."""
        return replace(asked, variables=self._values())

    def _request(self, kind: str, parts: Sequence[str]) -> GraphQLRequest:
        declared = ", ".join(found.declared for found in self._variables)
        head = f"{kind} It({declared})" if declared else f"{kind} It"
        others = ["query Other { __typename }"] if self._likely(0.1) else []
        text = "\n".join([f"{head} {{ {' '.join(parts)} }}", *self._written, *others])
        return GraphQLRequest(text, self._values(), "It" if others or self._likely(0.2) else None)

    def _values(self) -> dict[str, Any] | None:
        """A value for each variable that must have one, and for most of the others."""
        given = [found for found in self._variables if not found.optional or self._likely(0.7)]
        return {found.name: found.value() for found in given} or None

    def _selection(self, kind: GraphQLNamedType, scope: Scope, depth: int) -> str:
        """A selection set of an object, an interface or a union."""
        parts = list(self._parts(kind, scope, depth))
        return f"{{ {' '.join(self._shuffled(parts)) or '__typename'} }}"

    def _parts(self, kind: GraphQLNamedType, scope: Scope, depth: int) -> Iterator[str]:
        if self._likely(0.3):
            yield f"{self._alias_for('__typename', 'String!', scope)}{self._directive()}"
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            yield from (self._field(kind, name, scope, depth) for name in self._some_fields(kind, depth))
        if is_abstract_type(kind):
            members = sorted(member.name for member in self._schema.get_possible_types(kind))
            # Of what may come here, not so much that the document is larger than its answer.
            for name in self._chance.sample(members, min(len(members), 4)):
                yield self._fragment_of(self._schema.type_map[name], scope, depth)
            interfaces = getattr(kind, "interfaces", ())
            if interfaces and self._likely(0.3):
                yield self._fragment_of(self._chance.choice(interfaces), scope, depth)
        elif self._likely(0.3):
            yield self._fragment_of(kind, scope, depth)
        if self._likely(0.1):
            yield f"...{self._directive()} {self._selection(kind, scope, min(depth, 1))}"

    def _some_fields(self, kind: GraphQLObjectType | GraphQLInterfaceType, depth: int) -> Sequence[str]:
        """Names of fields, some of them twice: what is asked twice is answered once, with all that is selected."""
        wanted = {name: found for name, found in kind.fields.items() if (kind.name, name) not in self._without}
        leaves = [name for name, found in wanted.items() if is_leaf_type(get_named_type(found.type))]
        below = [name for name in wanted if name not in leaves] if depth > 0 < self._objects else []
        chosen = self._chance.sample(leaves, min(len(leaves), self._chance.randint(1, 4)))
        chosen += self._chance.sample(below, min(len(below), self._chance.choice((1, 1, 2, 2, 3))))
        return [*chosen, *(name for name in chosen if self._likely(0.15))]

    def _field(self, parent: GraphQLObjectType | GraphQLInterfaceType, name: str, scope: Scope, depth: int) -> str:
        definition: GraphQLField = parent.fields[name]
        arguments = self._arguments(name, definition)
        head = f"{name}{f'({arguments})' if arguments else ''}"
        alias, below = self._named(head, str(definition.type), scope)
        written = f"{alias}{head}{self._directive()}"
        kind = get_named_type(definition.type)
        self._objects -= is_composite_type(kind)
        return f"{written} {self._selection(kind, below, depth - 1)}" if is_composite_type(kind) else written

    def _named(self, head: str, kind: str, scope: Scope) -> tuple[str, Scope]:
        """An alias (or none) under which a field can stand here, and the scope of what is below it."""
        meaning = f"{head} {kind}"
        known = [name for name, (means, _) in scope.meanings.items() if means == meaning]
        if known and self._likely(0.7):
            name = self._chance.choice(known)
        else:
            plain = head.partition("(")[0]
            name = self._fresh("a") if plain in scope.meanings or self._likely(0.15) else plain
            scope.meanings[name] = (meaning, Scope())
        alias = "" if name == head.partition("(")[0] else f"{name}: "
        return alias, scope.meanings[name][1]

    def _alias_for(self, head: str, kind: str, scope: Scope) -> str:
        return f"{self._named(head, kind, scope)[0]}{head}"

    def _fragment_of(self, kind: GraphQLNamedType, scope: Scope, depth: int) -> str:
        """What is selected of one type: in place, by a name, or once more by the name of what was before."""
        before = [each for each in self._fragments if each.condition == kind.name]
        if before and not scope.meanings and self._likely(0.6):
            again = self._chance.choice(before)
            scope.meanings.update(again.brings.meanings)
            return f"...{again.name}{self._directive()}"
        if self._likely(0.6):
            return f"... on {kind.name}{self._directive()} {self._selection(kind, scope, depth)}"
        name = self._fresh("F")
        text = self._selection(kind, scope, depth)
        self._written.append(f"fragment {name} on {kind.name} {text}")
        self._fragments.append(Fragment(name, kind.name, scope))
        spread = f"...{name}{self._directive()}"
        return f"{spread} ...{name}" if self._likely(0.2) else spread

    def _directive(self) -> str:
        if not self._likely(0.12):
            return ""
        name = self._chance.choice(("include", "skip"))

        def value() -> bool:
            # Mostly such that something is left.
            return (name == "include") == self._likely(0.8)

        if self._likely(0.5):
            return f" @{name}(if: {literal(value())})"
        return f" @{name}(if: {self._variable(GraphQLNonNull(GraphQLBoolean), value)})"

    def _arguments(self, owner: str, definition: GraphQLField) -> str:
        taken = {
            name: argument
            for name, argument in definition.args.items()
            if is_required_argument(argument) or self._likely(_RARELY.get(name, 0.25))
        }
        if {"first", "last"} <= taken.keys():
            del taken[self._chance.choice(("first", "last"))]
        return ", ".join(f"{name}: {self._argument(owner, name, argument)}" for name, argument in taken.items())

    def _argument(self, owner: str, name: str, argument: GraphQLArgument) -> str:
        def value() -> Any:
            return self._value(argument.type, owner if name in ("id", "ids") else name)

        return self._variable(argument.type, value) if self._likely(0.35) else literal(value(), argument.type)

    def _variable(self, kind: GraphQLInputType, value: Callable[[], Any]) -> str:
        """A new variable of a type, perhaps with a default."""
        name = self._fresh("v")
        bare, default = get_nullable_type(kind), value() if self._likely(0.3) else None
        declared = f"${name}: {kind}" if default is None else f"${name}: {bare} = {literal(default, kind)}"
        self._variables.append(Variable(name, declared, value, optional=default is not None or kind is bare))
        return f"${name}"

    def _value(self, kind: GraphQLInputType, name: str) -> Any:
        bare = get_nullable_type(kind)
        if kind is bare and self._likely(0.06):
            return None
        if isinstance(bare, GraphQLList):
            return [self._value(bare.of_type, name) for _ in range(self._chance.randint(1, 4))]
        if isinstance(bare, GraphQLInputObjectType):
            return {
                inner: self._value(taken.type, inner)
                for inner, taken in bare.fields.items()
                if is_required_input_field(taken) or self._likely(0.3)
            }
        if isinstance(bare, GraphQLEnumType):
            return self._chance.choice(list(bare.values))
        named = get_named_type(bare).name
        if named == "ID":
            return self._id(name)
        if named == "Int":
            return self._chance.choice(NUMBERS.get(name, (1, 2, 3)))
        return self._chance.choice(TEXTS.get(name, SCALARS[named]) if named == "String" else SCALARS[named])

    def _id(self, name: str) -> str:
        kinds = sorted(self._ids)
        kind = ID_NAMES.get(name, "ChatSession") if name not in ("node", "nodes") else self._chance.choice(kinds)
        if self._likely(0.04):
            return self._chance.choice((random_id(kind), "x", self._ids[self._chance.choice(kinds)][0]))
        return self._chance.choice(self._ids[kind])

    def _fresh(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}{self._count}"

    def _likely(self, chance: float) -> bool:
        return self._chance.random() < chance

    def _shuffled(self, parts: list[str]) -> list[str]:
        self._chance.shuffle(parts)
        return parts
