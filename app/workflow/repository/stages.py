"""Statements that make attempts at stages, and move them from status to status. The project's row is locked before."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Integer,
    SmallInteger,
    Text,
    Uuid,
    any_,
    func,
    insert,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.core.actor import Actor
from app.core.ids import global_id
from app.db.scopes import ReadScope, UnitOfWork
from app.db.statement import Command, Query, param
from app.events.fragments import event_parameters
from app.events.values import EventKind
from app.prompts.values import Stage
from app.runs.models import Run
from app.runs.values import Failure, RunId
from app.workflow.fragments import counted_up, moved, one_of, stages, stories, told
from app.workflow.models import Review, WorkflowStage
from app.workflow.values import NODE_TYPES, NewStage, NewStory, ProjectId, ReviewId, StageId, StageStatus, before

_OF_PROJECT = (stages.c.tenant_id == param("tenant_id", Text), stages.c.project_id == param("project_id", Uuid))


def _request() -> Command[WorkflowStage]:
    """Attempts at one stage, of prompts one for each story: each the next of its place."""
    wanted = (
        func.unnest(
            param("stage_ids", ARRAY(Uuid)), param("stage_names", ARRAY(Text)), param("story_indexes", ARRAY(Integer))
        )
        .table_valued("id", "name", "story_index", with_ordinality="place")
        .render_derived(name="wanted")
    )
    rows = select(*wanted.c).cte("rows")
    total = select(func.count()).select_from(rows).scalar_subquery()
    project = counted_up(total)
    earlier = stages.alias("earlier")
    last = (
        select(func.coalesce(func.max(earlier.c.attempt), 0))
        .where(
            earlier.c.tenant_id == param("tenant_id", Text),
            earlier.c.project_id == param("project_id", Uuid),
            earlier.c.stage == param("stage", Text),
            or_(
                rows.c.story_index.is_(None),
                (earlier.c.upstream_id == param("upstream_id", Uuid)) & (earlier.c.story_index == rows.c.story_index),
            ),
        )
        .correlate(rows)
        .scalar_subquery()
    )
    row: dict[str, Any] = {
        "tenant_id": project.c.tenant_id, "id": rows.c.id, "project_id": project.c.id, "stage": param("stage", Text),
        "attempt": last + literal(1, Integer), "upstream_stage": param("upstream_stage", Text),
        "upstream_id": param("upstream_id", Uuid), "story_index": rows.c.story_index.cast(SmallInteger),
        "model": param("model", Text), "created_by": param("actor", Text),
        "correlation_id": param("correlation_id", Text), "created_at": project.c.updated_at,
        "updated_at": project.c.updated_at,
    }  # fmt: skip
    made = (
        insert(stages)
        .from_select(list(row), select(*row.values()).select_from(rows).join(project, true()))
        .returning(*stages.c)
        .cte("made")
    )
    found = select(*made.c).add_cte(told(EventKind.STAGE_REQUESTED, project, rows))
    return Command(WorkflowStage, found.order_by(made.c.story_index))


_CHANGES: Mapping[StageStatus, dict[str, Any]] = {
    StageStatus.GENERATING: {
        "run_id": param("run_id", Uuid),
        "starts": stages.c.starts + param("starts", SmallInteger),
        "repairs": stages.c.repairs + param("repairs", SmallInteger),
    },
    StageStatus.AWAITING_REVIEW: {"content": param("content", Text), "review_id": param("review_id", Uuid)},
    StageStatus.FAILED: {
        "error_code": param("error_code", Text),
        "error_message": param("error_message", Text),
        "error_facts": param("error_facts", JSONB),
    },
}
"""What changes with the status."""


def _move(status: StageStatus) -> Command[WorkflowStage]:
    # Kinds of events are called after where stages come to.
    changed, events = moved(EventKind(f"stage.{status.value}"), status, _CHANGES.get(status, {}))
    return Command(WorkflowStage, select(*changed.c).add_cte(events).order_by(changed.c.created_at, changed.c.id))


_REQUEST = _request()
_MOVE: Mapping[StageStatus, Command[WorkflowStage]] = {
    status: _move(status) for status in StageStatus if status is not StageStatus.PENDING
}


def _keep_stories() -> Command[object]:
    rows = (
        func.unnest(
            param("titles", ARRAY(Text)), param("descriptions", ARRAY(Text)), param("criteria", ARRAY(Text)),
            param("priorities", ARRAY(Text)), param("estimates", ARRAY(Integer)),
        )
        .table_valued("title", "description", "criteria", "priority", "estimate", with_ordinality="place")
        .render_derived(name="told")
    )  # fmt: skip
    # Each list as JSON: an array of arrays would have to be of one length.
    each_criterion = func.jsonb_array_elements_text(rows.c.criteria.cast(JSONB)).column_valued("criterion")
    row = {
        "tenant_id": param("tenant_id", Text), "story_generation_id": param("stage_id", Uuid),
        "story_index": (rows.c.place - literal(1, BigInteger)).cast(SmallInteger), "title": rows.c.title,
        "description": rows.c.description,
        "acceptance_criteria": func.array(select(each_criterion).correlate(rows).scalar_subquery(), type_=ARRAY(Text)),
        "priority": rows.c.priority, "estimate": rows.c.estimate.cast(SmallInteger),
    }  # fmt: skip
    kept = insert(stories).from_select(list(row), select(*row.values()).select_from(rows))
    return Command(object, kept.returning(stories.c.story_index))


_KEEP_STORIES = _keep_stories()

_GENERATING = Query(
    int,
    select(func.count().label("count")).where(
        *_OF_PROJECT, stages.c.status == literal(StageStatus.GENERATING.value, Text)
    ),
)

_APPROVED = Query(
    WorkflowStage,
    select(*stages.c).where(
        *_OF_PROJECT,
        stages.c.stage == param("stage", Text),
        stages.c.status == literal(StageStatus.APPROVED.value, Text),
        or_(
            param("story_index", Integer).is_(None),
            (stages.c.upstream_id == param("upstream_id", Uuid))
            & (stages.c.story_index == param("story_index", Integer)),
        ),
    ),
)

_LIVE_IN_PLACE = Query(
    WorkflowStage,
    select(*stages.c)
    .where(
        *_OF_PROJECT,
        stages.c.stage == param("stage", Text),
        one_of(stages.c.status, StageStatus.PENDING, StageStatus.GENERATING),
        or_(
            param("story_indexes", ARRAY(Integer)).is_(None),
            (stages.c.upstream_id == param("upstream_id", Uuid))
            & (stages.c.story_index == any_(param("story_indexes", ARRAY(Integer)))),
        ),
    )
    .order_by(stages.c.created_at, stages.c.story_index),
)


def _built_on() -> Query[WorkflowStage]:
    """What was built on some attempts, and on that, and so on: three steps at most."""
    below = (
        select(stages.c.id)
        .where(*_OF_PROJECT, stages.c.upstream_id == any_(param("stage_ids", ARRAY(Uuid))))
        .cte("below", recursive=True)
    )
    deeper = stages.alias("deeper")
    below = below.union(
        select(deeper.c.id).where(
            deeper.c.tenant_id == param("tenant_id", Text),
            deeper.c.project_id == param("project_id", Uuid),
            deeper.c.upstream_id == below.c.id,
        )
    )
    return Query(
        WorkflowStage,
        select(*stages.c)
        .join(below, below.c.id == stages.c.id)
        .where(*_OF_PROJECT, stages.c.status == any_(param("before", ARRAY(Text))))
        .order_by(stages.c.created_at, stages.c.id),
    )


_BUILT_ON = _built_on()


async def generating(scope: ReadScope, actor: Actor, project_id: ProjectId) -> int:
    """How many attempts of a project a model is at."""
    return await scope.first(_GENERATING, tenant_id=actor.tenant_id, project_id=project_id) or 0


async def approved(
    scope: ReadScope, actor: Actor, project_id: ProjectId, stage: Stage, story: tuple[UUID, int] | None = None
) -> WorkflowStage | None:
    """The attempt at a stage that is approved; of prompts, that for a story: its list's id, and its index."""
    upstream_id, story_index = story or (None, None)
    return await scope.first(
        _APPROVED,
        tenant_id=actor.tenant_id,
        project_id=project_id,
        stage=stage.value,
        upstream_id=upstream_id,
        story_index=story_index,
    )


