"""Batched reads of tool calls and executions."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import ClassVar, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Text, Uuid, any_, exists, func, select, true

from app.core.actor import Actor
from app.core.paging import ListName, Page, PageRequest
from app.db.pages import Order, PageShape, page_of_each
from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.graph.columns import Columns, OnDemand
from app.graph.loading import Loader
from app.messages.fragments import messages, of_session
from app.messages.values import MessageId
from app.sessions.fragments import readable, sessions
from app.tools.fragments import FACTS, calls, executions
from app.tools.models import ToolCall, ToolExecution
from app.tools.values import ExecutionStatus, ToolCallId, ToolExecutionId

CALL_COLUMNS = OnDemand(
    calls,
    {
        "callId": ("call_id",),
        "arguments": ("arguments",),
        "result": ("result",),
        "error": ("error",),
        "executedAt": ("executed_at",),
        "createdAt": ("created_at",),
    },
    unshown=("tenant_id",),
)

_BY_IDS = Query(
    ToolCall,
    select(*calls.c)
    .join(messages, (messages.c.tenant_id == calls.c.tenant_id) & (messages.c.id == calls.c.message_id))
    .where(
        calls.c.tenant_id == param("tenant_id"),
        calls.c.id == any_(param("ids", ARRAY(Uuid))),
        of_session(readable()),
    ),
)


@lru_cache(maxsize=64)
def _of_messages(columns: Columns) -> Query[ToolCall]:
    return Query(
        ToolCall,
        select(*CALL_COLUMNS.read(columns))
        .where(calls.c.tenant_id == param("tenant_id"), calls.c.message_id == any_(param("ids", ARRAY(Uuid))))
        .order_by(calls.c.message_id, calls.c.position),
    )


class ToolCallById(Loader[ToolCallId, ToolCall | None]):
    """Calls in sessions the actor may read; None for any other id."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[ToolCallId]) -> Sequence[ToolCall | None]:
        """One statement for all ids."""
        found = {row.id: row for row in await scope.all(_BY_IDS, ids=keys, **actor.as_reader())}
        return [found.get(key) for key in keys]


class ToolCallsOfMessage(Loader[tuple[MessageId, Columns], list[ToolCall]]):
    """The calls of messages that were read before, by position; whoever has the message may read them."""

    async def fetch(
        self, scope: ReadScope, actor: Actor, keys: list[tuple[MessageId, Columns]]
    ) -> Sequence[list[ToolCall]]:
        """One statement for all messages."""
        columns = frozenset().union(*{columns for _, columns in keys})
        found: dict[UUID, list[ToolCall]] = defaultdict(list)
        ids = [message_id for message_id, _ in keys]
        for row in await scope.all(_of_messages(columns), tenant_id=actor.tenant_id, ids=ids):
            found[row.message_id].append(row)
        return [found[message_id] for message_id, _ in keys]


_OLDEST_FIRST = Order((executions.c.created_at, executions.c.id), (datetime, UUID))

Statuses = tuple[ExecutionStatus, ...] | None
"""Which executions of a list: in one of these states, or all."""


def _of_readable_session() -> ColumnElement[bool]:
    return exists(
        select(sessions.c.id).where(
            readable(), sessions.c.tenant_id == executions.c.tenant_id, sessions.c.id == executions.c.session_id
        )
    )


def _by(key: str) -> Query[ToolExecution]:
    return Query(
        ToolExecution,
        select(*FACTS).where(
            executions.c.tenant_id == param("tenant_id"),
            executions.c[key] == any_(param("ids", ARRAY(Uuid))),
            _of_readable_session(),
        ),
    )


_EXECUTIONS_BY_IDS = _by("id")
_EXECUTIONS_OF_CALLS = _by("tool_call_id")


class ToolExecutionById(Loader[ToolExecutionId, ToolExecution | None]):
    """Executions in sessions the actor may read; None for any other id."""

    async def fetch(
        self, scope: ReadScope, actor: Actor, keys: list[ToolExecutionId]
    ) -> Sequence[ToolExecution | None]:
        """One statement for all ids."""
        found = {row.id: row for row in await scope.all(_EXECUTIONS_BY_IDS, ids=keys, **actor.as_reader())}
        return [found.get(key) for key in keys]


