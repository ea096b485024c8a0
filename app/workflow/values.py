"""Ids, words and bounds of the workflow, and which statuses a stage may go through: pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, NewType
from uuid import UUID, uuid5

from app.core.actor import Actor
from app.core.errors import ValidationError
from app.core.text import require_length, require_range
from app.prompts.values import Stage

ProjectId = NewType("ProjectId", UUID)
StageId = NewType("StageId", UUID)
ReviewId = NewType("ReviewId", UUID)

LONGEST_NAME = 255
LONGEST_DESCRIPTION = 100_000
"""Characters: some forty pages, which a model can have in view with what is to come of them."""
LONGEST_FEEDBACK = 20_000
MOST_STORIES = 50
LONGEST_TITLE = 255
LONGEST_STORY = 20_000
"""Characters of a story's description."""
MOST_CRITERIA = 50
LONGEST_CRITERION = 2_000
HIGHEST_ESTIMATE = 100
HIGHEST_VERSION = 2**31 - 1

MOST_REPAIRS = 1
"""How often a model is told what is wrong with its answer, and asked for another."""
MOST_STARTS = 5
"""Runs of one attempt that were interrupted, by a server that stopped in the middle: what stops it may be the run."""


class StageStatus(StrEnum):
    """How far an attempt at a stage is."""

    PENDING = "pending"
    """It waits for its turn: only so many of a project are generated at a time."""
    GENERATING = "generating"
    AWAITING_REVIEW = "awaiting_review"
    APPROVED = "approved"
    REJECTED = "rejected"
    FAILED = "failed"
    STALE = "stale"
    """What it was built on was replaced or rejected, or another attempt was approved in its place."""

    @property
    def live(self) -> bool:
        """Whether a model is at it, or will be."""
        return self in (StageStatus.PENDING, StageStatus.GENERATING)


TRANSITIONS: Mapping[StageStatus, frozenset[StageStatus]] = {
    StageStatus.PENDING: frozenset({StageStatus.GENERATING, StageStatus.FAILED, StageStatus.STALE}),
    StageStatus.GENERATING: frozenset({StageStatus.AWAITING_REVIEW, StageStatus.FAILED, StageStatus.STALE}),
    StageStatus.AWAITING_REVIEW: frozenset({StageStatus.APPROVED, StageStatus.REJECTED, StageStatus.STALE}),
    StageStatus.APPROVED: frozenset({StageStatus.REJECTED, StageStatus.STALE}),
    StageStatus.REJECTED: frozenset({StageStatus.APPROVED}),
    StageStatus.FAILED: frozenset(),
    StageStatus.STALE: frozenset(),
}
"""What may follow what; everything else is INVALID_TRANSITION. `docs/workflow.md` shows it as a diagram."""


def before(status: StageStatus) -> tuple[StageStatus, ...]:
    """The statuses from which a stage may come to `status`."""
    return tuple(start for start, following in TRANSITIONS.items() if status in following)


UPSTREAM: Mapping[Stage, Stage | None] = {
    Stage.REQUIREMENTS_ANALYSIS: None,
    Stage.PROJECT_PLANNING: Stage.REQUIREMENTS_ANALYSIS,
    Stage.STORY_GENERATION: Stage.PROJECT_PLANNING,
    Stage.PROMPT_GENERATION: Stage.STORY_GENERATION,
}
"""What each stage is built on."""

NODE_TYPES: Mapping[Stage, str] = {
    Stage.REQUIREMENTS_ANALYSIS: "RequirementsAnalysis",
    Stage.PROJECT_PLANNING: "ProjectPlanning",
    Stage.STORY_GENERATION: "StoryGeneration",
    Stage.PROMPT_GENERATION: "PromptGeneration",
}
"""The names of the stages' types in the graph."""


class ReviewStatus(StrEnum):
    """What the reviewers say."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


_INBOXES = UUID("0193a4c7-52e8-7b16-8d0f-94c1e7a35b28")
"""The namespace of inbox ids: any UUID that is no other's, and never another."""


class ReviewInbox(NamedTuple):
    """Whom reviews are asked of: all of a tenant, over all its projects."""

    tenant_id: str

    @classmethod
    def of(cls, actor: Actor) -> "ReviewInbox":
        """That of the actor's tenant."""
        return cls(actor.tenant_id)

    @property
    def id(self) -> UUID:
        """The id under which those who follow it are told of a new one; unique over all tenants and kinds of stream."""
        return uuid5(_INBOXES, self.tenant_id)


class DecisionKind(StrEnum):
    """What a reviewer may decide."""

    APPROVE = "approve"
    REJECT = "reject"
    REQUEST_CHANGES = "request_changes"
    """Rejects, and has another attempt generated with the feedback in the same step."""

    @property
    def review_status(self) -> ReviewStatus:
        """What the review says then."""
        return ReviewStatus.APPROVED if self is DecisionKind.APPROVE else ReviewStatus.REJECTED

    @property
    def stage_status(self) -> StageStatus:
        """What the stage is then."""
        return StageStatus.APPROVED if self is DecisionKind.APPROVE else StageStatus.REJECTED


