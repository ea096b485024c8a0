"""Finding projects, attempts at stages, and reviews."""

from typing import Annotated

import strawberry
from strawberry import field

from app.core.paging import Page, PageRequest
from app.graph.connections import After, Before, Connection, First, Last
from app.graph.context import Info
from app.graph.inputs import input_type
from app.graph.nodes import Id
from app.graph.queries import query
from app.workflow.graphql.projects import OfStage, ProjectType
from app.workflow.graphql.projects import project_id as project_named
from app.workflow.graphql.reviews import ReviewType, review_id
from app.workflow.graphql.stages import WorkflowStageType, stage_id
from app.workflow.graphql.words import ProjectOrder, Stage, WaitsFor
from app.workflow.loaders import (
    PROJECT_COLUMNS,
    STAGE_COLUMNS,
    ProjectOfRow,
    ReviewById,
    StageOfRow,
    page_of_pending_reviews,
    page_of_projects,
)
from app.workflow.models import Project, Review, WorkflowStage
from app.workflow.values import ProjectFilter, ReviewFilter

DEFAULT_PROJECTS = 50
DEFAULT_REVIEWS = 50


@input_type("Which projects: every condition that is given must hold.", name="ProjectFilter")
class ProjectFilterInput:
    text: str | None = field(default=None, description="With this in the name, in small or capital letters.")
    stage: Stage | None = field(default=None, description="At this stage, as `progress` says.")
    waits_for: WaitsFor | None = field(default=None, description="With this among what they wait for.")
    created_by: str | None = field(default=None, description="Described by this user.")

    def to_filter(self) -> ProjectFilter:
        """As the rooms below know it."""
        return ProjectFilter(self.text, self.stage, self.waits_for, self.created_by)


@strawberry.type
class FindQueries:
    @query(ProjectType | None, "A project by its id; null when it is not there, or not yours.")
    async def project(self, info: Info, id: Id) -> Project | None:
        return await info.context.loader(ProjectOfRow).load((project_named(id, "id"), PROJECT_COLUMNS.wanted(info)))

    @query(Connection[ProjectType], "The projects of your tenant, last changed first; 50 by default.")
    async def projects(
        self,
        info: Info,
        filter: Annotated[ProjectFilterInput | None, strawberry.argument(description="Which of them.")] = None,
        order_by: Annotated[
            ProjectOrder, strawberry.argument(description="In which order.")
        ] = ProjectOrder.UPDATED_AT_DESC,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Page[Project]:
        context = info.context
        wanted = filter.to_filter() if filter else ProjectFilter()
        request = PageRequest.of(first, last, after, before, DEFAULT_PROJECTS)
        order, columns = ProjectOrder(order_by), PROJECT_COLUMNS.wanted(info)
        return await page_of_projects(context.database, context.actor, wanted, order, request, columns)

    @query(
        WorkflowStageType | None,
        "An attempt at a stage by its id, of whichever stage; null when it is not there, or not yours.",
    )
    async def stage(self, info: Info, id: Id) -> WorkflowStage | None:
        found = await info.context.loader(StageOfRow).load((stage_id(id, "id"), STAGE_COLUMNS.wanted(info)))
        # Read by its key alone: an id that names another type names nothing.
        return found if found and found.global_id == id else None

    @query(ReviewType | None, "A review by its id; null when it is not there, or not yours.")
    async def review(self, info: Info, id: Id) -> Review | None:
        return await info.context.loader(ReviewById).load(review_id(id, "id"))

    @query(
        Connection[ReviewType],
        "The reviews of your tenant that are to be decided, oldest first; 50 by default. Those of stale attempts are "
        "not among them.",
    )
    async def pending_reviews(
        self,
        info: Info,
        project_id: Annotated[strawberry.ID | None, strawberry.argument(description="Only of this project.")] = None,
        stage: OfStage = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Page[Review]:
        context = info.context
        request = PageRequest.of(first, last, after, before, DEFAULT_REVIEWS)
        wanted = ReviewFilter(project_named(project_id) if project_id is not None else None, stage)
        return await page_of_pending_reviews(context.database, context.actor, wanted, request)
