"""The rows of seeded projects as COPY takes them: one record per table, with the columns that are written."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from app.db.base import Base
from app.events.models import Event
from app.seeding.rows import EventRow, Rows
from app.workflow.models import Project, Review, ReviewDecision, Story, WorkflowStage


class ProjectRow(NamedTuple):
    """A project as it stands at its end."""

    tenant_id: str
    id: UUID
    name: str
    description: str
    last_event: int
    created_by: str
    updated_by: str
    created_at: datetime
    updated_at: datetime


class ReviewRow(NamedTuple):
    """What reviewers say of an attempt."""

    tenant_id: str
    id: UUID
    project_id: UUID
    stage: str
    service_name: str
    created_at: datetime
    updated_at: datetime
    status: str = "pending"
    feedback: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    decisions: int = 0


class DecisionRow(NamedTuple):
    """One of their decisions."""

    tenant_id: str
    review_id: UUID
    number: int
    kind: str
    feedback: str | None
    decided_by: str
    correlation_id: str
    at: datetime


class StageRow(NamedTuple):
    """An attempt at a stage. No run is kept with it."""

    tenant_id: str
    id: UUID
    project_id: UUID
    stage: str
    attempt: int
    upstream_stage: str | None
    upstream_id: UUID | None
    story_index: int | None
    model: str
    created_by: str
    correlation_id: str
    created_at: datetime
    updated_at: datetime
    status: str = "pending"
    content: str | None = None
    review_id: UUID | None = None
    starts: int = 0
    error_code: str | None = None
    error_message: str | None = None
    error_facts: dict[str, Any] | None = None


class StoryRow(NamedTuple):
    """A story of a list."""

    tenant_id: str
    story_generation_id: UUID
    story_index: int
    title: str
    description: str
    acceptance_criteria: list[str]
    priority: str
    estimate: int


PROJECT_TABLES: dict[type[Any], type[Base]] = {
    ProjectRow: Project,
    ReviewRow: Review,
    DecisionRow: ReviewDecision,
    StageRow: WorkflowStage,
    StoryRow: Story,
    EventRow: Event,
}
"""Where the rows go, in an order in which foreign keys hold."""


def no_project_rows() -> Rows:
    """A place for rows of every table."""
    return {kind: [] for kind in PROJECT_TABLES}
