"""Operations as every transport runs them: from a request to the answers that go over the wire."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from graphql import ExecutionResult, GraphQLError, OperationDefinitionNode, OperationType
from starlette.requests import HTTPConnection

from app.core.actor import CorrelationId
from app.core.errors import AppError, ErrorCode, LimitExceeded
from app.core.settings.limits import LimitSettings
from app.graph.body import GraphQLRequest
from app.graph.context import Context
from app.graph.documents import Documents
from app.graph.errors import formatted, told
from app.graph.executor import EXECUTORS, ExecutorName
from app.graph.limits import OperationTooCostly
from app.graph.preparing import PreparedDocument
from app.graph.rates import Rates
from app.graph.schema import Schema
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


class OperationTimeout(LimitExceeded):
    """A query or a mutation that took longer than operations may; its statements were cancelled."""

    retryable = True

    def __init__(self, seconds: float, *, writes: bool) -> None:
        # What was being committed may be done, and what came before it in the same request is.
        hint = (
            "it may have been done, as a whole or in part: send the same again with the same clientKey"
            if writes
            else "ask for less at once, or again later"
        )
        super().__init__(
            f"the operation took longer than {seconds:g} seconds and was cancelled",
            hint=hint,
            details={"limit": "seconds", "allowed": seconds},
        )


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation that may be executed: its document is valid, within the limits, and allowed."""

    asked: GraphQLRequest
    document: PreparedDocument
    definition: OperationDefinitionNode
    cost: int
    """The objects that it may return at most."""

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

    def __init__(
        self,
        schema: Schema,
        limits: LimitSettings | None = None,
        rates: Rates | None = None,
        executor: ExecutorName = "batch",
    ) -> None:
        self.schema = schema
        self._executor = EXECUTORS[executor]
        self._limits = limits or LimitSettings()
        self._rates = rates or Rates.of(self._limits)
        self._documents = Documents(schema.core, self._limits)

    def prepare(self, asked: GraphQLRequest, context: Context) -> Operation:
        """The operation that is asked for; Refused or an AppError where it is not to be executed."""
        # Before anything is looked at: what cannot even be read costs its sender something, too.
        self._rates.spend(context.actor, 1)
        document = self._documents.find(asked)
        if document.errors:
            raise Refused([formatted(error, context.actor.correlation_id) for error in document.errors])
        name = document.key(asked.operation_name)
        operation = Operation(asked, document, document.operations[name], document.costs[name].of(asked.variables))
        if (observed := OBSERVED.get()) is not None:
            observed.asks(operation.kind.value, operation.name)
        if operation.kind is OperationType.MUTATION and not context.actor.may_write:
            raise ReadOnly
        if operation.cost > self._limits.max_cost:
            raise OperationTooCostly(operation.cost, self._limits.max_cost)
        self._rates.spend(context.actor, operation.cost - 1)
        return operation

    async def start(self, operation: Operation, context: Context) -> AsyncGenerator[Answer, None]:
        """The answer to a query or a mutation, or one for each event of a subscription.

        Refused or an AppError where nothing is executed. The caller closes what comes back, which ends the operation.
        """
        if operation.kind is not OperationType.SUBSCRIPTION:
            return only(await self.answer(operation, context))
        correlation_id = context.actor.correlation_id
        found = await self.schema.subscribe(operation.asked, operation.document, context, self._executor)
        if not isinstance(found, ExecutionResult):
            return _many(found, correlation_id, self._told(operation, context))
        return only({**answer_of(found, correlation_id), **self._told(operation, context)})

    async def answer(self, operation: Operation, context: Context) -> Answer:
        """The one answer to a query or a mutation; Refused or an AppError where nothing is executed."""
        if operation.kind is OperationType.QUERY:
            context = await context.for_query()
        try:
            answer = await self._in_time(operation, context)
        finally:
            context.loaders.forget()
        return {**answer, **self._told(operation, context)}

    async def _in_time(self, operation: Operation, context: Context) -> Answer:
        """The answer, or an error in its place when it takes too long: what it does then is cancelled."""
        correlation_id = context.actor.correlation_id
        seconds = self._limits.operation_timeout_seconds
        try:
            async with asyncio.timeout(seconds) as deadline:
                found = await self.schema.run(operation.asked, operation.document, context, self._executor)
                return answer_of(found, correlation_id)
        except TimeoutError:
            if not deadline.expired():
                raise
        await context.loaders.end()
        refused = OperationTimeout(seconds, writes=operation.kind is OperationType.MUTATION)
        return {"errors": [told(refused, correlation_id)], "data": None}

    def _told(self, operation: Operation, context: Context) -> Answer:
        """What is told of the operation beside its answer, where it was asked for."""
        extensions = operation.asked.extensions
        if extensions is None or extensions.get("cost") is not True:
            return {}
        cost = {"requested": operation.cost, "limit": self._limits.max_cost}
        left = self._rates.left(context.actor)
        return {"extensions": {"cost": cost if left is None else {**cost, "remaining": left}}}


def answer_of(result: ExecutionResult, correlation_id: CorrelationId) -> Answer:
    """A result as it is sent; Refused when nothing was executed."""
    if not result.errors:
        return {"data": result.data}
    # They were found in an order that hangs on which statement was the faster.
    found = sorted(result.errors, key=_place)
    errors = [formatted(error, correlation_id) for error in found]
    # Where nothing was executed there is no data, not even null: the request itself was at fault.
    if result.data is None and all(error.path is None for error in result.errors):
        raise Refused(errors)
    return {"errors": errors, "data": result.data}


def _place(error: GraphQLError) -> list[str]:
    return [key if isinstance(key, str) else f"{key:09}" for key in error.path or ()]


async def only(answer: Answer) -> AsyncGenerator[Answer, None]:
    """One answer where many are expected."""
    yield answer


async def _many(
    results: AsyncGenerator[ExecutionResult, None], correlation_id: CorrelationId, first: Answer
) -> AsyncGenerator[Answer, None]:
    """The answers to a subscription; the first one says `first`, too."""
    async with aclosing(results):
        with followed() as observed:
            async for result in results:
                answer = answer_of(result, correlation_id)
                yield {**answer, **first} if observed.events == 0 else answer
                observed.events += 1
                if observed.events % _EVENTS_IN_A_ROW == 0:
                    await asyncio.sleep(0)


def errors_of(error: Exception, correlation_id: CorrelationId) -> list[dict[str, Any]]:
    """What is told of an operation that was refused, or that failed through a fault of ours, which is logged."""
    return error.errors if isinstance(error, Refused) else [told(error, correlation_id)]
