"""Batched reads of executions, and of what they add up to."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Double,
    Numeric,
    Select,
    Text,
    Uuid,
    any_,
    cast,
    func,
    literal,
    select,
)

from app.core.actor import Actor
from app.core.paging import ListName, Page, PageRequest
from app.db.pages import Order, PageShape, page_of_each
from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.execution.fragments import SHOWN, executions, its_run
from app.execution.models import PromptExecution
from app.execution.values import ExecutionStatistics, PromptExecutionId
from app.graph.loading import Loader
from app.prompts.values import TemplateId, VersionId
from app.runs.fragments import LIVE_STATUSES, runs
from app.runs.values import RunId, RunStatus
from app.sessions.fragments import readable, sessions

_NEWEST_FIRST = Order((executions.c.created_at, executions.c.id), (datetime, UUID), descending=True)


def _its_session() -> ColumnElement[bool]:
    return (sessions.c.tenant_id == executions.c.tenant_id) & (sessions.c.id == executions.c.session_id)


def _shown() -> Select[Any]:
    return select(*SHOWN).join(runs, its_run()).where(executions.c.tenant_id == param("tenant_id"))


_BY_IDS = Query(
    PromptExecution,
    _shown().join(sessions, _its_session()).where(readable(), executions.c.id == any_(param("ids", ARRAY(Uuid)))),
)
_OF_RUNS = Query(PromptExecution, _shown().where(executions.c.run_id == any_(param("ids", ARRAY(Uuid)))))


class PromptExecutionById(Loader[PromptExecutionId, PromptExecution | None]):
    """Executions in sessions the actor may read; None for any other id."""

    async def fetch(
        self, scope: ReadScope, actor: Actor, keys: list[PromptExecutionId]
    ) -> Sequence[PromptExecution | None]:
        """One statement for all ids."""
        found = {row.id: row for row in await scope.all(_BY_IDS, ids=keys, **actor.as_reader())}
        return [found.get(key) for key in keys]


class ExecutionOfRun(Loader[RunId, PromptExecution | None]):
    """The executions of runs that were read before; None for a run that answers no prompt."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[RunId]) -> Sequence[PromptExecution | None]:
        """One statement for all runs."""
        found = {row.run_id: row for row in await scope.all(_OF_RUNS, tenant_id=actor.tenant_id, ids=keys)}
        return [found.get(key) for key in keys]


class _Given(NamedTuple):
    id: UUID
    variables: dict[str, Any]


_VARIABLES = Query(
    _Given,
    select(executions.c.id, executions.c.variables).where(
        executions.c.tenant_id == param("tenant_id"), executions.c.id == any_(param("ids", ARRAY(Uuid)))
    ),
)


class VariablesOfExecution(Loader[PromptExecutionId, dict[str, Any]]):
    """The values that executions, which were read before, were given: they may be long."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[PromptExecutionId]) -> Sequence[dict[str, Any]]:
        """One statement for all executions."""
        rows = await scope.all(_VARIABLES, tenant_id=actor.tenant_id, ids=keys)
        found = {row.id: row.variables for row in rows}
        return [found.get(key, {}) for key in keys]


class _Count(NamedTuple):
    parent_id: UUID
    executions: int


@lru_cache(maxsize=8)
def _page_of_sessions(shape: PageShape) -> Query[PromptExecution]:
    return Query(PromptExecution, page_of_each(_shown(), executions.c.session_id, _NEWEST_FIRST, shape))


@lru_cache(maxsize=32)
def _page_of_prompts(column: str, shape: PageShape, all_users: bool) -> Query[PromptExecution]:
    rows = _visible(_shown(), all_users)
    return Query(PromptExecution, page_of_each(rows, executions.c[column], _NEWEST_FIRST, shape))


@lru_cache(maxsize=4)
def _count_of_prompts(column: str, all_users: bool) -> Query[_Count]:
    prompt = executions.c[column]
    counted = select(prompt.label("parent_id"), func.count().label("executions")).where(
        executions.c.tenant_id == param("tenant_id"), prompt == any_(param("ids", ARRAY(Uuid)))
    )
    return Query(_Count, _visible(counted, all_users).group_by(prompt))


def _visible(rows: Select[Any], all_users: bool) -> Select[Any]:
    """Only what the actor may read: one's own by its index, for others' may be many."""
    found = rows.join(sessions, _its_session()).where(readable())
    return found if all_users else found.where(executions.c.user_id == param("user_id"))


_COUNT_OF_SESSIONS = Query(
    _Count,
    select(executions.c.session_id.label("parent_id"), func.count().label("executions"))
    .where(executions.c.tenant_id == param("tenant_id"), executions.c.session_id == any_(param("ids", ARRAY(Uuid))))
    .group_by(executions.c.session_id),
)

_Keys = list[tuple[UUID, PageRequest]]


class ExecutionsOfSession(Loader[tuple[UUID, PageRequest], Page[PromptExecution]]):
    """Pages of the executions of sessions that were read before, newest first."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: _Keys) -> Sequence[Page[PromptExecution]]:
        """One statement for all sessions that are asked for the same page."""
        rows: dict[tuple[UUID, PageRequest], list[PromptExecution]] = defaultdict(list)
        for request, parents in _by_request(keys).items():
            query = _page_of_sessions(PageShape.of(request))
            positions = _positions("executions", request, parents)
            for row in await scope.all(query, tenant_id=actor.tenant_id, parents=parents, **positions):
                rows[row.session_id, request].append(row)
        counts = self.loaders.of(ExecutionCountOfSession)
        return [_page("executions", key, request, rows[key, request], counts) for key, request in keys]


