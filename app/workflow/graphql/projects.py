"""What the graph shows of projects."""

from collections.abc import Awaitable
from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import field

from app.core.ids import parse_global_id
from app.core.paging import Page, PageRequest
from app.graph.connections import After, Before, Connection, First, Last
from app.graph.context import Info
from app.graph.nodes import Node
from app.workflow.graphql.progress import ProjectProgressType
from app.workflow.graphql.reviews import ReviewType
from app.workflow.graphql.stages import DEFAULT_STAGES, RequirementsAnalysisType, WorkflowStageType
from app.workflow.graphql.words import ReviewStatus, Stage, StageStatus
from app.workflow.loaders import STAGE_COLUMNS, ProgressOfProject, ReviewsOfProject, StagesOfProject
from app.workflow.loaders.lists import StagePage
from app.workflow.models import Project, Review, WorkflowStage
from app.workflow.progress import ProjectProgress
from app.workflow.values import ProjectId, ReviewFilter, StageFilter

DEFAULT_REVIEWS = 50

OfStage = Annotated[Stage | None, strawberry.argument(description="Only those of this stage.")]


@strawberry.type(
    name="Project",
    description="What somebody wants to have made, in their words, and all that came of it. Shared within the tenant: "
    "members read, editors have stages generated, reviewers decide about them.",
)
class ProjectType(Node):
    name: str = field(description="Its name.")
    description: str = field(description="What is to be made.")
    version: int = field(
        description="1, 2, 3 …: counts the changes of name and description. Send it as `expectedVersion` to update it."
    )
    created_by: str = field(description="Who described it.")
    updated_by: str = field(description="Who changed name or description last.")
    created_at: datetime = field(description="When it was described.")
    updated_at: datetime = field(description="When something last happened to it, or to a stage of it.")

    @field(graphql_type=ProjectProgressType, description="How far it is, and what it waits for.")
    def progress(self, info: Info, root: strawberry.Parent[Project]) -> Awaitable[ProjectProgress]:
        return info.context.loader(ProgressOfProject).load(ProjectId(root.id))

    @field(
        graphql_type=Connection[WorkflowStageType],
        description="All attempts at its stages, oldest first; 50 by default.",
    )
    def stages(
        self,
        info: Info,
        root: strawberry.Parent[Project],
        stage: OfStage = None,
        status: Annotated[
            list[StageStatus] | None, strawberry.argument(description="Only those with one of these statuses.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Awaitable[Page[WorkflowStage]]:
        wanted = StageFilter(stage, None if status is None else tuple(sorted(set(status))))
        return _stages(info, root, wanted, PageRequest.of(first, last, after, before, DEFAULT_STAGES))

    @field(
        graphql_type=Connection[RequirementsAnalysisType],
        description="The attempts at its first stage, on which all others are built, oldest first; 50 by default.",
    )
    def requirements_analyses(
        self,
        info: Info,
        root: strawberry.Parent[Project],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Awaitable[Page[WorkflowStage]]:
        wanted = StageFilter(Stage.REQUIREMENTS_ANALYSIS)
        return _stages(info, root, wanted, PageRequest.of(first, last, after, before, DEFAULT_STAGES))

    @field(graphql_type=Connection[ReviewType], description="Its reviews, oldest first; 50 by default.")
    def reviews(
        self,
        info: Info,
        root: strawberry.Parent[Project],
        stage: OfStage = None,
        status: Annotated[ReviewStatus | None, strawberry.argument(description="Only those that say this.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Awaitable[Page[Review]]:
        request = PageRequest.of(first, last, after, before, DEFAULT_REVIEWS)
        wanted = ReviewFilter(stage=stage, status=status)
        return info.context.loader(ReviewsOfProject).load((root.id, request, wanted))


def _stages(info: Info, project: Project, wanted: StageFilter, request: PageRequest) -> Awaitable[Page[WorkflowStage]]:
    return info.context.loader(StagesOfProject).load(StagePage(project.id, request, STAGE_COLUMNS.wanted(info), wanted))


def project_id(value: str, place: str = "projectId") -> ProjectId:
    """The id of a project from its global id; ValidationError naming `place`."""
    return ProjectId(parse_global_id(value, Project.node_type, place))