async def live_in_place(
    scope: ReadScope,
    actor: Actor,
    project_id: ProjectId,
    stage: Stage,
    upstream_id: UUID | None,
    story_indexes: Sequence[int] | None,
) -> list[WorkflowStage]:
    """Attempts that are waited for at a stage; of prompts, those for some stories of a list."""
    return await scope.all(
        _LIVE_IN_PLACE,
        tenant_id=actor.tenant_id,
        project_id=project_id,
        stage=stage.value,
        upstream_id=upstream_id,
        story_indexes=None if story_indexes is None else list(story_indexes),
    )


async def built_on(
    scope: ReadScope, actor: Actor, project_id: ProjectId, stage_ids: Collection[UUID]
) -> list[WorkflowStage]:
    """What was built on some attempts, directly or not, and can become stale."""
    return await scope.all(
        _BUILT_ON,
        tenant_id=actor.tenant_id,
        project_id=project_id,
        stage_ids=list(stage_ids),
        before=[status.value for status in before(StageStatus.STALE)],
    )


async def request(uow: UnitOfWork, actor: Actor, new: NewStage) -> list[WorkflowStage]:
    """Store attempts that wait for their turn, with an event each; in the order of their stories."""
    made = await uow.run(
        _REQUEST,
        stage=new.stage.value,
        upstream_stage=new.upstream_stage and new.upstream_stage.value,
        upstream_id=new.upstream_id,
        story_indexes=list(new.story_indexes),
        model=new.model,
        **_told(actor, new.project_id, {}, [(id_, new.stage) for id_ in new.ids]),
    )
    uow.announce(new.project_id)
    return made


