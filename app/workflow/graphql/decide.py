"""Deciding about what was generated."""

import strawberry
from strawberry import field

from app.graph.context import Info
from app.graph.inputs import input_type
from app.graph.payloads import Changed, Payload, mutation
from app.idempotency.graphql import KEY_DESCRIPTION, client_key
from app.workflow.errors import AlreadyDecided
from app.workflow.graphql.reviews import ReviewType, review_id
from app.workflow.graphql.stages import WorkflowStageType
from app.workflow.graphql.words import DecisionKind, ReviewStatus
from app.workflow.pipeline import WorkflowPipeline
from app.workflow.values import Decision


@input_type("A decision about an attempt at a stage.")
class DecideReviewInput:
    review_id: strawberry.ID = field(description="The review.")
    decision: DecisionKind = field(description="What is decided.")
    feedback: str | None = field(
        default=None, description="What is said of it, at most 20,000 characters; needed to reject it."
    )
    expected_status: ReviewStatus = field(
        default=ReviewStatus.PENDING,
        description="What the review said when you decided: of two reviewers the second is refused with "
        "ALREADY_DECIDED. To change a decision, send what the review says now.",
    )
    model: str | None = field(
        default=None,
        description="The model that makes the next attempt where changes are requested, as `provider:model`; by "
        "default the one of this attempt.",
    )
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@strawberry.type(description="What decideReview answers.")
class DecideReviewPayload(Payload):
    review: ReviewType | None = field(
        description="The review after the decision; where it had been decided otherwise, as it is."
    )
    stage: WorkflowStageType | None = field(description="The attempt that it is about.")
    regenerated: WorkflowStageType | None = field(
        description="The attempt that is made with the feedback, where changes were requested."
    )
    stale: list[WorkflowStageType] | None = field(description="What became stale by the decision.")


@strawberry.type
class DecideMutations:
    @mutation(
        DecideReviewPayload,
        "Approve an attempt at a stage, reject it, or have it made anew with your feedback, for reviewers.",
    )
    async def decide_review(self, info: Info, input: DecideReviewInput) -> Changed:
        decision = Decision(
            review_id(input.review_id),
            DecisionKind(input.decision),
            input.feedback,
            ReviewStatus(input.expected_status),
            input.model,
        )
        context, key = info.context, client_key(info, input)
        try:
            outcome = await context.service(WorkflowPipeline).decide(context.database, context.actor, decision, key)
        except AlreadyDecided as conflict:
            return Changed({"review": conflict.current}, refused=conflict)
        objects = {
            "review": outcome.review, "stage": outcome.stage, "regenerated": outcome.regenerated,
            "stale": outcome.stale,
        }  # fmt: skip
        return Changed(objects, outcome.deduplicated)