class ExecutionOfCall(Loader[ToolCallId, ToolExecution | None]):
    """What was done about a call, where the actor may read it."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[ToolCallId]) -> Sequence[ToolExecution | None]:
        """One statement for all calls."""
        rows = await scope.all(_EXECUTIONS_OF_CALLS, ids=keys, **actor.as_reader())
        found = {row.tool_call_id: row for row in rows}
        return [found.get(key) for key in keys]


class _ExecutionText(NamedTuple):
    id: UUID
    text: str | None


def _text(column: str) -> Query[_ExecutionText]:
    return Query(
        _ExecutionText,
        select(executions.c.id, executions.c[column].label("text")).where(
            executions.c.tenant_id == param("tenant_id"), executions.c.id == any_(param("ids", ARRAY(Uuid)))
        ),
    )


_INPUTS = _text("input")
_OUTPUTS = _text("output")


class _TextOfExecution(Loader[ToolExecutionId, str | None]):
    """A text of executions that were read before: whoever has the execution may read it.

    Beside the row and not in it: a page of executions may have a hundred million characters of output.
    """

    query: ClassVar[Query[_ExecutionText]]

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[ToolExecutionId]) -> Sequence[str | None]:
        """One statement for all executions."""
        rows = await scope.all(self.query, tenant_id=actor.tenant_id, ids=keys)
        found = {row.id: row.text for row in rows}
        return [found.get(key) for key in keys]


class InputOfExecution(_TextOfExecution):
    """What the tool is given; None only of an execution that was deleted since it was read."""

    query = _INPUTS


class OutputOfExecution(_TextOfExecution):
    """What the tool answered."""

    query = _OUTPUTS


class ExecutionTexts(NamedTuple):
    """What a tool is given, and what it answered."""

    id: UUID
    input: str
    output: str | None


_TEXTS = Query(
    ExecutionTexts,
    select(executions.c.id, executions.c.input, executions.c.output).where(
        executions.c.tenant_id == param("tenant_id"), executions.c.id == any_(param("ids", ARRAY(Uuid)))
    ),
)


@lru_cache(maxsize=16)
def _page_of_each(shape: PageShape, in_statuses: bool) -> Query[ToolExecution]:
    rows = select(*FACTS).where(executions.c.tenant_id == param("tenant_id"), *_in(in_statuses))
    return Query(ToolExecution, page_of_each(rows, executions.c.session_id, _OLDEST_FIRST, shape))


def _in(in_statuses: bool) -> list[ColumnElement[bool]]:
    # IS TRUE: the index of all executions in a status is no way to a session's.
    return [(executions.c.status == any_(param("statuses", ARRAY(Text)))).is_(true())] if in_statuses else []


class _ExecutionCount(NamedTuple):
    session_id: UUID
    executions: int


@lru_cache(maxsize=2)
def _counts(in_statuses: bool) -> Query[_ExecutionCount]:
    return Query(
        _ExecutionCount,
        select(executions.c.session_id, func.count().label("executions"))
        .where(
            executions.c.tenant_id == param("tenant_id"),
            executions.c.session_id == any_(param("ids", ARRAY(Uuid))),
            *_in(in_statuses),
        )
        .group_by(executions.c.session_id),
    )


class ExecutionsOfSession(Loader[tuple[UUID, Statuses, PageRequest], Page[ToolExecution]]):
    """Pages of the executions of sessions that were read before, oldest first."""

    async def fetch(
        self, scope: ReadScope, actor: Actor, keys: list[tuple[UUID, Statuses, PageRequest]]
    ) -> Sequence[Page[ToolExecution]]:
        """One statement for all sessions that are asked for the same page."""
        wanted: dict[tuple[Statuses, PageRequest], list[UUID]] = defaultdict(list)
        for session_id, statuses, request in keys:
            wanted[statuses, request].append(session_id)
        rows: dict[tuple[UUID, Statuses, PageRequest], list[ToolExecution]] = defaultdict(list)
        for (statuses, request), parents in wanted.items():
            positions = [_OLDEST_FIRST.parameters(request, ListName("executions", parent)) for parent in parents]
            query = _page_of_each(PageShape.of(request), statuses is not None)
            values = {"parents": parents, **_given(statuses), **positions[0]}
            for row in await scope.all(query, tenant_id=actor.tenant_id, **values):
                rows[row.session_id, statuses, request].append(row)
        return [self._page(*key, rows[key]) for key in keys]

    def _page(
        self, session_id: UUID, statuses: Statuses, request: PageRequest, rows: list[ToolExecution]
    ) -> Page[ToolExecution]:
        name = ListName("executions", session_id)

        async def count() -> int:
            return await self.loaders.of(ExecutionCounts).load((session_id, statuses))

        return Page.of(rows, request, lambda row: name.encode((row.created_at, row.id)), count)


class ExecutionCounts(Loader[tuple[UUID, Statuses], int]):
    """How many executions a session has."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[tuple[UUID, Statuses]]) -> Sequence[int]:
        """One statement for all sessions that are asked for the same states."""
        wanted: dict[Statuses, list[UUID]] = defaultdict(list)
        for session_id, statuses in keys:
            wanted[statuses].append(session_id)
        found: dict[tuple[UUID, Statuses], int] = {}
        for statuses, ids in wanted.items():
            query = _counts(statuses is not None)
            for row in await scope.all(query, tenant_id=actor.tenant_id, ids=ids, **_given(statuses)):
                found[row.session_id, statuses] = row.executions
        return [found.get(key, 0) for key in keys]


def _given(statuses: Statuses) -> dict[str, object]:
    return {} if statuses is None else {"statuses": list(statuses)}


async def calls_of_messages(scope: ReadScope, actor: Actor, message_ids: list[MessageId]) -> list[ToolCall]:
    """The calls of messages that were read before, by message and position; one statement."""
    return await scope.all(_of_messages(CALL_COLUMNS.whole), tenant_id=actor.tenant_id, ids=message_ids)


async def executions_of_calls(
    scope: ReadScope, actor: Actor, call_ids: list[ToolCallId]
) -> dict[ToolCallId, ToolExecution]:
    """The executions of calls, where the actor may read them; one statement."""
    rows = await scope.all(_EXECUTIONS_OF_CALLS, ids=call_ids, **actor.as_reader())
    return {ToolCallId(row.tool_call_id): row for row in rows}


async def texts_of_executions(
    scope: ReadScope, actor: Actor, ids: list[ToolExecutionId]
) -> dict[ToolExecutionId, ExecutionTexts]:
    """The texts of executions that were read before, save of those that are gone; one statement."""
    rows = await scope.all(_TEXTS, tenant_id=actor.tenant_id, ids=ids)
    return {ToolExecutionId(row.id): row for row in rows}
