"""What can be done with a project, its stages and reviews: one rule each. Callers hold a unit of work.

The order of locks: a session's row, the project's, then what hangs on that. Whoever holds the project's row is alone
among those who change its stages.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.core.actor import Actor, Role
from app.core.ids import global_id, new_id
from app.db.scopes import ReadScope, UnitOfWork
from app.prompts.values import Stage
from app.runs.models import Run
from app.runs.values import Failure
from app.workflow import repository
from app.workflow.errors import (
    AlreadyDecided,
    NotForYou,
    NotPossibleNow,
    ProjectChanged,
    ProjectNotFound,
    ReviewNotFound,
    StageNotFound,
    StoryNotFound,
)
from app.workflow.models import Project, Review, WorkflowStage
from app.workflow.stories import as_markdown
from app.workflow.values import (
    NODE_TYPES,
    TRANSITIONS,
    UPSTREAM,
    Attempt,
    Decision,
    DecisionKind,
    NewStage,
    NewStory,
    ProjectId,
    ReviewId,
    ReviewInbox,
    StageId,
    StageStatus,
    Wish,
    check_project,
)

WORDS = {
    Stage.REQUIREMENTS_ANALYSIS: "requirements analysis",
    Stage.PROJECT_PLANNING: "project plan",
    Stage.STORY_GENERATION: "list of stories",
    Stage.PROMPT_GENERATION: "prompt",
}
"""What an attempt at a stage makes, in words for people."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A review and its stage after a decision, and what became stale by it."""

    review: Review
    stage: WorkflowStage
    stale: Sequence[WorkflowStage]


def require_editor(actor: Actor, what: str) -> None:
    """Raise NotForYou for an actor who may not change projects."""
    if Role.EDITOR not in actor.roles:
        raise NotForYou("editor", what)


def require_reviewer(actor: Actor) -> None:
    """Raise NotForYou for an actor who may not decide about reviews."""
    if Role.REVIEWER not in actor.roles:
        raise NotForYou("reviewer", "deciding about a stage")


async def lock(uow: UnitOfWork, actor: Actor, project_id: ProjectId) -> Project:
    """The newest version of a project, whose stages nobody else changes until the end. ProjectNotFound."""
    found = await repository.lock(uow, actor, project_id)
    if found is None:
        raise ProjectNotFound
    return found


async def update(
    uow: UnitOfWork, actor: Actor, project_id: ProjectId, expected_version: int | None, changes: dict[str, Any]
) -> Project:
    """Change name or description. ValidationError, ProjectNotFound, ProjectChanged."""
    check_project(changes)
    found = await lock(uow, actor, project_id)
    if expected_version is not None and found.version != expected_version:
        raise ProjectChanged(expected_version, found)
    if all(getattr(found, name) == value for name, value in changes.items()):
        return found
    return await repository.update(uow, actor, project_id, changes)


async def attempt_of(scope: ReadScope, actor: Actor, wish: Wish, model: str) -> Attempt:
    """What is meant by a wish as things are now, checked: the stage before is approved.

    ProjectNotFound, StageNotFound, NotPossibleNow. Asked once without a lock, to prepare, and again behind it.
    """
    if await repository.find(scope, actor, wish.project_id) is None:
        raise ProjectNotFound
    before = UPSTREAM[wish.stage]
    if before is None:
        return Attempt(wish.project_id, wish.stage, None, None, model)
    upstream = await _upstream(scope, actor, wish, before)
    return Attempt(wish.project_id, wish.stage, StageId(upstream.id), wish.story_index, model)


async def _upstream(scope: ReadScope, actor: Actor, wish: Wish, before: Stage) -> WorkflowStage:
    if wish.upstream_id is None:
        approved = await repository.approved(scope, actor, wish.project_id, before)
        if approved is None:
            raise NotPossibleNow(
                f"no {WORDS[before]} of the project is approved yet", "stage",
                f"have one generated with stage {before.name}, and approve its review",
                {"missing": before.name},
            )  # fmt: skip
        return approved
    named = await repository.stage_by_id(scope, actor, wish.upstream_id)
    if named is None or named.project_id != wish.project_id or named.kind is not before:
        raise StageNotFound
    require_approved(named, "upstreamId")
    return named


def require_approved(upstream: WorkflowStage, field: str) -> None:
    """Raise NotPossibleNow where what is to be built on is not approved."""
    if upstream.status != StageStatus.APPROVED:
        raise NotPossibleNow(
            f"the {WORDS[upstream.kind]} that it is built on is {upstream.status.replace('_', ' ')}, not approved",
            field,
            "have it approved, or build on another that is",
            {"upstreamId": upstream.global_id, "status": upstream.status.upper()},
        )


async def missing_prompts(scope: ReadScope, actor: Actor, attempt: Attempt) -> list[int]:
    """The stories of a list that have no prompt which is approved, under review or in the making. NotPossibleNow."""
    assert attempt.upstream_id is not None  # noqa: S101 - prompts are built on stories
    stories = await repository.stories_of(scope, actor, attempt.upstream_id)
    there = {
        stage.story_index
        for stage in await repository.stages_of_upstream(scope, actor, attempt.upstream_id)
        if StageStatus(stage.status).live or stage.status in (StageStatus.APPROVED, StageStatus.AWAITING_REVIEW)
    }
    missing = [story.story_index for story in stories if story.story_index not in there]
    if not missing:
        raise NotPossibleNow(
            "each story has a prompt that is approved, awaits review, or is being generated",
            "storyIndex",
            "name the story whose prompt is to be generated once more",
        )
    return missing


