"""Projects by id, and lists of them."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, FromClause, Select, Text, Uuid, and_, any_, exists, func, or_, select

from app.core.actor import Actor
from app.core.errors import ValidationError
from app.core.ids import parse_global_id
from app.core.paging import ListName, Page, PageRequest
from app.db.database import Database
from app.db.pages import Order, PageShape
from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.graph.columns import Columns, OnDemand
from app.graph.loading import Loader
from app.prompts.values import Stage
from app.workflow.fragments import one_of, projects, stages, stories
from app.workflow.models import Project
from app.workflow.values import UPSTREAM, ProjectFilter, ProjectId, ProjectOrder, StageStatus, WaitsFor

PROJECT_COLUMNS = OnDemand(projects, {"description": ("description",)}, long=("description",))


def project_named(text: str | None) -> ProjectId | None:
    """The project whose global id a text is; None for any other text, which an application may call its projects."""
    try:
        return ProjectId(parse_global_id(text, Project.node_type)) if text is not None else None
    except ValidationError:
        return None


@lru_cache(maxsize=2)
def _by_ids(columns: Columns) -> Query[Project]:
    return Query(
        Project,
        select(*PROJECT_COLUMNS.read(columns)).where(
            projects.c.tenant_id == param("tenant_id"), projects.c.id == any_(param("ids", ARRAY(Uuid)))
        ),
    )


class ProjectById(Loader[ProjectId, Project | None]):
    """Projects of the tenant, whole; None for any other id."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[ProjectId]) -> Sequence[Project | None]:
        """One statement for all ids."""
        found = {
            row.id: row for row in await scope.all(_by_ids(PROJECT_COLUMNS.whole), tenant_id=actor.tenant_id, ids=keys)
        }
        return [found.get(key) for key in keys]


class ProjectOfRow(Loader[tuple[ProjectId, Columns], Project | None]):
    """The same for rows that name a project, each with the columns that are asked for."""

    async def fetch(
        self, scope: ReadScope, actor: Actor, keys: list[tuple[ProjectId, Columns]]
    ) -> Sequence[Project | None]:
        """One statement for all ids with the same columns."""
        found: dict[tuple[UUID, Columns], Project] = {}
        for columns in {columns for _, columns in keys}:
            ids = [project_id for project_id, wanted in keys if wanted == columns]
            for row in await scope.all(_by_ids(columns), tenant_id=actor.tenant_id, ids=ids):
                found[row.id, columns] = row
        return [found.get(key) for key in keys]


_BY_UPDATED = (projects.c.updated_at, projects.c.id)
_BY_CREATED = (projects.c.created_at, projects.c.id)
_BY_NAME = (projects.c.name, projects.c.id)

_ORDERS = {
    ProjectOrder.UPDATED_AT_DESC: Order(_BY_UPDATED, (datetime, UUID), descending=True),
    ProjectOrder.UPDATED_AT_ASC: Order(_BY_UPDATED, (datetime, UUID)),
    ProjectOrder.CREATED_AT_DESC: Order(_BY_CREATED, (datetime, UUID), descending=True),
    ProjectOrder.CREATED_AT_ASC: Order(_BY_CREATED, (datetime, UUID)),
    ProjectOrder.NAME_ASC: Order(_BY_NAME, (str, UUID)),
    ProjectOrder.NAME_DESC: Order(_BY_NAME, (str, UUID), descending=True),
}

_UNDER_WAY = (StageStatus.PENDING, StageStatus.GENERATING, StageStatus.AWAITING_REVIEW)


def _of_tenant(table: FromClause) -> ColumnElement[bool]:
    # Not that of the project: PostgreSQL may read what is asked for once for all projects, and then of all tenants.
    return table.c.tenant_id == param("tenant_id", Text)


def _has(stage: Stage | None, *statuses: StageStatus) -> ColumnElement[bool]:
    """Whether a project has an attempt at a stage, or at any, with one of these statuses."""
    of_stage = [] if stage is None else [one_of(stages.c.stage, stage)]
    return exists(
        select(stages.c.id).where(
            _of_tenant(stages),
            stages.c.project_id == projects.c.id,
            *of_stage,
            one_of(stages.c.status, *statuses),
        )
    )


