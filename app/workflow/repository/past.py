"""Reads of what a stage is made of, and of what is to be settled: some by workers, for whoever asked."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ARRAY, BigInteger, Integer, Text, Uuid, any_, literal, or_, select

from app.core.actor import Actor
from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.runs.values import RunRef
from app.workflow.fragments import decisions, stages, stories
from app.workflow.models import Story, WorkflowStage
from app.workflow.values import Attempt, DecisionKind, ProjectId, ReviewId, StageId, StageStatus

MOST_FEEDBACK = 10
"""Of earlier attempts, the latest: what was said longer ago is in them by now."""

_TENANT = stages.c.tenant_id == param("tenant_id", Text)
_PENDING = stages.c.status == literal(StageStatus.PENDING.value, Text)


class Feedback(NamedTuple):
    """What a reviewer said of an earlier attempt."""

    attempt: int
    text: str


_BY_ID = Query(WorkflowStage, select(*stages.c).where(_TENANT, stages.c.id == param("stage_id", Uuid)))
_OF_RUN = Query(WorkflowStage, select(*stages.c).where(_TENANT, stages.c.run_id == param("run_id", Uuid)))
_OF_REVIEW = Query(WorkflowStage, select(*stages.c).where(_TENANT, stages.c.review_id == param("review_id", Uuid)))

_NEXT_PENDING = Query(
    WorkflowStage,
    select(*stages.c)
    .where(_TENANT, stages.c.project_id == param("project_id", Uuid), _PENDING)
    .order_by(stages.c.created_at, stages.c.story_index)
    .limit(literal(1, BigInteger)),
)

_OF_REQUEST = Query(
    WorkflowStage,
    select(*stages.c)
    .where(
        _TENANT,
        stages.c.project_id == param("project_id", Uuid),
        stages.c.upstream_id == param("upstream_id", Uuid),
        stages.c.created_at == param("created_at", stages.c.created_at.type),
    )
    .order_by(stages.c.story_index),
)

_OF_UPSTREAM = Query(
    WorkflowStage,
    select(*stages.c)
    .where(_TENANT, stages.c.upstream_id == param("upstream_id", Uuid))
    .order_by(stages.c.story_index, stages.c.attempt),
)

_STORIES = Query(
    Story,
    select(*stories.c)
    .where(stories.c.tenant_id == param("tenant_id", Text), stories.c.story_generation_id == param("stage_id", Uuid))
    .order_by(stories.c.story_index),
)

_IN_PLACE = (
    _TENANT,
    stages.c.project_id == param("project_id", Uuid),
    stages.c.stage == param("stage", Text),
    or_(
        param("story_index", Integer).is_(None),
        (stages.c.upstream_id == param("upstream_id", Uuid)) & (stages.c.story_index == param("story_index", Integer)),
    ),
)

_FEEDBACK = Query(
    Feedback,
    select(stages.c.attempt, decisions.c.feedback.label("text"))
    .join(decisions, (decisions.c.tenant_id == stages.c.tenant_id) & (decisions.c.review_id == stages.c.review_id))
    .where(*_IN_PLACE, decisions.c.feedback.is_not(None), decisions.c.kind != literal(DecisionKind.APPROVE.value, Text))
    .order_by(decisions.c.at.desc(), decisions.c.number.desc())
    .limit(literal(MOST_FEEDBACK, BigInteger)),
)

_LATEST_DECIDED = Query(
    WorkflowStage,
    select(*stages.c)
    .where(
        *_IN_PLACE,
        stages.c.status == any_(literal([StageStatus.REJECTED.value, StageStatus.APPROVED.value], ARRAY(Text))),
    )
    .order_by(stages.c.created_at.desc(), stages.c.id.desc())
    .limit(literal(1, BigInteger)),
)


async def stage_by_id(scope: ReadScope, actor: Actor, stage_id: StageId) -> WorkflowStage | None:
    """An attempt of the tenant."""
    return await scope.first(_BY_ID, tenant_id=actor.tenant_id, stage_id=stage_id)


async def stage_of_run(scope: ReadScope, run: RunRef) -> WorkflowStage | None:
    """The attempt that a run makes; whoever it belongs to."""
    return await scope.first(_OF_RUN, tenant_id=run.tenant_id, run_id=run.id)


async def stage_of_review(scope: ReadScope, actor: Actor, review_id: ReviewId) -> WorkflowStage | None:
    """The attempt that a review is of."""
    return await scope.first(_OF_REVIEW, tenant_id=actor.tenant_id, review_id=review_id)


async def next_pending(scope: ReadScope, actor: Actor, project_id: ProjectId) -> WorkflowStage | None:
    """The attempt of a project that waits the longest for its turn."""
    return await scope.first(_NEXT_PENDING, tenant_id=actor.tenant_id, project_id=project_id)


async def stages_of_request(scope: ReadScope, actor: Actor, first: WorkflowStage) -> Sequence[WorkflowStage]:
    """The attempts that were asked for together with one of them."""
    if first.upstream_id is None:
        return [first]
    return await scope.all(
        _OF_REQUEST,
        tenant_id=actor.tenant_id,
        project_id=first.project_id,
        upstream_id=first.upstream_id,
        created_at=first.created_at,
    )


async def stages_of_upstream(scope: ReadScope, actor: Actor, upstream_id: StageId) -> Sequence[WorkflowStage]:
    """All attempts that were built on one."""
    return await scope.all(_OF_UPSTREAM, tenant_id=actor.tenant_id, upstream_id=upstream_id)


async def stories_of(scope: ReadScope, actor: Actor, stage_id: StageId) -> Sequence[Story]:
    """The stories of an attempt, in their order."""
    return await scope.all(_STORIES, tenant_id=actor.tenant_id, stage_id=stage_id)


async def feedback_on(scope: ReadScope, actor: Actor, attempt: Attempt) -> Sequence[Feedback]:
    """What reviewers said of earlier attempts at the same, latest first."""
    return await scope.all(_FEEDBACK, **_place(actor, attempt))


async def latest_decided(scope: ReadScope, actor: Actor, attempt: Attempt) -> WorkflowStage | None:
    """The latest of earlier attempts at the same that was decided about."""
    return await scope.first(_LATEST_DECIDED, **_place(actor, attempt))


def _place(actor: Actor, attempt: Attempt) -> dict[str, object]:
    return {
        "tenant_id": actor.tenant_id,
        "project_id": attempt.project_id,
        "stage": attempt.stage.value,
        "upstream_id": attempt.upstream_id,
        "story_index": attempt.story_index,
    }
