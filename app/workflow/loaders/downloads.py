"""Reads of what is downloaded: the prompts of a project, and one prompt."""

from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Text, Uuid, any_, literal, select, true

from app.core.actor import Actor
from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.prompts.values import Stage
from app.workflow.bundle import BundledPrompt, BundledStory, Included, ProjectPrompts
from app.workflow.errors import ProjectNotFound
from app.workflow.fragments import projects, reviews, stages, stories
from app.workflow.values import ProjectId, StageId, StageStatus


class _StoryRow(NamedTuple):
    """A project with a story of its approved list; without one where there is none."""

    project_name: str
    story_generation_id: UUID | None
    story_attempt: int | None
    story_index: int | None
    title: str | None
    priority: str | None
    estimate: int | None
    newest_status: str | None
    prompt_id: UUID | None
    prompt_status: str | None
    prompt_attempt: int | None
    content: str | None
    model: str | None
    decided_by: str | None
    decided_at: datetime | None


class GeneratedPrompt(NamedTuple):
    """An attempt at the prompt of a story."""

    project_id: UUID
    status: str
    content: str | None
    """None where no model has made it."""
    story_index: int
    title: str


def _prompts_of_project() -> Query[_StoryRow]:
    # One statement, so that it is all of one moment: what a reviewer decides meanwhile is in it whole, or not at all.
    lists = stages.alias("lists")
    attempts = stages.alias("attempts")
    of_story = (
        attempts.c.tenant_id == stories.c.tenant_id,
        attempts.c.upstream_id == stories.c.story_generation_id,
        attempts.c.story_index == stories.c.story_index,
        attempts.c.stage == literal(Stage.PROMPT_GENERATION.value, Text),
    )
    newest = (
        select(attempts.c.status)
        .where(*of_story)
        .order_by(attempts.c.attempt.desc())
        .limit(literal(1, BigInteger))
        .correlate(stories)
        .lateral("newest")
    )
    is_approved = attempts.c.status == literal(StageStatus.APPROVED.value, Text)
    chosen = (
        select(
            attempts.c.id, attempts.c.status, attempts.c.attempt, attempts.c.content, attempts.c.model,
            reviews.c.decided_by, reviews.c.decided_at,
        )
        .outerjoin(reviews, (reviews.c.tenant_id == attempts.c.tenant_id) & (reviews.c.id == attempts.c.review_id))
        .where(*of_story, (attempts.c.status == any_(param("statuses", ARRAY(Text)))).is_(true()))
        .order_by(is_approved.desc(), attempts.c.attempt.desc())
        .limit(literal(1, BigInteger))
        .correlate(stories)
        .lateral("chosen")
    )  # fmt: skip
    is_approved_list = (
        (lists.c.tenant_id == projects.c.tenant_id)
        & (lists.c.project_id == projects.c.id)
        & (lists.c.stage == literal(Stage.STORY_GENERATION.value, Text))
        & (lists.c.status == literal(StageStatus.APPROVED.value, Text))
    )
    of_list = (stories.c.tenant_id == lists.c.tenant_id) & (stories.c.story_generation_id == lists.c.id)
    found = (
        projects.outerjoin(lists, is_approved_list)
        .outerjoin(stories, of_list)
        .outerjoin(newest, true())
        .outerjoin(chosen, true())
    )
    return Query(
        _StoryRow,
        select(
            projects.c.name.label("project_name"), lists.c.id.label("story_generation_id"),
            lists.c.attempt.label("story_attempt"), stories.c.story_index, stories.c.title, stories.c.priority,
            stories.c.estimate, newest.c.status.label("newest_status"), chosen.c.id.label("prompt_id"),
            chosen.c.status.label("prompt_status"), chosen.c.attempt.label("prompt_attempt"), chosen.c.content,
            chosen.c.model, chosen.c.decided_by, chosen.c.decided_at,
        )
        .select_from(found)
        .where(projects.c.tenant_id == param("tenant_id", Text), projects.c.id == param("project_id", Uuid))
        .order_by(stories.c.story_index),
    )  # fmt: skip


_PROMPTS_OF_PROJECT = _prompts_of_project()

_PROMPT = Query(
    GeneratedPrompt,
    select(stages.c.project_id, stages.c.status, stages.c.content, stages.c.story_index, stories.c.title)
    .join(
        stories,
        (stories.c.tenant_id == stages.c.tenant_id)
        & (stories.c.story_generation_id == stages.c.upstream_id)
        & (stories.c.story_index == stages.c.story_index),
    )
    .where(
        stages.c.tenant_id == param("tenant_id", Text),
        stages.c.id == param("stage_id", Uuid),
        stages.c.stage == literal(Stage.PROMPT_GENERATION.value, Text),
    ),
)


async def prompts_of_project(
    scope: ReadScope, actor: Actor, project_id: ProjectId, included: Included
) -> ProjectPrompts:
    """The stories of the approved list with the prompts that are wanted, as they are at one moment. ProjectNotFound."""
    rows = await scope.all(
        _PROMPTS_OF_PROJECT, tenant_id=actor.tenant_id, project_id=project_id, statuses=included.statuses
    )
    if not rows:
        raise ProjectNotFound
    first = rows[0]
    return ProjectPrompts(
        project_id,
        first.project_name,
        StageId(first.story_generation_id) if first.story_generation_id else None,
        first.story_attempt or 0,
        tuple(_story(row, row.story_index) for row in rows if row.story_index is not None),
    )


async def prompt_generated(scope: ReadScope, actor: Actor, stage_id: StageId) -> GeneratedPrompt | None:
    """An attempt at a prompt, whatever became of it; None where the tenant has no such."""
    return await scope.first(_PROMPT, tenant_id=actor.tenant_id, stage_id=stage_id)


def _story(row: _StoryRow, index: int) -> BundledStory:
    status = row.prompt_status or row.newest_status
    return BundledStory(
        index,
        row.title or "",
        row.priority or "",
        row.estimate or 0,
        StageStatus(status) if status else None,
        _prompt(row),
    )


def _prompt(row: _StoryRow) -> BundledPrompt | None:
    if row.prompt_id is None:
        return None
    return BundledPrompt(
        StageId(row.prompt_id),
        row.prompt_attempt or 0,
        row.content or "",
        row.model or "",
        row.decided_by,
        row.decided_at and row.decided_at.astimezone(UTC),
    )
