"""The workflow in the graph."""

import strawberry

from app.workflow.graphql.change import ChangeMutations
from app.workflow.graphql.decide import DecideMutations
from app.workflow.graphql.find import FindQueries
from app.workflow.graphql.follow import WorkflowSubscriptions
from app.workflow.graphql.generate import GenerateMutations
from app.workflow.graphql.projects import ProjectType, project_id
from app.workflow.graphql.reviews import ReviewType, review_id
from app.workflow.graphql.stages import PromptGenerationType, WorkflowStageType, stage_id

__all__ = [
    "ProjectType",
    "PromptGenerationType",
    "ReviewType",
    "WorkflowMutations",
    "WorkflowQueries",
    "WorkflowStageType",
    "WorkflowSubscriptions",
    "project_id",
    "review_id",
    "stage_id",
]


@strawberry.type
class WorkflowQueries(FindQueries):
    pass


@strawberry.type
class WorkflowMutations(ChangeMutations, GenerateMutations, DecideMutations):
    pass
