"""What an operation costs: the objects that it may return at most."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil, prod
from typing import Any

from graphql import (
    ArgumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
    value_from_ast_untyped,
)

from app.core.paging import MOST_PER_PAGE

MUTATION_COST = 10
"""Of a root field that writes: a transaction with a commit of its own takes about as long as reading ten objects."""

ASSUMED_LENGTH = 5
"""Of a list that is not paged: the calls of a message, the stages of a project, labels. A guess, and a high one."""

INTROSPECTION_COST = 5
"""Of an object below `__schema`: all of them are made at one go, in which nobody else is answered. The whole schema
takes 170 ms; so two are allowed in one operation, and not eleven."""

_PAGE_ARGUMENTS = ("first", "last", "limit", "ids")
"""Arguments that say how long a list is, by a number or by what they list."""


@dataclass(frozen=True, slots=True)
class Page:
    """How long a list is, by the arguments of its field."""

    variables: tuple[str, ...] = ()
    """That say so."""
    least: int = 0
    """What a literal says."""
    otherwise: int = MOST_PER_PAGE
    """What it is where none of them does."""

    def length(self, given: Mapping[str, Any], defaults: Mapping[str, Any]) -> int:
        """The length with these variables, within what lists allow: what is outside of that is refused later."""
        longest = self.least
        for name in self.variables:
            number = _number(given[name] if name in given else defaults.get(name))
            longest = max(longest, number)
        return longest or self.otherwise


Product = tuple[Page, ...]
"""The pages around an object, whose lengths are multiplied."""


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one operation, compiled: a sum of products, most of which are known beforehand."""

    fixed: int
    pages: tuple[Page, ...]
    """Those that depend on variables."""
    varying: tuple[tuple[int, tuple[int, ...]], ...]
    """Factors, each with the places in `pages` of what it is multiplied by."""
    defaults: Mapping[str, Any]

    def of(self, variables: Mapping[str, Any] | None) -> int:
        """The cost with these variables, in microseconds. `@skip` and `@include` leave nothing out."""
        if not self.varying:
            return self.fixed
        given = variables or {}
        lengths = [page.length(given, self.defaults) for page in self.pages]
        cost = self.fixed
        for factor, places in self.varying:
            for place in places:
                factor *= lengths[place]
            cost += factor
        return cost