async def request(
    uow: UnitOfWork, actor: Actor, attempt: Attempt, ids: Sequence[StageId], story_indexes: Sequence[int | None]
) -> list[WorkflowStage]:
    """Store attempts that wait for their turn. StoryNotFound, NotPossibleNow where one is being made in their place."""
    indexes = [index for index in story_indexes if index is not None]
    if indexes and attempt.upstream_id is not None:
        stories = await repository.stories_of(uow, actor, attempt.upstream_id)
        if max(indexes) >= len(stories):
            raise StoryNotFound(len(stories))
    live = await repository.live_in_place(
        uow, actor, attempt.project_id, attempt.stage, attempt.upstream_id, indexes or None
    )
    if live:
        raise _being_made(live[0])
    new = NewStage(
        tuple(ids), attempt.project_id, attempt.stage, attempt.model, attempt.upstream_id, tuple(story_indexes)
    )
    return await repository.request(uow, actor, new)


def _being_made(live: WorkflowStage) -> NotPossibleNow:
    run_id = global_id(Run.node_type, live.run_id) if live.run_id else None
    return NotPossibleNow(
        f"attempt {live.attempt} at this stage is {live.status}",
        "storyIndex" if live.story_index is not None else "stage",
        "wait until it is there, or cancel its run",
        {"stageId": live.global_id, "runId": run_id},
    )


async def finish(
    uow: UnitOfWork, actor: Actor, stage: WorkflowStage, content: str | Sequence[NewStory]
) -> WorkflowStage | None:
    """Give an attempt that is being generated what its model made, and open its review, of which followers are told."""
    review_id = ReviewId(new_id())
    await repository.open_review(uow, stage, review_id)
    text = content if isinstance(content, str) else as_markdown(content)
    if not isinstance(content, str):
        await repository.keep_stories(uow, actor, StageId(stage.id), content)
    uow.announce(ReviewInbox.of(actor).id)
    return await repository.finish(uow, actor, stage, text, review_id)


async def give_up(uow: UnitOfWork, actor: Actor, stage: WorkflowStage, failure: Failure) -> WorkflowStage | None:
    """Note why an attempt failed; None where it is settled already."""
    return await repository.give_up(uow, actor, stage, failure)


async def decide(uow: UnitOfWork, actor: Actor, decision: Decision) -> Decided:
    """Note what a reviewer decided, and what follows from it. The project is locked.

    ReviewNotFound, AlreadyDecided, NotPossibleNow.
    """
    review = await repository.find_review(uow, actor, decision.review_id)
    stage = await repository.stage_of_review(uow, actor, decision.review_id)
    if review is None or stage is None:
        raise ReviewNotFound
    if review.status != decision.expected_status:
        raise AlreadyDecided(review)
    await _require_decidable(uow, actor, stage, decision)
    stale = await _what_does_not_hold(uow, actor, stage, decision)
    decided = await repository.decide(uow, actor, decision)
    facts = {"reviewId": global_id(Review.node_type, decision.review_id), "decision": decision.kind.name}
    moved = await repository.settle(uow, actor, stage, decision.kind.stage_status, facts)
    assert decided is not None  # noqa: S101 - the project is locked
    assert moved is not None  # noqa: S101
    return Decided(decided, moved, stale)


async def _require_decidable(scope: ReadScope, actor: Actor, stage: WorkflowStage, decision: Decision) -> None:
    status = StageStatus(stage.status)
    wanted = decision.kind.stage_status
    if wanted not in TRANSITIONS[status]:
        raise NotPossibleNow(
            f"attempt {stage.attempt} at the stage is {status.value.replace('_', ' ')}, and cannot become {wanted}",
            "decision",
            "generate the stage again, and decide about that" if status is StageStatus.STALE else "leave it as it is",
            {"stageId": stage.global_id, "status": status.name},
        )
    if stage.upstream_id is not None and decision.kind is not DecisionKind.REJECT:
        upstream = await repository.stage_by_id(scope, actor, StageId(stage.upstream_id))
        if upstream is not None:
            require_approved(upstream, "decision")


async def _what_does_not_hold(
    uow: UnitOfWork, actor: Actor, stage: WorkflowStage, decision: Decision
) -> Sequence[WorkflowStage]:
    """Mark as stale what a decision leaves without ground.

    That is what was built on an attempt that is not approved any more, and, where another takes its place, itself.
    """
    project_id = ProjectId(stage.project_id)
    replaced: list[WorkflowStage] = []
    if decision.kind is DecisionKind.APPROVE:
        story = (
            None if stage.story_index is None or stage.upstream_id is None else (stage.upstream_id, stage.story_index)
        )
        other = await repository.approved(uow, actor, project_id, stage.kind, story)
        replaced = [other] if other else []
    grounds = [found.id for found in replaced] or [stage.id]
    if not replaced and stage.status != StageStatus.APPROVED:
        return ()
    built = await repository.built_on(uow, actor, project_id, grounds)
    because = {"because": global_id(NODE_TYPES[stage.kind], stage.id)}
    return await repository.make_stale(uow, actor, project_id, [*replaced, *built], because)
