"""The schema object: documents prepared once, operations run with our way of errors."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from inspect import isawaitable
from operator import attrgetter
from typing import Any

import strawberry
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLAbstractType,
    GraphQLError,
    GraphQLFieldResolver,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLUnionType,
    OperationDefinitionNode,
    OperationType,
    execute,
    parse,
    specified_rules,
)
from graphql.execution import Executor
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import validate_document
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from app.core.errors import LimitExceeded
from app.graph.body import BadRequest, GraphQLRequest
from app.graph.context import Context
from app.graph.errors import log_unexpected
from app.graph.scalars import CONFIG
from app.graph.subscriptions import results_of, source_of

CACHED_DOCUMENTS = 1_000
"""A front end has some dozens of operations; bounded, so that made-up ones cannot fill the memory."""
LONGEST_CACHED_DOCUMENT = 20_000
"""Characters. With the bound above, the cache's texts stay under 20 MB; the largest honest operations are shorter."""


@dataclass(frozen=True, slots=True)
class PreparedDocument:
    """A document that was parsed and validated once."""

    document: DocumentNode | None
    errors: tuple[GraphQLError, ...]
    operations: Mapping[str | None, OperationDefinitionNode]

    def operation_type(self, name: str | None) -> OperationType:
        """The type of an operation; BadRequest when there is no such one."""
        return self.operation(name).operation

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation of that name, or the only one; BadRequest when that is not one operation."""
        if name is not None:
            if name not in self.operations:
                raise BadRequest(
                    "the document has no operation of that name", field="operationName", hint="name one it has"
                )
            return self.operations[name]
        if len(self.operations) != 1:
            raise BadRequest(
                f"the document has {len(self.operations)} operations", field="operationName", hint="say which to run"
            )
        return next(iter(self.operations.values()))


class Schema(strawberry.Schema):
    """Strawberry's schema, whose operations are executed by `run` and `subscribe`."""

    @property
    def core(self) -> GraphQLSchema:
        """The same schema as graphql-core knows it."""
        return self._schema

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        _read_plain_attributes(self._schema)
        _trust_rows_of_unions(self._schema)
        self._prepare_cached = lru_cache(CACHED_DOCUMENTS)(self._prepare)

    def prepare(self, text: str) -> PreparedDocument:
        """The document, parsed and validated; BadRequest or LimitExceeded when it cannot be."""
        return self._prepare_cached(text) if len(text) <= LONGEST_CACHED_DOCUMENT else self._prepare(text)

    async def run(self, asked: GraphQLRequest, prepared: PreparedDocument, context: Context) -> ExecutionResult:
        """Execute an operation of a document that has no errors."""
        assert prepared.document is not None  # noqa: S101 - the caller looked at the errors
        result = execute(
            self._schema,
            prepared.document,
            variable_values=asked.variables,
            operation_name=asked.operation_name,
            context_value=context,
            # Not Strawberry's own, which is made for incremental delivery: it adds a tenth to every operation.
            executor_class=Executor,
            is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]
        )
        executed: ExecutionResult = await result if isawaitable(result) else result
        if executed.errors:
            log_unexpected(executed.errors, context.actor.correlation_id)
        return executed

    async def subscribe(  # type: ignore[override]  # Strawberry's own is not served
        self, asked: GraphQLRequest, prepared: PreparedDocument, context: Context
    ) -> AsyncGenerator[ExecutionResult, None] | ExecutionResult:
        """The results of a subscription, one for each of its events; one result with errors where it cannot start.

        Whoever takes the results closes them (`aclose`), which ends the resolver. A fault that ends the subscription
        is the last result. `context` belongs to this subscription alone.
        """
        assert prepared.document is not None  # noqa: S101 - the caller looked at the errors
        executor = Executor.build(
            self._schema,
            prepared.document,
            raw_variable_values=asked.variables,
            operation_name=asked.operation_name,
            context_value=context,
            is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]
        )
        if not isinstance(executor, Executor):
            return ExecutionResult(None, executor)
        source = await source_of(executor)
        if isinstance(source, ExecutionResult):
            log_unexpected(source.errors or [], context.actor.correlation_id)
            return source
        return results_of(executor, source, context)

    def _prepare(self, text: str) -> PreparedDocument:
        try:
            document = parse(text)
            errors = validate_document(self._schema, document, tuple(specified_rules))
        except GraphQLError as error:
            return PreparedDocument(None, (error,), {})
        except RecursionError:
            raise LimitExceeded("the document nests too deep", field="query", hint="ask for less at once") from None
        operations = {
            definition.name.value if definition.name else None: definition
            for definition in document.definitions
            if isinstance(definition, OperationDefinitionNode)
        }
        return PreparedDocument(document, tuple(errors), operations)


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
    return lambda row, _info: read(row)


def _trust_rows_of_unions(schema: GraphQLSchema) -> None:
    """Let rows tell which type of a union they are, by `node_type`: they are records, not instances of the types."""
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLUnionType):
            kind.resolve_type = _node_type
            for member in kind.types:
                member.is_type_of = None


def _node_type(row: Any, _info: GraphQLResolveInfo[Any], _union: GraphQLAbstractType) -> str:
    return str(row.node_type)


def build_schema(
    query: type, mutation: type | None = None, subscription: type | None = None, types: Sequence[Any] = ()
) -> Schema:
    """The schema over the merged root types; `types` are those that only an interface leads to."""
    return Schema(query=query, mutation=mutation, subscription=subscription, types=types, config=CONFIG)
