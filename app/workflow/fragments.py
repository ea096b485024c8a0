"""Pieces of statements about projects and their stages."""

from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    ColumnElement,
    Text,
    Uuid,
    func,
    literal,
    literal_column,
    select,
    true,
    update,
)
from sqlalchemy import exists as there_is

from app.db.base import table_of
from app.db.statement import param
from app.events.fragments import event
from app.events.values import SHARED, EventKind
from app.prompts.values import Stage
from app.workflow.models import Project, Review, ReviewDecision, Story, WorkflowStage
from app.workflow.values import ReviewStatus, StageStatus

projects = table_of(Project)
stages = table_of(WorkflowStage)
stories = table_of(Story)
reviews = table_of(Review)
decisions = table_of(ReviewDecision)


def one_of(column: ColumnElement[Any], *words: Stage | StageStatus | ReviewStatus) -> ColumnElement[bool]:
    """Whether a column has one of these words, written out as the conditions of the indexes are.

    As parameters they would keep PostgreSQL from using those once it has one plan for all values.
    """
    written: list[ColumnElement[Any]] = [literal_column(f"'{word.value}'", Text) for word in words]
    return column == written[0] if len(written) == 1 else column.in_(written)


def is_project() -> ColumnElement[bool]:
    """The project that is named, of the tenant. Parameters: tenant_id, project_id."""
    return (projects.c.tenant_id == param("tenant_id", Text)) & (projects.c.id == param("project_id", Uuid))


def counted_up(by: ColumnElement[Any], changes: dict[str, Any] | None = None, *conditions: ColumnElement[bool]) -> CTE:
    """The project with so many more events, and `changes`; its row stays locked. Parameters: as of `is_project`.

    Columns: all, and what `event` wants of a stream.
    """
    happened = func.greatest(projects.c.updated_at, func.statement_timestamp())
    return (
        update(projects)
        .where(is_project(), *conditions)
        .values({"last_event": projects.c.last_event + by, "updated_at": happened, **(changes or {})})
        .returning(*projects.c, literal(SHARED, Text).label("user_id"))
        .cte("project")
    )


def wanted() -> Any:
    """The stages that are named, in their order. Parameters: stage_ids, and their names as `stage_names`."""
    named = func.unnest(param("stage_ids", ARRAY(Uuid)), param("stage_names", ARRAY(Text)))
    return named.table_valued("id", "name", with_ordinality="place").render_derived(name="wanted")


def told(kind: EventKind, project: CTE, rows: CTE) -> CTE:
    """One event for each of `rows` (columns id, name, place from 1 without gaps), as the last that `project` counted.

    Parameters: as of `event`.
    """
    total = select(func.count()).select_from(rows).scalar_subquery()
    stream = (
        select(
            project.c.tenant_id, project.c.id, project.c.user_id, project.c.updated_at,
            (project.c.last_event - total + rows.c.place).label("last_event"), rows.c.name,
        )
        .select_from(rows)
        .join(project, true())
        .cte("stream")
    )  # fmt: skip
    return event(kind, stream=stream, facts={"stageId": stream.c.name})


def moved(kind: EventKind, status: StageStatus, changes: dict[str, Any]) -> tuple[CTE, CTE]:
    """Those of the wanted stages that may come to `status`, changed, and their events: one compare-and-set for all.

    The caller holds the project's row, whose lock orders all who move its stages. Parameters: tenant_id, project_id,
    before (the statuses that lead there), those of `wanted` and of `event`.
    """
    named = wanted()
    candidates = (
        select(
            stages.c.id, named.c.name,
            func.row_number().over(order_by=named.c.place).cast(BigInteger).label("place"),
        )
        .join(named, named.c.id == stages.c.id)
        .where(
            stages.c.tenant_id == param("tenant_id", Text),
            stages.c.project_id == param("project_id", Uuid),
            (stages.c.status == func.any(param("before", ARRAY(Text)))).is_(true()),
        )
        .cte("candidates")
    )  # fmt: skip
    total = select(func.count()).select_from(candidates).scalar_subquery()
    project = counted_up(total, None, there_is(select(candidates.c.id)))
    changed = (
        update(stages)
        .where(
            stages.c.tenant_id == project.c.tenant_id,
            stages.c.project_id == project.c.id,
            stages.c.id == candidates.c.id,
        )
        .values({"status": status.value, "updated_at": project.c.updated_at, **changes})
        .returning(*stages.c)
        .cte("changed")
    )
    return changed, told(kind, project, candidates)