class _ExecutionsOfPrompt(Loader[tuple[UUID, PageRequest], Page[PromptExecution]]):
    """Pages of the executions of what is asked that the actor may read, newest first."""

    column: ClassVar[str]
    name: ClassVar[str]
    counts: ClassVar[type["_ExecutionCountOfPrompt"]]

    async def fetch(self, scope: ReadScope, actor: Actor, keys: _Keys) -> Sequence[Page[PromptExecution]]:
        """One statement for all that are asked for the same page."""
        rows: dict[tuple[UUID, PageRequest], list[PromptExecution]] = defaultdict(list)
        for request, parents in _by_request(keys).items():
            query = _page_of_prompts(self.column, PageShape.of(request), actor.is_admin)
            positions = _positions(self.name, request, parents)
            for row in await scope.all(query, parents=parents, **actor.as_reader(), **positions):
                rows[getattr(row, self.column), request].append(row)
        counts = self.loaders.of(self.counts)
        return [_page(self.name, key, request, rows[key, request], counts) for key, request in keys]


class ExecutionCountOfSession(Loader[UUID, int]):
    """How many executions a session has."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[UUID]) -> Sequence[int]:
        """One statement for all sessions."""
        rows = await scope.all(_COUNT_OF_SESSIONS, tenant_id=actor.tenant_id, ids=keys)
        found = {row.parent_id: row.executions for row in rows}
        return [found.get(key, 0) for key in keys]


class _ExecutionCountOfPrompt(Loader[UUID, int]):
    """How many executions of what is asked the actor may read."""

    column: ClassVar[str]

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[UUID]) -> Sequence[int]:
        """One statement for all of them."""
        rows = await scope.all(_count_of_prompts(self.column, actor.is_admin), ids=keys, **actor.as_reader())
        found = {row.parent_id: row.executions for row in rows}
        return [found.get(key, 0) for key in keys]


class ExecutionCountOfVersion(_ExecutionCountOfPrompt):
    """Of a template's versions."""

    column = "template_version_id"


class ExecutionsOfVersion(_ExecutionsOfPrompt):
    """Of a template's versions."""

    column, name, counts = "template_version_id", "versionExecutions", ExecutionCountOfVersion


class ExecutionCountOfGenerated(_ExecutionCountOfPrompt):
    """Of generated prompts."""

    column = "prompt_generation_id"


class ExecutionsOfGenerated(_ExecutionsOfPrompt):
    """Of generated prompts."""

    column, name, counts = "prompt_generation_id", "generatedExecutions", ExecutionCountOfGenerated


def _by_request(keys: _Keys) -> dict[PageRequest, list[UUID]]:
    wanted: dict[PageRequest, list[UUID]] = defaultdict(list)
    for parent, request in keys:
        wanted[request].append(parent)
    return wanted


