"""Keeps the books of a project as the statements of the workflow do: stages, reviews, decisions, and what is told."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from app.core.actor import TenantId, UserId
from app.core.ids import global_id
from app.events.values import EventKind
from app.prompts.values import Stage
from app.runs.models import Run
from app.runs.values import Failure
from app.seeding.chance import seeded_id
from app.seeding.project_rows import DecisionRow, ProjectRow, ReviewRow, StageRow, StoryRow
from app.seeding.rows import EventRow, Rows
from app.workflow.models import Project, Review
from app.workflow.stories import as_markdown
from app.workflow.values import NODE_TYPES, UPSTREAM, DecisionKind, NewStory, StageStatus

_SHARED = ""
"""The owner of a project's events: the tenant."""
_TOLD = {
    StageStatus.APPROVED: EventKind.STAGE_APPROVED,
    StageStatus.REJECTED: EventKind.STAGE_REJECTED,
}


@dataclass(frozen=True, slots=True)
class People:
    """Who works on a project, and with which model."""

    editor: UserId
    reviewer: UserId
    model: str
    """As `provider:model`."""
    correlation: str


@dataclass(slots=True)
class ProjectBooks:
    """Of one project. Rows are added to `rows` when its books are closed."""

    tenant: TenantId
    id: UUID
    name: str
    description: str
    began_at: datetime
    people: People
    chance: Random
    rows: Rows
    at: datetime = field(init=False)
    _stages: dict[UUID, StageRow] = field(default_factory=dict)
    _reviews: dict[UUID, ReviewRow] = field(default_factory=dict)
    _events: int = 0

    def __post_init__(self) -> None:
        self.at = self.began_at
        named: dict[str, object] = {"projectId": global_id(Project.node_type, self.id)}
        self._tell(EventKind.PROJECT_CREATED, named, self.people.editor)

    def wait(self, least_seconds: int, most_seconds: int) -> None:
        """Let time pass."""
        self.at += timedelta(milliseconds=self.chance.randrange(least_seconds * 1_000, most_seconds * 1_000))

    def request(
        self,
        stage: Stage,
        upstream_id: UUID | None,
        story_indexes: Sequence[int | None] = (None,),
        by: str | None = None,
    ) -> list[UUID]:
        """Ask for attempts: one, or of prompts one for each story. Their ids."""
        people, made, upstream = self.people, [], UPSTREAM[stage]
        for index in story_indexes:
            id_ = seeded_id(self.chance, self.at)
            earlier = [
                row for row in self._stages.values()
                if row.stage == stage and (index is None or (row.upstream_id, row.story_index) == (upstream_id, index))
            ]  # fmt: skip
            self._stages[id_] = StageRow(
                self.tenant, id_, self.id, stage, len(earlier) + 1, upstream, upstream_id, index, people.model,
                by or people.editor, people.correlation, self.at, self.at,
            )  # fmt: skip
            self._tell(EventKind.STAGE_REQUESTED, {"stageId": self._name(id_)}, by or people.editor)
            made.append(id_)
        return made

    def finish(self, id_: UUID, content: str | Sequence[NewStory]) -> None:
        """Have a model make an attempt, and a review wait for a decision."""
        stage = self._generate(id_)
        if not isinstance(content, str):
            self.rows[StoryRow].extend(_story_rows(self.tenant, id_, content))
            content = as_markdown(content)
        review = ReviewRow(
            self.tenant, seeded_id(self.chance, self.at), self.id, stage.stage, stage.model, self.at, self.at
        )
        self._reviews[review.id] = review
        self._move(id_, StageStatus.AWAITING_REVIEW, content=content, review_id=review.id)
        told = {"reviewId": global_id(Review.node_type, review.id), "attempt": stage.attempt}
        self._tell(EventKind.STAGE_AWAITING_REVIEW, {**told, "stageId": self._name(id_)}, stage.created_by)

    def fail(self, id_: UUID, failure: Failure) -> None:
        """Have a model try, and fail."""
        stage = self._generate(id_)
        self._move(
            id_, StageStatus.FAILED, error_code=failure.code.value, error_message=failure.message,
            error_facts=failure.facts(),
        )  # fmt: skip
        told = {"errorCode": failure.code, "attempt": stage.attempt, "stageId": self._name(id_)}
        self._tell(EventKind.STAGE_FAILED, told, stage.created_by)

    def decide(self, id_: UUID, kind: DecisionKind, feedback: str | None = None) -> None:
        """Say what a reviewer thinks of an attempt for the first time."""
        stage, people = self._stages[id_], self.people
        assert stage.review_id is not None  # noqa: S101 - it was finished
        self._reviews[stage.review_id] = self._reviews[stage.review_id]._replace(
            status=kind.review_status, feedback=feedback, decided_by=people.reviewer, decided_at=self.at,
            updated_at=self.at, decisions=1,
        )  # fmt: skip
        self.rows[DecisionRow].append(
            DecisionRow(
                self.tenant, stage.review_id, 1, kind, feedback, people.reviewer, people.correlation, self.at
            )
        )  # fmt: skip
        self._move(id_, kind.stage_status)
        told = {"reviewId": global_id(Review.node_type, stage.review_id), "decision": kind.name}
        facts = {**told, "attempt": stage.attempt, "stageId": self._name(id_)}
        self._tell(_TOLD[kind.stage_status], facts, people.reviewer)

    def close(self) -> None:
        """Add the rows of the project itself, and all that changed."""
        self.rows[ProjectRow].append(
            ProjectRow(
                self.tenant, self.id, self.name, self.description, self._events, self.people.editor,
                self.people.editor, self.began_at, self.at,
            )
        )  # fmt: skip
        self.rows[ReviewRow].extend(self._reviews.values())
        self.rows[StageRow].extend(self._stages.values())

    def _generate(self, id_: UUID) -> StageRow:
        self.wait(1, 3)
        self._move(id_, StageStatus.GENERATING, starts=1)
        stage = self._stages[id_]
        # The run's conversation was deleted since, as it may be: the events go on to name it.
        run = global_id(Run.node_type, seeded_id(self.chance, self.at))
        facts = {"runId": run, "attempt": stage.attempt, "stageId": self._name(id_)}
        self._tell(EventKind.STAGE_GENERATING, facts, stage.created_by)
        self.wait(15, 60)
        return stage

    def _move(self, id_: UUID, status: StageStatus, **changes: object) -> None:
        changed: dict[str, object] = {"status": status.value, "updated_at": self.at, **changes}
        self._stages[id_] = self._stages[id_]._replace(**changed)  # type: ignore[arg-type]

    def _name(self, id_: UUID) -> str:
        return global_id(NODE_TYPES[Stage(self._stages[id_].stage)], id_)

    def _tell(self, kind: EventKind, payload: dict[str, object], by: str) -> None:
        self._events += 1
        self.rows[EventRow].append(
            EventRow(
                self.tenant, self.id, self._events, kind, payload, by, _SHARED, self.people.correlation, self.at
            )
        )  # fmt: skip


def _story_rows(tenant: TenantId, stage_id: UUID, stories: Sequence[NewStory]) -> list[StoryRow]:
    return [
        StoryRow(
            tenant, stage_id, index, story.title, story.description, list(story.acceptance_criteria), story.priority,
            story.estimate,
        )
        for index, story in enumerate(stories)
    ]  # fmt: skip
