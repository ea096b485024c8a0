"""Subscriptions: every row of a stream becomes one result of the operation."""

from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from inspect import isawaitable
from typing import Any, cast

import orjson
from graphql import ExecutionResult, GraphQLError, GraphQLObjectType, located_error
from graphql.execution import Executor, create_source_event_stream
from graphql.execution.collect_fields import GroupedFieldSet, collect_fields
from graphql.pyutils import Path

from app.graph.context import Context
from app.graph.errors import log_unexpected
from app.graph.executor import BatchExecutor
from app.graph.executor.sharing import SharedRow, Sharing

AnyExecutor = Executor[Any]
Rows = AsyncGenerator[Any, None]


async def source_of(executor: AnyExecutor) -> Rows | ExecutionResult:
    """The resolver's stream of rows; one result with errors where it refuses before the first."""
    if not _fields(executor):
        return ExecutionResult(None, [GraphQLError("the subscription selects no field", executor.operation)])
    found = create_source_event_stream(executor)
    return cast("Rows | ExecutionResult", await found if isawaitable(found) else found)


async def results_of(executor: AnyExecutor, rows: Rows, context: Context) -> AsyncGenerator[ExecutionResult, None]:
    """The result of each row, and of what the stream raised as the last; the stream is closed however that ends."""
    events = _Events(executor)
    async with aclosing(rows):
        try:
            async for row in rows:
                # They may hold what was loaded for an earlier event, and has changed since.
                context.loaders.forget()
                result = events.executed(row)
                if not isinstance(result, ExecutionResult):
                    result = await result
                yield result if result.errors is None else _logged(result, context)
        except Exception as error:
            yield _logged(events.failed(error), context)


class _Events:
    """What all events of one subscription have in common, found out once: about 20 µs an event instead of 90.

    graphql-core 3.3.2 copies the executor, collects the fields and coerces the arguments for each event anew, and keeps
    what it collected until the operation ends: a long subscription would grow with each event. Here one executor
    serves them all, one after the other, and starts where the row stands: at the value of the root field.
    """

    __slots__ = ("_details", "_executor", "_info", "_kind", "_name", "_path", "_sharing")

    def __init__(self, executor: AnyExecutor) -> None:
        root = _root(executor)
        self._executor = executor
        self._name, self._details = next(iter(_fields(executor).items()))
        nodes = [detail.node for detail in self._details]
        field = executor.schema.get_field(root, nodes[0].name.value)
        assert field is not None  # noqa: S101 - the document was valid for the schema
        self._kind = field.type
        self._path = Path(None, self._name, root.name)
        self._info = executor.build_resolve_info(field, nodes, root, self._path)
        # The standard executor is the way out: nothing of ours answers in its place.
        plain = not isinstance(executor, BatchExecutor)
        self._sharing = None if plain else Sharing(executor, self._name, self._kind, self._details)

    def executed(self, row: Any) -> ExecutionResult | Awaitable[ExecutionResult]:
        """One event, whose row is the value of the root field."""
        if not isinstance(row, SharedRow) or row.encoded is None or self._sharing is None:
            return self._executed(row)
        key = self._sharing.key(row)
        if key is None:
            return self._executed(row)
        encoded = row.encoded.get(key)
        if encoded is None:
            result = self._executed(row)
            if not isinstance(result, ExecutionResult) or result.errors or result.data is None:
                # Errors are each subscriber's own: they bear the id of an operation.
                return result
            encoded = row.keep(key, result.data)
        return ExecutionResult(cast("dict[str, Any]", orjson.Fragment(encoded)), None)

    def _executed(self, row: Any) -> ExecutionResult | Awaitable[ExecutionResult]:
        executor = self._executor
        executor.root_value = row
        try:
            value = executor.complete_value(self._kind, self._details, self._info, self._path, row, None)
        except Exception as error:
            return self._broken(error)
        if executor.is_awaitable(value):
            return self._awaited(value)
        return self._result({self._name: value})

    async def _awaited(self, value: Awaitable[Any]) -> ExecutionResult:
        try:
            return self._result({self._name: await value})
        except Exception as error:
            return self._broken(error)

    def _broken(self, error: Exception) -> ExecutionResult:
        """The result where the root field has none."""
        try:
            self._executor.handle_field_error(error, self._kind, self._details, self._path)
        except GraphQLError as raised:
            self._executor.collected_errors.add(raised, None)
            return self._result(None)
        return self._result({self._name: None})

    def failed(self, error: Exception) -> ExecutionResult:
        """What is told of a stream that raised."""
        nodes = [detail.node for detail in self._details]
        return ExecutionResult(None, [located_error(error, nodes, self._path.as_list())])

    def _result(self, data: dict[str, Any] | None) -> ExecutionResult:
        errors = self._executor.collected_errors.errors
        if not errors:
            return ExecutionResult(data, None)
        # graphql-core leaves what was begun beside a field that failed running: its errors are not the next event's.
        self._executor = self._executor.build_per_event_executor(None)
        return ExecutionResult(data, list(errors))


def _root(executor: AnyExecutor) -> GraphQLObjectType:
    root = executor.schema.subscription_type
    assert root is not None  # noqa: S101 - the document was valid for the schema
    return root


def _fields(executor: AnyExecutor) -> GroupedFieldSet:
    return collect_fields(
        executor.schema,
        executor.fragments,
        executor.variable_values,
        _root(executor),
        executor.operation,
        executor.hide_suggestions,
    ).grouped_field_set


def _logged(result: ExecutionResult, context: Context) -> ExecutionResult:
    if result.errors:
        log_unexpected(result.errors, context.actor.correlation_id)
    return result