def _positions(kind: str, request: PageRequest, parents: list[UUID]) -> dict[str, object]:
    """The parameters of a page; InvalidCursor where its cursor is not one of every parent's list."""
    found = [_NEWEST_FIRST.parameters(request, ListName(kind, parent)) for parent in parents]
    return found[0]


def _page(
    kind: str, parent: UUID, request: PageRequest, rows: list[PromptExecution], counts: Loader[UUID, int]
) -> Page[PromptExecution]:
    name = ListName(kind, parent)

    async def count() -> int:
        return await counts.load(parent)

    return Page.of(rows, request, lambda row: name.encode((row.created_at, row.id)), count)


class _Figures(NamedTuple):
    parent_id: UUID
    amount: int
    completed: int
    failed: int
    cancelled: int
    interrupted: int
    running: int
    p50_ms: int | None
    p95_ms: int | None
    input_tokens: int
    output_tokens: int
    cost: Decimal | None
    cost_unknown: int


def _statistics(parent: str) -> Query[_Figures]:
    """What the executions of versions or of templates add up to, whoever asked them: figures, and no content."""
    of = executions.c[parent]
    took = func.extract("epoch", runs.c.finished_at - runs.c.started_at) * literal(1000, Numeric)
    completed = _ended_as(RunStatus.COMPLETED)

    def tokens(*names: str) -> ColumnElement[Any]:
        each = [func.coalesce(runs.c[name], literal(0, BigInteger)) for name in names]
        whole: Any = each[0]
        for one in each[1:]:
            whole = whole + one
        return cast(func.coalesce(func.sum(whole), literal(0, Numeric)), BigInteger)

    def percentile(share: float) -> ColumnElement[Any]:
        found = func.percentile_cont(literal(share, Double)).within_group(took.cast(Double))
        return cast(found.filter(completed), BigInteger)

    unknown = runs.c.finished_at.is_not(None) & (runs.c.generation > 0) & runs.c.cost.is_(None)
    return Query(
        _Figures,
        select(
            of.label("parent_id"),
            func.count().label("amount"),
            *(
                func.count().filter(_ended_as(status)).label(status.value)
                for status in (RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.INTERRUPTED)
            ),
            func.count().filter(runs.c.status.in_(LIVE_STATUSES)).label("running"),
            percentile(0.5).label("p50_ms"),
            percentile(0.95).label("p95_ms"),
            tokens("input_tokens", "cached_input_tokens", "cache_write_tokens").label("input_tokens"),
            tokens("output_tokens", "reasoning_tokens").label("output_tokens"),
            func.sum(runs.c.cost).label("cost"),
            func.count().filter(unknown).label("cost_unknown"),
        )
        .join(runs, its_run())
        .where(executions.c.tenant_id == param("tenant_id"), of == any_(param("ids", ARRAY(Uuid))))
        .group_by(of),
    )


def _ended_as(status: RunStatus) -> ColumnElement[bool]:
    return runs.c.status == literal(status.value, Text)


_OF_VERSIONS = _statistics("template_version_id")
_OF_TEMPLATES = _statistics("template_id")


class StatisticsOfVersion(Loader[VersionId, ExecutionStatistics]):
    """What all executions of versions add up to, in the whole tenant."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[VersionId]) -> Sequence[ExecutionStatistics]:
        """One statement for all versions."""
        return await _figures(scope, actor, _OF_VERSIONS, keys)


class StatisticsOfTemplate(Loader[TemplateId, ExecutionStatistics]):
    """What all executions of all versions of templates add up to, in the whole tenant."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[TemplateId]) -> Sequence[ExecutionStatistics]:
        """One statement for all templates."""
        return await _figures(scope, actor, _OF_TEMPLATES, keys)


async def _figures(
    scope: ReadScope, actor: Actor, query: Query[_Figures], keys: Sequence[UUID]
) -> list[ExecutionStatistics]:
    rows = await scope.all(query, tenant_id=actor.tenant_id, ids=list(keys))
    found = {row.parent_id: ExecutionStatistics(*row[1:]) for row in rows}
    return [found.get(key) or ExecutionStatistics() for key in keys]
