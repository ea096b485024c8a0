"""Operations as every transport runs them: from a request to the answers that go over the wire."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from graphql import ExecutionResult, OperationDefinitionNode, OperationType
from starlette.requests import HTTPConnection

from app.core.actor import CorrelationId
from app.core.errors import AppError, ErrorCode
from app.graph.body import GraphQLRequest
from app.graph.context import Context
from app.graph.errors import formatted, told
from app.graph.schema import PreparedDocument, Schema
from app.telemetry.observation import OBSERVED, followed

Correlate = Callable[[Mapping[str, str]], CorrelationId]
"""Gives a request its correlation id: the client's own, from its headers, or a new one."""

MakeContext = Callable[[HTTPConnection, Mapping[str, str], CorrelationId], Awaitable[Context]]
"""Lets a caller in, by headers that may be more than those of the connection; an AppError when it is nobody known."""

Answer = dict[str, Any]
"""`data`, `errors` or both, as JSON."""

_EVENTS_IN_A_ROW = 32
"""A stream that has much to tell at once, such as a replay, gives others a turn after so many: some milliseconds."""


class Refused(Exception):
    """Nothing was executed: the request itself was at fault. `errors` are fit for the answer."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__("the operation was refused")
        self.errors = errors


class ReadOnly(AppError):
    """What let the caller in allows reading alone."""

    code = ErrorCode.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("this key only reads", hint="use a key with the scope write")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation that may be executed: its document is valid, within the limits, and allowed."""

    asked: GraphQLRequest
    document: PreparedDocument
    definition: OperationDefinitionNode

    @property
    def kind(self) -> OperationType:
        """Whether it is a query, a mutation or a subscription."""
        return self.definition.operation

    @property
    def name(self) -> str | None:
        """What its author calls it."""
        return self.definition.name.value if self.definition.name else None


class Operations:
    """The way of an operation, the same for every transport: `prepare` refuses, `start` executes."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    def prepare(self, asked: GraphQLRequest, context: Context) -> Operation:
        """The operation that is asked for; Refused or an AppError where it is not to be executed."""
        document = self.schema.prepare(asked.query)
        if document.errors:
            raise Refused([formatted(error, context.actor.correlation_id) for error in document.errors])
        operation = Operation(asked, document, document.operation(asked.operation_name))
        if (observed := OBSERVED.get()) is not None:
            observed.asks(operation.kind.value, operation.name)
        if operation.kind is OperationType.MUTATION and not context.actor.may_write:
            raise ReadOnly
        return operation

    async def start(self, operation: Operation, context: Context) -> AsyncGenerator[Answer, None]:
        """The answer to a query or a mutation, or one for each event of a subscription.

        Refused or an AppError where nothing is executed. The caller closes what comes back, which ends the operation.
        """
        correlation_id = context.actor.correlation_id
        if operation.kind is OperationType.QUERY:
            context = await context.for_query()
        if operation.kind is OperationType.SUBSCRIPTION:
            found = await self.schema.subscribe(operation.asked, operation.document, context)
        else:
            found = await self.schema.run(operation.asked, operation.document, context)
        if isinstance(found, ExecutionResult):
            return only(answer_of(found, correlation_id))
        return _many(found, correlation_id)


def answer_of(result: ExecutionResult, correlation_id: CorrelationId) -> Answer:
    """A result as it is sent; Refused when nothing was executed."""
    if not result.errors:
        return {"data": result.data}
    errors = [formatted(error, correlation_id) for error in result.errors]
    # Where nothing was executed there is no data, not even null: the request itself was at fault.
    if result.data is None and all(error.path is None for error in result.errors):
        raise Refused(errors)
    return {"errors": errors, "data": result.data}


async def only(answer: Answer) -> AsyncGenerator[Answer, None]:
    """One answer where many are expected."""
    yield answer


async def _many(
    results: AsyncGenerator[ExecutionResult, None], correlation_id: CorrelationId
) -> AsyncGenerator[Answer, None]:
    async with aclosing(results):
        with followed() as observed:
            async for result in results:
                observed.events += 1
                yield answer_of(result, correlation_id)
                if observed.events % _EVENTS_IN_A_ROW == 0:
                    await asyncio.sleep(0)


def errors_of(error: Exception, correlation_id: CorrelationId) -> list[dict[str, Any]]:
    """What is told of an operation that was refused, or that failed through a fault of ours, which is logged."""
    return error.errors if isinstance(error, Refused) else [told(error, correlation_id)]