class Costs:
    """Compiles the costs of a schema's operations."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._introspected = _lengths_of_introspection(schema)

    def of(self, operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]) -> Cost:
        """The cost of an operation of a valid document, whose fields are bounded with its fragments written out."""
        root = self._schema.get_root_type(operation.operation)
        assert root is not None  # noqa: S101 - the document was valid for the schema
        compiler = _Compiler(self._schema, fragments, self._introspected)
        cost = MUTATION_COST if operation.operation is OperationType.MUTATION else 1
        compiler.add(operation.selection_set, root, (), None, cost)
        return _summed(compiler.sums, operation)


def _summed(sums: Mapping[Product, int], operation: OperationDefinitionNode) -> Cost:
    fixed = 0
    places: dict[Page, int] = {}
    varying: dict[tuple[int, ...], int] = {}
    for pages, times in sums.items():
        known = times * prod(page.length({}, {}) for page in pages if not page.variables)
        depends = tuple(places.setdefault(page, len(places)) for page in pages if page.variables)
        if depends:
            varying[depends] = varying.get(depends, 0) + known
        else:
            fixed += known
    defaults = {
        found.variable.name.value: value_from_ast_untyped(found.default_value)
        for found in operation.variable_definitions or ()
        if found.default_value is not None
    }
    # Nothing is free: an operation of leaves alone costs as much as one object.
    return Cost(
        fixed if varying else max(fixed, 1),
        tuple(places),
        tuple((known, depends) for depends, known in varying.items()),
        defaults,
    )


class _Compiler:
    """Adds up how often each product of pages occurs."""

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        introspected: Mapping[tuple[str, str], int],
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._introspected = introspected
        self.sums: dict[Product, int] = {}

    def add(
        self, found: SelectionSetNode, kind: GraphQLNamedType, around: Product, page: Page | None, cost: int = 1
    ) -> None:
        """Add the fields of a selection on `kind`; `page` is how long the lists are that its parent said so of."""
        for field, parent in self._fields(found, kind):
            definition = self._schema.get_field(parent, field.name.value)  # type: ignore[arg-type]
            if definition is None or field.selection_set is None:
                # A leaf belongs to its object; only at the root of a mutation there is none.
                self._count(around, cost if cost > 1 else 0)
                continue
            self._add_object(field, definition, parent, around, page, cost)

    def _add_object(
        self, field: FieldNode, definition: GraphQLField, parent: GraphQLNamedType, around: Product, page: Page | None,
        cost: int,
    ) -> None:  # fmt: skip
        own = _page(field, definition)
        target = get_named_type(definition.type)
        inside, is_list = around, is_list_type(get_nullable_type(definition.type))
        if is_list:
            length = self._introspected.get((parent.name, field.name.value), ASSUMED_LENGTH)
            inside = (*around, own or page or Page(least=length))
        if (parent.name, field.name.value) != ("__Type", "ofType"):
            # What wraps a type is counted with it: the chain is short wherever it may end.
            self._count(inside, INTROSPECTION_COST if target.name.startswith("__") else cost)
        assert field.selection_set is not None  # noqa: S101 - the caller looked
        self.add(field.selection_set, target, inside, None if is_list else own)

    def _count(self, pages: Product, times: int) -> None:
        if times:
            self.sums[pages] = self.sums.get(pages, 0) + times

    def _fields(self, found: SelectionSetNode, kind: GraphQLNamedType) -> Iterator[tuple[FieldNode, GraphQLNamedType]]:
        for selection in found.selections:
            match selection:
                case FieldNode():
                    yield selection, kind
                case InlineFragmentNode():
                    condition = selection.type_condition
                    inner = self._schema.get_type(condition.name.value) if condition else kind
                    yield from self._fields(selection.selection_set, inner or kind)
                case FragmentSpreadNode():
                    fragment = self._fragments[selection.name.value]
                    inner = self._schema.get_type(fragment.type_condition.name.value)
                    yield from self._fields(fragment.selection_set, inner or kind)
                case _:
                    pass


def _page(field: FieldNode, definition: GraphQLField) -> Page | None:
    """How long the list of a field is that takes an argument for it; None for one that takes none."""
    taken = [name for name in _PAGE_ARGUMENTS if name in definition.args]
    if not taken:
        return None
    given: dict[str, ArgumentNode] = {found.name.value: found for found in field.arguments or ()}
    variables = [
        found.value.name.value
        for name, found in given.items()
        if name in taken and isinstance(found.value, VariableNode)
    ]
    literals = [_number(value_from_ast_untyped(found.value)) for name, found in given.items() if name in taken]
    defaults = [_number(definition.args[name].default_value) for name in taken if name not in given]
    return Page(tuple(variables), max(literals, default=0), max(defaults, default=0) or MOST_PER_PAGE)


def _number(value: object) -> int:
    """The length that an argument asks for, within what lists allow; 0 where it asks for none."""
    kind = type(value)
    if kind is int:
        return min(max(value, 1), MOST_PER_PAGE)  # type: ignore[call-overload,no-any-return]
    return min(max(len(value), 1), MOST_PER_PAGE) if kind is list else 0  # type: ignore[arg-type]


def _lengths_of_introspection(schema: GraphQLSchema) -> dict[tuple[str, str], int]:
    """How long the lists of introspection are in this schema, on average and rounded up."""
    objects = [kind for kind in schema.type_map.values() if isinstance(kind, GraphQLObjectType)]
    fields = [field for kind in objects for field in kind.fields.values()]
    kinds = len(schema.type_map)
    each = {
        "fields": ceil(len(fields) / kinds),
        "inputFields": ceil(sum(len(getattr(kind, "fields", ())) for kind in schema.type_map.values()) / kinds),
        "enumValues": 1,
        "interfaces": 1,
        "possibleTypes": 1,
    }
    return {
        ("__Schema", "types"): kinds,
        **{("__Type", name): length for name, length in each.items()},
        ("__Field", "args"): ceil(sum(len(field.args) for field in fields) / len(fields)),
        ("__Directive", "args"): 2,
    }
