"""The schema object: prepared operations, run with our way of errors."""

from collections.abc import AsyncGenerator, Sequence
from inspect import isawaitable
from operator import attrgetter
from typing import Any

import strawberry
from graphql import (
    ExecutionResult,
    GraphQLAbstractType,
    GraphQLFieldResolver,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLUnionType,
    execute,
)
from graphql.execution import Executor
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from app.graph.arguments import convert_once
from app.graph.body import GraphQLRequest
from app.graph.context import Context
from app.graph.errors import log_unexpected
from app.graph.executor import BatchExecutor
from app.graph.nodes import OfRecords
from app.graph.preparing import PreparedDocument
from app.graph.scalars import CONFIG
from app.graph.subscriptions import results_of, source_of


class Schema(strawberry.Schema):
    """Strawberry's schema, whose operations are executed by `run` and `subscribe`."""

    @property
    def core(self) -> GraphQLSchema:
        """The same schema as graphql-core knows it."""
        return self._schema

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        _read_plain_attributes(self._schema)
        convert_once(self._schema, self.config.name_converter)
        _trust_rows(self._schema)

    async def run(
        self,
        asked: GraphQLRequest,
        prepared: PreparedDocument,
        context: Context,
        executor: type[Executor[Any]] = BatchExecutor,
    ) -> ExecutionResult:
        """Execute an operation of a document that has no errors."""
        assert prepared.document is not None  # noqa: S101 - the caller looked at the errors
        result = execute(
            self._schema,
            prepared.document,
            variable_values=asked.variables,
            operation_name=asked.operation_name,
            context_value=context,
            # Not Strawberry's own, which is made for incremental delivery: it adds a tenth to every operation.
            executor_class=executor,
            is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]
        )
        executed: ExecutionResult = await result if isawaitable(result) else result
        if executed.errors:
            log_unexpected(executed.errors, context.actor.correlation_id)
        return executed

    async def subscribe(  # type: ignore[override]  # Strawberry's own is not served
        self,
        asked: GraphQLRequest,
        prepared: PreparedDocument,
        context: Context,
        executor: type[Executor[Any]] = BatchExecutor,
    ) -> AsyncGenerator[ExecutionResult, None] | ExecutionResult:
        """The results of a subscription, one for each of its events; one result with errors where it cannot start.

        Whoever takes the results closes them (`aclose`), which ends the resolver. A fault that ends the subscription
        is the last result. `context` belongs to this subscription alone.
        """
        assert prepared.document is not None  # noqa: S101 - the caller looked at the errors
        built = executor.build(
            self._schema,
            prepared.document,
            raw_variable_values=asked.variables,
            operation_name=asked.operation_name,
            context_value=context,
            is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]
        )
        if not isinstance(built, Executor):
            return ExecutionResult(None, built)
        source = await source_of(built)
        if isinstance(source, ExecutionResult):
            log_unexpected(source.errors or [], context.actor.correlation_id)
            return source
        return results_of(built, source, context)


def _read_plain_attributes(schema: GraphQLSchema) -> None:
    """Let fields without a resolver read their attribute at once.

    Strawberry 0.341 goes through three functions for that, for each of the thousands of values of a page.
    """
    for kind in schema.type_map.values():
        for field in kind.fields.values() if isinstance(kind, GraphQLObjectType) else ():
            if getattr(field.resolve, "_is_default", False):
                definition: StrawberryField = field.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
                field.resolve = _reader(definition.python_name)


def _reader(name: str) -> GraphQLFieldResolver:
    read = attrgetter(name)

    def resolve(row: Any, _info: GraphQLResolveInfo[Any]) -> Any:
        return read(row)

    # Read by the batch executor, which takes the attribute itself.
    resolve.attribute = name  # type: ignore[attr-defined]
    return resolve


def _trust_rows(schema: GraphQLSchema) -> None:
    """Let rows tell which type of a union or an interface they are: they are records, not instances of the types."""
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLUnionType):
            kind.resolve_type = _node_type
            for member in kind.types:
                member.is_type_of = None
        elif isinstance(kind, GraphQLInterfaceType | GraphQLObjectType) and _is_of_records(kind):
            if isinstance(kind, GraphQLInterfaceType):
                kind.resolve_type = _node_type
            else:
                kind.is_type_of = None


def _is_of_records(kind: GraphQLInterfaceType | GraphQLObjectType) -> bool:
    definition = kind.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return definition is not None and issubclass(definition.origin, OfRecords)


def _node_type(row: Any, _info: GraphQLResolveInfo[Any], _union: GraphQLAbstractType) -> str:
    return str(row.node_type)


# Read by the batch executor, which looks at the row itself.
_node_type.by_node_type = True  # type: ignore[attr-defined]


def build_schema(
    query: type, mutation: type | None = None, subscription: type | None = None, types: Sequence[Any] = ()
) -> Schema:
    """The schema over the merged root types; `types` are those that only an interface leads to."""
    return Schema(query=query, mutation=mutation, subscription=subscription, types=types, config=CONFIG)
