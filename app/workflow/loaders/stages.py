"""Attempts at stages, one by one."""

from collections.abc import Sequence
from functools import lru_cache
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, select

from app.core.actor import Actor
from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.graph.columns import Columns, OnDemand
from app.graph.loading import Loader
from app.prompts.values import Stage
from app.workflow.fragments import stages
from app.workflow.models import WorkflowStage
from app.workflow.values import StageId

STAGE_COLUMNS = OnDemand(stages, {"content": ("content",)}, long=("content",))


@lru_cache(maxsize=4)
def _by(column: str, columns: Columns) -> Query[WorkflowStage]:
    named = stages.c[column] == any_(param("ids", ARRAY(Uuid)))
    rows = select(*STAGE_COLUMNS.read(columns)).where(stages.c.tenant_id == param("tenant_id"), named)
    return Query(WorkflowStage, rows)


class _Stages(Loader[tuple[UUID, Columns], WorkflowStage | None]):
    """Attempts of the tenant that have a value in a column, each with the columns that are asked for."""

    column: ClassVar[str]

    async def fetch(
        self, scope: ReadScope, actor: Actor, keys: list[tuple[UUID, Columns]]
    ) -> Sequence[WorkflowStage | None]:
        """One statement for all keys with the same columns."""
        found: dict[tuple[UUID, Columns], WorkflowStage] = {}
        for columns in {columns for _, columns in keys}:
            ids = [key for key, wanted in keys if wanted == columns]
            for row in await scope.all(_by(self.column, columns), tenant_id=actor.tenant_id, ids=ids):
                found[getattr(row, self.column), columns] = row
        return [found.get(key) for key in keys]


class StageOfRow(_Stages):
    """Attempts by their ids; None for any other id."""

    column = "id"


class StageOfReview(_Stages):
    """The attempts that reviews are of."""

    column = "review_id"


class _OfOneStage(Loader[StageId, WorkflowStage | None]):
    """Attempts at one stage by their ids, whole; None for any other id."""

    stage: ClassVar[Stage]

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[StageId]) -> Sequence[WorkflowStage | None]:
        """One statement for all ids."""
        rows = await scope.all(_by("id", STAGE_COLUMNS.whole), tenant_id=actor.tenant_id, ids=keys)
        found = {row.id: row for row in rows if row.kind is self.stage}
        return [found.get(key) for key in keys]


class RequirementsAnalysisById(_OfOneStage):
    """Requirements analyses."""

    stage = Stage.REQUIREMENTS_ANALYSIS


class ProjectPlanningById(_OfOneStage):
    """Project plannings."""

    stage = Stage.PROJECT_PLANNING


class StoryGenerationById(_OfOneStage):
    """Lists of stories."""

    stage = Stage.STORY_GENERATION


class PromptGenerationById(_OfOneStage):
    """Prompts."""

    stage = Stage.PROMPT_GENERATION
