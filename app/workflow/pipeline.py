"""How a project, its stages and their reviews are changed: each in one transaction, told apart by its client key."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from app.core.actor import Actor
from app.db.database import Database
from app.idempotency.values import ClientKey
from app.workflow.models import Project, Review, WorkflowStage
from app.workflow.values import Decision, NewProject, ProjectId, Wish


@dataclass(frozen=True, slots=True)
class ProjectOutcome:
    """The project after a change; None where it was deleted."""

    project: Project | None
    deduplicated: bool = False


@dataclass(frozen=True, slots=True)
class StageOutcome:
    """What was asked to be generated: one attempt, or of prompts one for each story, in their order."""

    stages: Sequence[WorkflowStage]
    deduplicated: bool = False


@dataclass(frozen=True, slots=True)
class ReviewOutcome:
    """A review after a decision, with its stage."""

    review: Review
    stage: WorkflowStage
    regenerated: WorkflowStage | None = None
    """The attempt that is made with the feedback."""
    stale: Sequence[WorkflowStage] = field(default_factory=tuple)
    """What became stale by it."""
    deduplicated: bool = False


@dataclass(frozen=True, slots=True)
class WorkflowPipeline:
    """One per process, without state."""

    async def create(self, database: Database, actor: Actor, new: NewProject, key: ClientKey | None) -> ProjectOutcome:
        """Store a project. ValidationError, NotForYou, KeyReused."""
        raise NotImplementedError

    async def update(
        self,
        database: Database,
        actor: Actor,
        project_id: ProjectId,
        expected_version: int | None,
        changes: dict[str, Any],
        key: ClientKey | None,
    ) -> ProjectOutcome:
        """Change name or description. ValidationError, NotForYou, ProjectNotFound, ProjectChanged, KeyReused."""
        raise NotImplementedError

    async def delete(
        self, database: Database, actor: Actor, project_id: ProjectId, key: ClientKey | None
    ) -> ProjectOutcome:
        """Delete a project with all that hangs on it, also what is being generated. ProjectNotFound, NotForYou."""
        raise NotImplementedError

    async def generate(self, database: Database, actor: Actor, wish: Wish, key: ClientKey | None) -> StageOutcome:
        """Have a stage generated. ValidationError, NotForYou, ProjectNotFound, StageNotFound, StoryNotFound,
        NotPossibleNow, MaterialTooLong, TemplateNotFound, ProviderNotConfigured, BudgetExceeded, KeyReused.
        """
        raise NotImplementedError

    async def decide(
        self, database: Database, actor: Actor, decision: Decision, key: ClientKey | None
    ) -> ReviewOutcome:
        """Approve or reject an attempt. ValidationError, NotForYou, ReviewNotFound, AlreadyDecided, NotPossibleNow."""
        raise NotImplementedError