class Priority(StrEnum):
    """How much a story matters."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class NewStory:
    """One story as a model wrote it, checked."""

    title: str
    description: str
    acceptance_criteria: tuple[str, ...]
    priority: Priority
    estimate: int
    """In story points."""


@dataclass(frozen=True, slots=True)
class NewProject:
    """A project that is about to be stored."""

    id: ProjectId
    name: str
    description: str

    def check(self) -> None:
        """Raise ValidationError for what cannot be stored."""
        check_project({"name": self.name, "description": self.description})


def check_project(fields: Mapping[str, Any]) -> None:
    """Raise ValidationError for fields of a project that cannot be stored."""
    for name, longest in (("name", LONGEST_NAME), ("description", LONGEST_DESCRIPTION)):
        if name in fields:
            if fields[name] is None:
                raise ValidationError(f"{name} must not be null", field=name, hint="leave it out to keep it")
            require_length(fields[name], name, at_least=1, at_most=longest)


@dataclass(frozen=True, slots=True)
class Wish:
    """What of a project is to be generated."""

    project_id: ProjectId
    stage: Stage
    upstream_id: StageId | None = None
    """What it is to be built on; None: the attempt at the stage before that is approved."""
    story_index: int | None = None
    """Of prompts: the story; None for all stories that have no approved prompt and none in the making."""
    model: str | None = None
    """As `provider:model`; None for the server's default."""

    def check(self) -> None:
        """Raise ValidationError, naming the field, for what cannot be meant."""
        if self.stage is Stage.REQUIREMENTS_ANALYSIS and self.upstream_id is not None:
            raise ValidationError(
                "the requirements analysis is built on the project's description alone", field="upstreamId",
                hint="leave it out",
            )  # fmt: skip
        if self.stage is not Stage.PROMPT_GENERATION and self.story_index is not None:
            raise ValidationError("only prompts are generated for a story", field="storyIndex", hint="leave it out")
        require_range(self.story_index, "storyIndex", at_least=0, at_most=MOST_STORIES - 1)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is to be made, and of what."""

    project_id: ProjectId
    stage: Stage
    upstream_id: StageId | None
    story_index: int | None
    model: str
    """As `provider:model`."""


@dataclass(frozen=True, slots=True)
class NewStage:
    """Attempts at one stage that are about to be stored: one, or of prompts one for each of some stories."""

    ids: tuple[StageId, ...]
    project_id: ProjectId
    stage: Stage
    model: str
    upstream_id: StageId | None
    story_indexes: tuple[int | None, ...]
    """As many as ids; None for a stage that is of no story."""

    @property
    def upstream_stage(self) -> Stage | None:
        """What it is built on."""
        return UPSTREAM[self.stage]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a reviewer says of a stage."""

    review_id: ReviewId
    kind: DecisionKind
    feedback: str | None = None
    expected_status: ReviewStatus = ReviewStatus.PENDING
    """What the review says now: of two who decide at once, the second learns of the first."""
    model: str | None = None
    """Of the attempt that is generated with the feedback; None for the one of the attempt before."""

    def check(self) -> None:
        """Raise ValidationError, naming the field, for what cannot be stored."""
        if self.kind is not DecisionKind.APPROVE and not (self.feedback or "").strip():
            raise ValidationError(
                "a rejection says what is to be better", field="feedback", hint="say what is wrong, or missing"
            )
        if self.feedback is not None:
            require_length(self.feedback, "feedback", at_most=LONGEST_FEEDBACK)


class WaitsFor(StrEnum):
    """What a project waits for."""

    EDITOR = "editor"
    """Somebody has a stage generated."""
    MODEL = "model"
    """An attempt is generated, or has its turn soon."""
    REVIEWER = "reviewer"
    """A review is decided."""


class ProjectOrder(StrEnum):
    """How a list of projects is ordered."""

    UPDATED_AT_DESC = "updated_at_desc"
    UPDATED_AT_ASC = "updated_at_asc"
    CREATED_AT_DESC = "created_at_desc"
    CREATED_AT_ASC = "created_at_asc"
    NAME_ASC = "name_asc"
    NAME_DESC = "name_desc"


@dataclass(frozen=True, slots=True)
class ProjectFilter:
    """Which projects of the tenant: every condition that is not None must hold."""

    text: str | None = None
    """What the name has in it, in small or capital letters."""
    stage: Stage | None = None
    """The stage that they are at."""
    waits_for: WaitsFor | None = None
    created_by: str | None = None

    def given(self) -> dict[str, object]:
        """The values of conditions that are parameters of the statement."""
        values: dict[str, object] = {"text": self.text, "created_by": self.created_by}
        return {name: value for name, value in values.items() if value is not None}

    def conditions(self) -> frozenset[str]:
        """The names of the conditions there are; of a stage and of what is waited for, each word is one of its own."""
        words = [word.value for word in (self.stage, self.waits_for) if word is not None]
        return frozenset([*self.given(), *words])


@dataclass(frozen=True, slots=True)
class StageFilter:
    """Which attempts: every condition that is not None must hold."""

    stage: Stage | None = None
    status: tuple[StageStatus, ...] | None = None

    def given(self) -> dict[str, object]:
        """The conditions there are."""
        values: dict[str, object] = {
            "stage": None if self.stage is None else self.stage.value,
            "status": None if self.status is None else [status.value for status in self.status],
        }
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class ReviewFilter:
    """Which reviews: every condition that is not None must hold."""

    project_id: ProjectId | None = None
    stage: Stage | None = None
    status: ReviewStatus | None = None

    def given(self) -> dict[str, object]:
        """The conditions there are."""
        values: dict[str, object] = {
            "project_id": self.project_id,
            "stage": None if self.stage is None else self.stage.value,
            "status": None if self.status is None else self.status.value,
        }
        return {name: value for name, value in values.items() if value is not None}
