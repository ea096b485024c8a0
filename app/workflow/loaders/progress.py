"""How far projects are."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, case, func, select

from app.core.actor import Actor
from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.graph.loading import Loader
from app.prompts.values import Stage
from app.workflow.fragments import one_of, stages, stories
from app.workflow.progress import Amount, ProjectProgress, progress_of
from app.workflow.values import ProjectId, StageStatus


class _Amount(NamedTuple):
    project_id: UUID
    stage: str
    status: str
    attempts: int
    counted: int
    newest_at: datetime | None
    stories: int


def _amounts() -> Query[_Amount]:
    """How many attempts each project has, by stage and status; of each with an approved list its stories.

    Of the prompts count those of the approved list, one for each story: what is approved, else what is under way, else
    what is not stale; the newest of them.
    """
    kept = case(
        (one_of(stages.c.status, StageStatus.APPROVED), 0),
        (one_of(stages.c.status, StageStatus.PENDING, StageStatus.GENERATING, StageStatus.AWAITING_REVIEW), 1),
        (one_of(stages.c.status, StageStatus.STALE), 3),
        else_=2,
    )
    of_story = (stages.c.project_id, stages.c.stage, stages.c.upstream_id, stages.c.story_index)
    place = func.row_number().over(partition_by=of_story, order_by=(kept, stages.c.attempt.desc()))
    attempts = (
        select(
            stages.c.project_id, stages.c.stage, stages.c.status, stages.c.upstream_id, stages.c.created_at,
            place.label("place"),
        )
        .where(stages.c.tenant_id == param("tenant_id"), stages.c.project_id == any_(param("ids", ARRAY(Uuid))))
        .cte("attempts")
    )  # fmt: skip
    told = stages.alias("told")
    lists = (
        select(
            told.c.project_id,
            told.c.id,
            select(func.count())
            .where(stories.c.tenant_id == param("tenant_id"), stories.c.story_generation_id == told.c.id)
            .scalar_subquery()
            .label("stories"),
        )
        .where(
            told.c.tenant_id == param("tenant_id"),
            told.c.project_id == any_(param("ids", ARRAY(Uuid))),
            one_of(told.c.stage, Stage.STORY_GENERATION),
            one_of(told.c.status, StageStatus.APPROVED),
        )
        .cte("lists")
    )
    a_prompt = one_of(attempts.c.stage, Stage.PROMPT_GENERATION)
    counts = ~a_prompt | ((attempts.c.upstream_id == lists.c.id) & (attempts.c.place == 1))
    return Query(
        _Amount,
        select(
            attempts.c.project_id,
            attempts.c.stage,
            attempts.c.status,
            func.count().label("attempts"),
            func.count().filter(counts).label("counted"),
            func.max(attempts.c.created_at).filter(counts).label("newest_at"),
            func.coalesce(func.max(lists.c.stories), 0).label("stories"),
        )
        .select_from(attempts.outerjoin(lists, lists.c.project_id == attempts.c.project_id))
        .group_by(attempts.c.project_id, attempts.c.stage, attempts.c.status),
    )


_AMOUNTS = _amounts()


class ProgressOfProject(Loader[ProjectId, ProjectProgress]):
    """How far projects are that were read before, and what they wait for."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[ProjectId]) -> Sequence[ProjectProgress]:
        """One statement for all projects."""
        amounts: dict[UUID, list[Amount]] = defaultdict(list)
        told: dict[UUID, int] = {}
        for row in await scope.all(_AMOUNTS, tenant_id=actor.tenant_id, ids=keys):
            stage, status = Stage(row.stage), StageStatus(row.status)
            amounts[row.project_id].append(Amount(stage, status, row.attempts, row.counted, row.newest_at))
            told[row.project_id] = row.stories
        return [progress_of(amounts[key], told.get(key, 0)) for key in keys]
