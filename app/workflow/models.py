"""The tables of the workflow."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    SmallInteger,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.ids import global_id
from app.db.base import Base, Json, bounded, bounded_json
from app.prompts.values import Stage
from app.runs.values import Failure
from app.workflow.values import NODE_TYPES, Attempt, ProjectId, StageId

_STAGE = "stage in ('requirements_analysis', 'project_planning', 'story_generation', 'prompt_generation')"
_UPSTREAM = """
    (stage = 'requirements_analysis' and upstream_id is null and upstream_stage is null)
    or (stage = 'project_planning' and upstream_id is not null and upstream_stage = 'requirements_analysis')
    or (stage = 'story_generation' and upstream_id is not null and upstream_stage = 'project_planning')
    or (stage = 'prompt_generation' and upstream_id is not null and upstream_stage = 'story_generation')
"""
_LIVE = "status in ('pending', 'generating')"
_A_PROMPT = "stage = 'prompt_generation'"
_NO_PROMPT = "stage <> 'prompt_generation'"
_THERE = "status in ('awaiting_review', 'approved', 'rejected')"


class Project(Base):
    """What somebody wants to have made, in their words. Shared within the tenant, as all that hangs on it."""

    __tablename__ = "projects"
    __table_args__ = (
        Index(None, "tenant_id", "updated_at", "id"),
        Index(None, "tenant_id", "created_at", "id"),
        Index(None, "tenant_id", "name", "id"),
        CheckConstraint("char_length(name) between 1 and 255", name="name_length"),
        CheckConstraint("char_length(description) between 1 and 100000", name="description_length"),
        CheckConstraint("version >= 1 and last_event >= 0", name="counters"),
    )
    node_type = "Project"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    description: Mapped[str]
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    """Counts the changes of name and description: what writers of it meet at."""
    last_event: Mapped[int] = mapped_column(server_default=text("0"))
    """The highest event number given out: its row's lock orders all that happens to the project."""
    created_by: Mapped[str]
    updated_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When something last happened to it, or to a stage of it."""


class Review(Base):
    """What reviewers say of one attempt at a stage: the last of their decisions."""

    __tablename__ = "reviews"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "project_id"], ["projects.tenant_id", "projects.id"], ondelete="CASCADE"),
        Index(None, "tenant_id", "project_id", "created_at", "id"),
        Index(
            "ix_reviews_pending", "tenant_id", "created_at", "id", postgresql_where=text("status = 'pending'")
        ),
        CheckConstraint("status in ('pending', 'approved', 'rejected')", name="status"),
        CheckConstraint(_STAGE, name="stage"),
        CheckConstraint("(status = 'pending') = (decided_at is null)", name="decided_at"),
        CheckConstraint("(decided_at is null) = (decisions = 0)", name="decisions"),
        *bounded(service_name=255, feedback=20_000),
    )  # fmt: skip
    node_type = "Review"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID]
    stage: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="pending")
    service_name: Mapped[str]
    """What made the content: the model, as `provider:model`."""
    feedback: Mapped[str | None]
    """Of the last decision."""
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decisions: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    """How many there were."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ReviewDecision(Base):
    """One decision of a reviewer. Never changed: a later one is another row."""

    __tablename__ = "review_decisions"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "review_id"], ["reviews.tenant_id", "reviews.id"], ondelete="CASCADE"),
        CheckConstraint("number >= 1", name="number"),
        CheckConstraint("kind in ('approve', 'reject', 'request_changes')", name="kind"),
        *bounded(feedback=20_000, correlation_id=255),
    )

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    review_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    """1, 2, 3 … of its review."""
    kind: Mapped[str]
    feedback: Mapped[str | None]
    decided_by: Mapped[str]
    correlation_id: Mapped[str]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class WorkflowStage(Base):
    """One attempt at a stage of a project: what a model made of what was approved before.

    All four stages in one table, for what they do is the same; what each is built on is held by a foreign key that
    names the stage too. The content never changes once it is there.
    """

    __tablename__ = "workflow_stages"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "project_id"], ["projects.tenant_id", "projects.id"], ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "project_id", "stage", "id", name="uq_workflow_stages_of_stage"),
        ForeignKeyConstraint(
            ["tenant_id", "project_id", "upstream_stage", "upstream_id"],
            ["workflow_stages.tenant_id", "workflow_stages.project_id", "workflow_stages.stage", "workflow_stages.id"],
            ondelete="CASCADE",
            name="fk_workflow_stages_upstream",
        ),
        ForeignKeyConstraint(["tenant_id", "review_id"], ["reviews.tenant_id", "reviews.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["tenant_id", "run_id"], ["runs.tenant_id", "runs.id"], ondelete="SET NULL (run_id)"),
        UniqueConstraint("tenant_id", "review_id", name="uq_workflow_stages_review_id"),
        Index(None, "tenant_id", "project_id", "created_at", "id"),
        Index(None, "tenant_id", "project_id", "stage", "status"),
        Index(None, "tenant_id", "status"),
        Index(None, "tenant_id", "upstream_id"),
        Index("ix_workflow_stages_run", "tenant_id", "run_id", postgresql_where=text("run_id is not null")),
        # For upkeep, which is every tenant's.
        Index("ix_workflow_stages_live", "updated_at", postgresql_where=text(_LIVE)),
        Index(
            "uq_workflow_stages_attempt", "tenant_id", "project_id", "stage", "attempt", unique=True,
            postgresql_where=text(_NO_PROMPT),
        ),
        Index(
            "uq_workflow_stages_prompt_attempt", "tenant_id", "upstream_id", "story_index", "attempt", unique=True,
            postgresql_where=text(_A_PROMPT),
        ),
        # One attempt at a time, and one that is approved.
        Index(
            "uq_workflow_stages_live", "tenant_id", "project_id", "stage", unique=True,
            postgresql_where=text(f"{_LIVE} and {_NO_PROMPT}"),
        ),
        Index(
            "uq_workflow_stages_live_prompt", "tenant_id", "upstream_id", "story_index", unique=True,
            postgresql_where=text(f"{_LIVE} and {_A_PROMPT}"),
        ),
        Index(
            "uq_workflow_stages_approved", "tenant_id", "project_id", "stage", unique=True,
            postgresql_where=text(f"status = 'approved' and {_NO_PROMPT}"),
        ),
        Index(
            "uq_workflow_stages_approved_prompt", "tenant_id", "upstream_id", "story_index", unique=True,
            postgresql_where=text(f"status = 'approved' and {_A_PROMPT}"),
        ),
        CheckConstraint(_STAGE, name="stage"),
        CheckConstraint(_UPSTREAM, name="upstream"),
        CheckConstraint(f"({_A_PROMPT}) = (story_index is not null)", name="story_index"),
        CheckConstraint("story_index between 0 and 49", name="story_index_range"),
        CheckConstraint(
            "status in ('pending', 'generating', 'awaiting_review', 'approved', 'rejected', 'failed', 'stale')",
            name="status",
        ),
        CheckConstraint(f"not ({_THERE}) or (content is not null and review_id is not null)", name="content"),
        CheckConstraint("(status = 'failed') = (error_code is not null)", name="error"),
        CheckConstraint("attempt >= 1 and starts >= 0 and repairs >= 0", name="counters"),
        *bounded(content=1_000_000, model=255, error_code=255, error_message=4_000, correlation_id=255),
        *bounded_json("error_facts"),
    )  # fmt: skip

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID]
    stage: Mapped[str]
    attempt: Mapped[int] = mapped_column(Integer)
    """1, 2, 3 … of the project's stage; of prompts, of one story of one list of stories."""
    upstream_stage: Mapped[str | None]
    upstream_id: Mapped[UUID | None]
    """The attempt at the stage before that it is built on."""
    story_index: Mapped[int | None] = mapped_column(SmallInteger)
    status: Mapped[str] = mapped_column(server_default="pending")
    content: Mapped[str | None]
    """Markdown. Of stories what `Story` rows say, for reviewers and models."""
    model: Mapped[str]
    """As `provider:model`."""
    review_id: Mapped[UUID | None]
    run_id: Mapped[UUID | None]
    """The run that makes it, or made it; None before, and where the run's conversation was deleted."""
    starts: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    """Runs that were begun for it, those that repair an answer left out."""
    repairs: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    error_code: Mapped[str | None]
    error_message: Mapped[str | None]
    error_facts: Mapped[Json | None]
    created_by: Mapped[str]
    correlation_id: Mapped[str]
    """The request that asked."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())

    @property
    def kind(self) -> Stage:
        """Which stage it is an attempt at."""
        return Stage(self.stage)

    @property
    def as_attempt(self) -> Attempt:
        """What it is made of."""
        upstream = None if self.upstream_id is None else StageId(self.upstream_id)
        return Attempt(ProjectId(self.project_id), Stage(self.stage), upstream, self.story_index, self.model)

    @property
    def node_type(self) -> str:  # type: ignore[override]  # of each row its own
        """The graph's type: each stage is one."""
        return NODE_TYPES[Stage(self.stage)]

    @property
    def error(self) -> Failure | None:
        """Why it failed."""
        return Failure.stored(self.error_code, self.error_message, self.error_facts)


class Story(Base):
    """One story of a list of stories. Never changed."""

    __tablename__ = "stories"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "story_generation_id"], ["workflow_stages.tenant_id", "workflow_stages.id"],
            ondelete="CASCADE",
        ),
        CheckConstraint("story_index between 0 and 49", name="story_index"),
        CheckConstraint("char_length(title) between 1 and 255", name="title_length"),
        CheckConstraint("char_length(description) between 1 and 20000", name="description_length"),
        CheckConstraint("priority in ('low', 'medium', 'high')", name="priority"),
        CheckConstraint("estimate between 0 and 100", name="estimate"),
    )  # fmt: skip
    node_type = "Story"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    story_generation_id: Mapped[UUID] = mapped_column(primary_key=True)
    story_index: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    """From 0, in the order in which the model told them."""
    title: Mapped[str]
    description: Mapped[str]
    acceptance_criteria: Mapped[list[str]]
    priority: Mapped[str]
    estimate: Mapped[int] = mapped_column(SmallInteger)
    """In story points."""

    @property
    def global_id(self) -> str:
        """Relay's id: a story is named by its list and its place in it."""
        return global_id(self.node_type, f"{self.story_generation_id}:{self.story_index}")
