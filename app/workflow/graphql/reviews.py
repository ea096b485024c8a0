"""What the graph shows of reviews."""

from collections.abc import Awaitable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import field

from app.core.ids import parse_global_id
from app.graph.context import Info
from app.graph.nodes import Node, OfRecords
from app.workflow.graphql.stages import WorkflowStageType
from app.workflow.graphql.words import DecisionKind, ReviewStatus, Stage
from app.workflow.loaders import (
    PROJECT_COLUMNS,
    STAGE_COLUMNS,
    DecisionsOfReview,
    ProjectOfRow,
    StageOfReview,
)
from app.workflow.models import Project, Review, ReviewDecision, WorkflowStage
from app.workflow.values import ProjectId, ReviewId

if TYPE_CHECKING:
    from app.workflow.graphql.projects import ProjectType

ProjectNode = Annotated["ProjectType", strawberry.lazy("app.workflow.graphql.projects")]


@strawberry.type(name="ReviewDecision", description="One decision of a reviewer. It never changes.")
class ReviewDecisionType(OfRecords):
    number: int = field(description="1, 2, 3 … of its review.")
    kind: DecisionKind = field(description="What was decided.")
    feedback: str | None = field(description="What the reviewer said of it.")
    decided_by: str = field(description="Who decided.")
    correlation_id: str = field(description="The request that decided: finds it in the log and in the audit trail.")
    at: datetime = field(description="When that was.")


@strawberry.type(
    name="Review", description="What reviewers say of one attempt at a stage. The last of their decisions counts."
)
class ReviewType(Node):
    stage: Stage = field(name="pipelineStage", description="Which stage it is an attempt at.")
    status: ReviewStatus = field(description="What they say.")
    service_name: str = field(description="What made the content: the model, as `provider:model`.")
    feedback: str | None = field(description="What was said with the last decision.")
    decided_by: str | None = field(description="Who decided last.")
    decided_at: datetime | None = field(description="When that was.")
    created_at: datetime = field(description="When it was begun: when the content was there.")
    updated_at: datetime = field(description="When it last changed.")

    @field(name="stage", graphql_type=WorkflowStageType | None, description="The attempt that it is about.")
    def attempt(self, info: Info, root: strawberry.Parent[Review]) -> Awaitable[WorkflowStage | None]:
        return info.context.loader(StageOfReview).load((root.id, STAGE_COLUMNS.wanted(info)))

    @field(graphql_type=str | None, description="What is to be decided about: the content of the attempt, as Markdown.")
    async def content(self, info: Info, root: strawberry.Parent[Review]) -> str | None:
        found = await info.context.loader(StageOfReview).load((root.id, STAGE_COLUMNS.whole))
        return found.content if found else None

    @field(graphql_type=list[ReviewDecisionType], description="Its decisions, in their order; the last 100.")
    def decisions(self, info: Info, root: strawberry.Parent[Review]) -> Awaitable[list[ReviewDecision]]:
        return info.context.loader(DecisionsOfReview).load(ReviewId(root.id))

    @field(graphql_type=ProjectNode | None, description="The project it belongs to.")
    def project(self, info: Info, root: strawberry.Parent[Review]) -> Awaitable[Project | None]:
        return info.context.loader(ProjectOfRow).load((ProjectId(root.project_id), PROJECT_COLUMNS.wanted(info)))


def review_id(value: str, place: str = "reviewId") -> ReviewId:
    """The id of a review from its global id; ValidationError naming `place`."""
    return ReviewId(parse_global_id(value, Review.node_type, place))
