"""Plans: how the root fields of an operation are completed, compiled once and kept while they are used."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DirectiveNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_fields

from app.graph.context import Context
from app.graph.executor.selections import Field, Selections, Unplanned
from app.graph.executor.source import Source
from app.graph.executor.waves import Gathered, Run

MOST_FIELDS = 4_000
"""In all plans of one operation. A field takes 50 µs, so that is 0.2 s at most, once; what people write has dozens."""

MOST_BYTES = 64 * 1024 * 1024
"""That all plans of a process may take, roughly."""

BYTES_PER_FIELD = 850
"""Of a plan: its code, and what is known of the field."""

BYTES_PER_CHARACTER = 70
"""Of the text of a document, whose nodes and tokens a plan holds. Both measured over 1,000 plans of a page."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How the value of one root field is completed."""

    fields: Sequence[Field]
    """Those with resolvers, in the order of what `build` gives."""
    build: Callable[[], tuple[Callable[[Any], Any], Sequence[Gathered]]]

    def complete(self, executor: Executor[Any], value: Any) -> Any:
        """The answer for `value`, or what gives it when it is awaited. An exception for what is unexpected."""
        complete, gathered = self.build()
        data = complete(value)
        return Run(executor, self.fields, gathered).complete(data) if self.fields else data


@dataclass(slots=True)
class _Known:
    """What is known of an operation; its nodes are held so that their identities remain their own."""

    schema: GraphQLSchema
    operation: OperationDefinitionNode
    fragments: Mapping[str, FragmentDetails]
    conditions: tuple[str, ...]
    """The variables that its directives look at."""
    several: bool
    """Whether it has several root fields, perhaps."""
    size_bytes: int
    fields: int = 0
    """How many were collected for its plans."""
    plans: dict[tuple[object, ...], Plan | None] = field(default_factory=dict)
    """By the values of these, and the name of the root field; None where there is none."""
    selections: dict[tuple[object, ...], frozenset[str]] = field(default_factory=dict)
    """What is asked of the objects that its fields lead to, as resolvers find it out: `Context.selections`."""


class Plans:
    """The plans of a process; those that were not used for longest go first."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._known: OrderedDict[tuple[int, int], _Known] = OrderedDict()
        self.size_bytes = 0
        """What all of them take, roughly."""
        self.made = 0
        """How many were made so far."""

    def __len__(self) -> int:
        """How many operations have plans."""
        return len(self._known)

    def of(
        self, executor: Executor[Any], parent: GraphQLObjectType, key: str, details: Sequence[FieldDetails]
    ) -> Plan | None:
        """The plan for a root field of the operation that is executed; None where graphql-core is to execute it."""
        place = (id(executor.schema), id(executor.operation))
        known = self._known.get(place)
        if known is None:
            known = _Known(
                executor.schema,
                executor.operation,
                executor.fragments,
                _conditions(executor),
                _has_several(executor.operation),
                _bytes_of(executor.operation),
            )
            self._known[place] = known
            self.size_bytes += known.size_bytes
        else:
            self._known.move_to_end(place)
        if isinstance(executor.context_value, Context):
            # The same in each execution: found out once.
            executor.context_value.selections = known.selections
            executor.context_value.loaders.several = known.several
        variables = executor.variable_values.coerced
        variant = (key, *(variables.get(name) for name in known.conditions))
        if variant in known.plans:
            return known.plans[variant]
        selections = Selections(executor, MOST_FIELDS - known.fields)
        plan = known.plans[variant] = planned(selections, parent, key, details)
        self.made += 1
        known.fields += selections.size + 1
        self._grow(known, BYTES_PER_FIELD * (selections.size + 1))
        return plan

    def prepare(self, executor: Executor[Any]) -> list[Plan | None]:
        """The plans of all root fields of an operation, in their order."""
        parent = executor.schema.get_root_type(executor.operation.operation)
        assert parent is not None  # noqa: S101 - the document is valid for the schema
        collected = collect_fields(
            executor.schema, executor.fragments, executor.variable_values, parent, executor.operation
        )
        return [self.of(executor, parent, key, details) for key, details in collected.grouped_field_set.items()]

    def _grow(self, known: _Known, size_bytes: int) -> None:
        known.size_bytes += size_bytes
        self.size_bytes += size_bytes
        while self.size_bytes > self._most_bytes and self._known:
            _, dropped = self._known.popitem(last=False)
            self.size_bytes -= dropped.size_bytes


def _has_several(operation: OperationDefinitionNode) -> bool:
    selections = operation.selection_set.selections
    return len(selections) > 1 or not isinstance(selections[0], FieldNode)


def _bytes_of(operation: OperationDefinitionNode) -> int:
    return BYTES_PER_CHARACTER * len(operation.loc.source.body) if operation.loc else 0


def planned(
    selections: Selections, parent: GraphQLObjectType, key: str, details: Sequence[FieldDetails]
) -> Plan | None:
    """A new plan for a root field; None where there can be none."""
    try:
        root = selections.field(parent, key, details)
    except Unplanned:
        return None
    source = Source()
    scope = source.needs
    exec(compile(source.module(root), "<plan>", "exec"), scope)  # noqa: S102 - `Source` says what gets in
    return Plan([later.field for later in source.laters], scope["build"])


def _conditions(executor: Executor[Any]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    nodes: list[SelectionSetNode | None] = [executor.operation.selection_set]
    nodes += [details.definition.selection_set for details in executor.fragments.values()]
    while nodes:
        below = nodes.pop()
        for selection in below.selections if below else ():
            found.update(dict.fromkeys(_variables(selection.directives)))
            if isinstance(selection, FieldNode | InlineFragmentNode):
                nodes.append(selection.selection_set)
            else:
                assert isinstance(selection, FragmentSpreadNode)  # noqa: S101 - there are three kinds
    return tuple(found)


def _variables(directives: Sequence[DirectiveNode] | None) -> Iterator[str]:
    for directive in directives or ():
        if directive.name.value in ("skip", "include"):
            for argument in directive.arguments or ():
                if isinstance(argument.value, VariableNode):
                    yield argument.value.name.value
