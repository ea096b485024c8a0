"""The enums of the workflow in the graph.

In a file of their own: an input or a type that is made before its enum was described would have another of its own.
"""

from app.graph.enums import described
from app.prompts.graphql.words import Stage
from app.workflow.values import DecisionKind, Priority, ProjectOrder, ReviewStatus, StageStatus, WaitsFor

__all__ = ["DecisionKind", "Priority", "ProjectOrder", "ReviewStatus", "Stage", "StageStatus", "WaitsFor"]

described(
    StageStatus,
    "How far an attempt at a stage is.",
    {
        StageStatus.PENDING: "It waits for its turn to be generated.",
        StageStatus.GENERATING: "A model is at it: follow its run.",
        StageStatus.AWAITING_REVIEW: "It is there, and a reviewer is to decide about it.",
        StageStatus.APPROVED: "The next stage may be built on it.",
        StageStatus.REJECTED: "A reviewer wants it otherwise; it may still be approved.",
        StageStatus.FAILED: "No usable content came of it; `error` says why.",
        StageStatus.STALE: "What it was built on was replaced or rejected, or another attempt was approved instead.",
    },
)
described(
    ReviewStatus,
    "What the reviewers say of an attempt.",
    {
        ReviewStatus.PENDING: "Nothing yet.",
        ReviewStatus.APPROVED: "It is good; the last decision counts.",
        ReviewStatus.REJECTED: "It is to be otherwise; the last decision counts.",
    },
)
described(
    DecisionKind,
    "What a reviewer decides.",
    {
        DecisionKind.APPROVE: "It is good: the next stage may be built on it.",
        DecisionKind.REJECT: "It is not good; `feedback` says why.",
        DecisionKind.REQUEST_CHANGES: "It is not good, and another attempt is generated with the feedback at once.",
    },
    name="ReviewDecisionKind",
)
described(
    Priority,
    "How much a story matters.",
    {
        Priority.LOW: "It would be nice.",
        Priority.MEDIUM: "It is wanted.",
        Priority.HIGH: "There is no product without it.",
    },
    name="StoryPriority",
)
described(
    ProjectOrder,
    "How a list of projects is ordered.",
    {
        ProjectOrder.UPDATED_AT_DESC: "Where something happened last first.",
        ProjectOrder.UPDATED_AT_ASC: "Where something happened last last.",
        ProjectOrder.CREATED_AT_DESC: "Newest first.",
        ProjectOrder.CREATED_AT_ASC: "Oldest first.",
        ProjectOrder.NAME_ASC: "By name.",
        ProjectOrder.NAME_DESC: "By name, backwards.",
    },
)
described(
    WaitsFor,
    "What a project waits for.",
    {
        WaitsFor.EDITOR: "Somebody has a stage generated.",
        WaitsFor.MODEL: "An attempt is generated, or will be soon.",
        WaitsFor.REVIEWER: "A review is decided.",
    },
)