def _reached(stage: Stage) -> list[ColumnElement[bool]]:
    """Whether what a stage is built on is approved. Nothing is approved whose upstream is not."""
    upstream = UPSTREAM[stage]
    return [] if upstream is None else [_has(upstream, StageStatus.APPROVED)]


def _at(stage: Stage) -> ColumnElement[bool]:
    """Whether a project is at a stage, as `progress_of` says."""
    reached = _reached(stage)
    # The last stage is where a project stays.
    passed = [] if stage is Stage.PROMPT_GENERATION else [~_has(stage, StageStatus.APPROVED)]
    return and_(*reached, *passed)


def _waits_for_editor() -> ColumnElement[bool]:
    """Whether a stage could go on, and nobody has had it generated."""
    conditions = [
        and_(*_reached(stage), ~_has(stage, StageStatus.APPROVED, *_UNDER_WAY))
        for stage in Stage
        if stage is not Stage.PROMPT_GENERATION
    ]
    return or_(*conditions, _has_story_without_prompt())


def _has_story_without_prompt() -> ColumnElement[bool]:
    approved, prompts = stages.alias("approved"), stages.alias("prompts")
    there = exists(
        select(prompts.c.id).where(
            _of_tenant(prompts),
            prompts.c.upstream_id == stories.c.story_generation_id,
            prompts.c.story_index == stories.c.story_index,
            one_of(prompts.c.status, StageStatus.APPROVED, *_UNDER_WAY),
        )
    )
    return exists(
        select(stories.c.story_index)
        .join(
            approved,
            (approved.c.tenant_id == stories.c.tenant_id) & (approved.c.id == stories.c.story_generation_id),
        )
        .where(
            _of_tenant(approved),
            approved.c.project_id == projects.c.id,
            one_of(approved.c.stage, Stage.STORY_GENERATION),
            one_of(approved.c.status, StageStatus.APPROVED),
            ~there,
        )
    )


_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "text": func.strpos(func.lower(projects.c.name), func.lower(param("text", Text))) > 0,
    "created_by": projects.c.created_by == param("created_by", Text),
    **{stage.value: _at(stage) for stage in Stage},
    WaitsFor.EDITOR.value: _waits_for_editor(),
    WaitsFor.MODEL.value: _has(None, StageStatus.PENDING, StageStatus.GENERATING),
    WaitsFor.REVIEWER.value: _has(None, StageStatus.AWAITING_REVIEW),
}
"""By the names that `ProjectFilter.conditions` gives."""


def _narrowed(rows: Select[Any], names: frozenset[str]) -> Select[Any]:
    return rows.where(projects.c.tenant_id == param("tenant_id", Text), *(_CONDITIONS[name] for name in sorted(names)))


@lru_cache(maxsize=256)
def _page(names: frozenset[str], order: ProjectOrder, shape: PageShape, columns: Columns) -> Query[Project]:
    return Query(Project, _ORDERS[order].page(_narrowed(select(*PROJECT_COLUMNS.read(columns)), names), shape))


@lru_cache(maxsize=128)
def _count(names: frozenset[str]) -> Query[int]:
    return Query(int, _narrowed(select(func.count().label("count")).select_from(projects), names))


async def page_of_projects(
    database: Database, actor: Actor, wanted: ProjectFilter, order: ProjectOrder, request: PageRequest, columns: Columns
) -> Page[Project]:
    """A page of the tenant's projects, with the columns that are asked for."""
    names, values = wanted.conditions(), {"tenant_id": actor.tenant_id, **wanted.given()}
    list_name = ListName(f"projects:{order}")
    position = _ORDERS[order].parameters(request, list_name)

    async def count() -> int:
        async with database.read() as scope:
            return await scope.first(_count(names), **values) or 0

    async with database.read() as scope:
        found = await scope.all(_page(names, order, PageShape.of(request), columns), **values, **position)
    column = str(_ORDERS[order].columns[0].key)
    return Page.of(found, request, lambda row: list_name.encode((getattr(row, column), row.id)), count)