async def generate(
    uow: UnitOfWork, actor: Actor, stage: WorkflowStage, run_id: RunId, *, repair: bool = False
) -> WorkflowStage | None:
    """Have an attempt made by a run: its first, or after another was interrupted, or gave what cannot be used.

    None where the attempt is at something else by now.
    """
    again = stage.status == StageStatus.GENERATING
    facts = {"runId": global_id(Run.node_type, run_id), "attempt": stage.attempt}
    return await _one(
        uow,
        StageStatus.GENERATING,
        actor,
        stage,
        facts,
        (StageStatus.GENERATING if again else StageStatus.PENDING,),
        run_id=run_id,
        starts=0 if repair else 1,
        repairs=1 if repair else 0,
    )


async def finish(
    uow: UnitOfWork, actor: Actor, stage: WorkflowStage, content: str, review_id: ReviewId
) -> WorkflowStage | None:
    """Give an attempt its content, and have it reviewed."""
    facts = {"reviewId": global_id(Review.node_type, review_id), "attempt": stage.attempt}
    statuses = before(StageStatus.AWAITING_REVIEW)
    return await _one(
        uow, StageStatus.AWAITING_REVIEW, actor, stage, facts, statuses, content=content, review_id=review_id
    )


async def give_up(uow: UnitOfWork, actor: Actor, stage: WorkflowStage, failure: Failure) -> WorkflowStage | None:
    """Note why an attempt failed."""
    return await _one(
        uow,
        StageStatus.FAILED,
        actor,
        stage,
        {"errorCode": failure.code, "attempt": stage.attempt},
        before(StageStatus.FAILED),
        error_code=failure.code,
        error_message=failure.message,
        error_facts=failure.facts(),
    )


async def settle(
    uow: UnitOfWork, actor: Actor, stage: WorkflowStage, status: StageStatus, facts: Mapping[str, object]
) -> WorkflowStage | None:
    """Move an attempt to what its reviewer says: APPROVED or REJECTED."""
    return await _one(uow, status, actor, stage, {**facts, "attempt": stage.attempt}, before(status))


async def make_stale(
    uow: UnitOfWork, actor: Actor, project_id: ProjectId, found: Sequence[WorkflowStage], facts: Mapping[str, object]
) -> list[WorkflowStage]:
    """Mark attempts as built on what does not hold any more, with an event each."""
    if not found:
        return []
    named = [(StageId(stage.id), stage.kind) for stage in found]
    moved_ = await uow.run(
        _MOVE[StageStatus.STALE],
        before=[status.value for status in before(StageStatus.STALE)],
        **_told(actor, project_id, facts, named),
    )
    uow.announce(project_id)
    return moved_


async def keep_stories(uow: UnitOfWork, actor: Actor, stage_id: StageId, told_: Sequence[NewStory]) -> None:
    """Store the stories of an attempt, in their order."""
    await uow.run(
        _KEEP_STORIES,
        tenant_id=actor.tenant_id,
        stage_id=stage_id,
        titles=[story.title for story in told_],
        descriptions=[story.description for story in told_],
        criteria=[orjson.dumps(story.acceptance_criteria).decode() for story in told_],
        priorities=[story.priority.value for story in told_],
        estimates=[story.estimate for story in told_],
    )


async def _one(
    uow: UnitOfWork,
    status: StageStatus,
    actor: Actor,
    stage: WorkflowStage,
    facts: Mapping[str, object],
    statuses: Sequence[StageStatus],
    **values: object,
) -> WorkflowStage | None:
    project_id = ProjectId(stage.project_id)
    found = await uow.run_one(
        _MOVE[status],
        before=[status.value for status in statuses],
        **values,
        **_told(actor, project_id, facts, [(StageId(stage.id), stage.kind)]),
    )
    uow.announce(project_id)
    return found


def _told(
    actor: Actor, project_id: ProjectId, facts: Mapping[str, object], named: Sequence[tuple[StageId, Stage]]
) -> dict[str, object]:
    return {
        "tenant_id": actor.tenant_id,
        "project_id": project_id,
        "stage_ids": [id_ for id_, _ in named],
        "stage_names": [global_id(NODE_TYPES[stage], id_) for id_, stage in named],
        **event_parameters(actor, facts),
    }
