"""What the graph shows of attempts at stages, and of stories."""

from collections.abc import Awaitable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import field

from app.core.errors import ValidationError
from app.core.ids import parse_uuid, split_global_id
from app.core.paging import Page, PageRequest
from app.execution.graphql import DEFAULT_EXECUTIONS, PromptExecutionType
from app.execution.loaders import ExecutionOfRun, ExecutionsOfGenerated
from app.execution.models import PromptExecution
from app.graph.connections import After, Before, Connection, First, Last
from app.graph.context import Info
from app.graph.errors import UserError
from app.graph.loading import Loaded
from app.graph.nodes import Node
from app.runs.graphql import RunType
from app.runs.loaders import RunById
from app.runs.models import Run
from app.runs.values import RunId
from app.workflow.graphql.words import Priority, Stage, StageStatus
from app.workflow.loaders import (
    PROJECT_COLUMNS,
    STAGE_COLUMNS,
    STORY_COLUMNS,
    ProjectOfRow,
    PromptsOfStory,
    ReviewById,
    StageOfRow,
    StagesBuiltOn,
    StoriesOfGeneration,
    StoryOfRow,
)
from app.workflow.loaders.lists import StagePage
from app.workflow.models import Project, Review, Story, WorkflowStage
from app.workflow.values import NODE_TYPES, ProjectId, ReviewId, StageId

if TYPE_CHECKING:
    from app.workflow.graphql.projects import ProjectType
    from app.workflow.graphql.reviews import ReviewType

DEFAULT_STAGES = 50

ProjectNode = Annotated["ProjectType", strawberry.lazy("app.workflow.graphql.projects")]
ReviewNode = Annotated["ReviewType", strawberry.lazy("app.workflow.graphql.reviews")]
_HERE = strawberry.lazy("app.workflow.graphql.stages")
StageNode = Annotated["WorkflowStageType", _HERE]
Analysis = Annotated["RequirementsAnalysisType", _HERE]
Planning = Annotated["ProjectPlanningType", _HERE]
Stories = Annotated["StoryGenerationType", _HERE]
Prompt = Annotated["PromptGenerationType", _HERE]


@strawberry.interface(
    name="WorkflowStage",
    description="One attempt at a stage of a project: what a model made of what was approved before. It never changes "
    "once it is there; made anew, it is another attempt.",
)
class WorkflowStageType(Node):
    kind: Stage = field(description="Which stage it is an attempt at.")
    attempt: int = field(description="1, 2, 3 … of its stage in the project; of prompts, of its story.")
    status: StageStatus = field(description="How far it is.")
    content: str | None = field(
        description="What the model made, as Markdown; null while there is nothing. Of stories, what they say."
    )
    model: str = field(description="The model, as `provider:model`.")
    error: UserError | None = field(description="Why it failed.")
    created_by: str = field(description="Who asked for it.")
    correlation_id: str = field(description="The request that asked: finds it in the log and in the audit trail.")
    created_at: datetime = field(description="When it was asked for.")
    updated_at: datetime = field(description="When its status last changed.")

    @field(graphql_type=ProjectNode | None, description="The project it belongs to.")
    def project(self, info: Info, root: strawberry.Parent[WorkflowStage]) -> Awaitable[Project | None]:
        return info.context.loader(ProjectOfRow).load((ProjectId(root.project_id), PROJECT_COLUMNS.wanted(info)))

    @field(graphql_type=ReviewNode | None, description="What the reviewers say of it; null before it is there.")
    def review(self, info: Info, root: strawberry.Parent[WorkflowStage]) -> Loaded[Review | None]:
        return info.context.loader(ReviewById).load(ReviewId(root.review_id)) if root.review_id else None

    @field(
        graphql_type=RunType | None,
        description="The run that makes it, or made it: follow it with `messageCompletion`. Null before, and where its "
        "conversation was deleted.",
    )
    def run(self, info: Info, root: strawberry.Parent[WorkflowStage]) -> Loaded[Run | None]:
        return info.context.loader(RunById).load(RunId(root.run_id)) if root.run_id else None

    @field(
        graphql_type=PromptExecutionType | None,
        description="The prompt that the run answers: the very version of the template that was used, with its values.",
    )
    async def execution(self, info: Info, root: strawberry.Parent[WorkflowStage]) -> PromptExecution | None:
        if root.run_id is None:
            return None
        run = await info.context.loader(RunById).load(RunId(root.run_id))
        return await info.context.loader(ExecutionOfRun).load(RunId(run.id)) if run else None

    @field(graphql_type=StageNode | None, description="The approved attempt at the stage before that it is built on.")
    def upstream(self, info: Info, root: strawberry.Parent[WorkflowStage]) -> Loaded[WorkflowStage | None]:
        return _upstream(info, root)

    @field(
        graphql_type=Connection[StageNode],
        description="What was built on it, attempts of the next stage, oldest first; 50 by default.",
    )
    def downstream(
        self,
        info: Info,
        root: strawberry.Parent[WorkflowStage],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Awaitable[Page[WorkflowStage]]:
        return _built_on(info, root, PageRequest.of(first, last, after, before, DEFAULT_STAGES))


def _upstream(info: Info, stage: WorkflowStage) -> Loaded[WorkflowStage | None]:
    if stage.upstream_id is None:
        return None
    return info.context.loader(StageOfRow).load((StageId(stage.upstream_id), STAGE_COLUMNS.wanted(info)))


def _built_on(info: Info, stage: WorkflowStage, request: PageRequest) -> Awaitable[Page[WorkflowStage]]:
    return info.context.loader(StagesBuiltOn).load(StagePage(stage.id, request, STAGE_COLUMNS.wanted(info)))


@strawberry.type(name="RequirementsAnalysis", description="What a project's description asks for, in order.")
class RequirementsAnalysisType(WorkflowStageType):
    @field(graphql_type=Connection[Planning], description="The plannings built on it, oldest first; 50 by default.")
    def project_plannings(
        self,
        info: Info,
        root: strawberry.Parent[WorkflowStage],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Awaitable[Page[WorkflowStage]]:
        return _built_on(info, root, PageRequest.of(first, last, after, before, DEFAULT_STAGES))


@strawberry.type(name="ProjectPlanning", description="How a project is to be made.")
class ProjectPlanningType(WorkflowStageType):
    @field(graphql_type=Analysis | None, description="The analysis that it is built on.")
    def requirements_analysis(self, info: Info, root: strawberry.Parent[WorkflowStage]) -> Loaded[WorkflowStage | None]:
        return _upstream(info, root)

    @field(
        graphql_type=Connection[Stories], description="The lists of stories built on it, oldest first; 50 by default."
    )
    def story_generations(
        self,
        info: Info,
        root: strawberry.Parent[WorkflowStage],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Awaitable[Page[WorkflowStage]]:
        return _built_on(info, root, PageRequest.of(first, last, after, before, DEFAULT_STAGES))


@strawberry.type(name="Story", description="One story of a list of stories. It never changes.")
class StoryType(Node):
    story_index: int = field(name="index", description="Its place in the list, from 0.")
    title: str = field(description="What it is about, in a line.")
    description: str = field(description="The story.")
    acceptance_criteria: list[str] = field(description="What must hold once it is made.")
    priority: Priority = field(description="How much it matters.")
    estimate: int = field(description="How much work it is, in story points.")

    @field(graphql_type=Stories | None, description="The list that it belongs to.")
    def story_generation(self, info: Info, root: strawberry.Parent[Story]) -> Awaitable[WorkflowStage | None]:
        key = (StageId(root.story_generation_id), STAGE_COLUMNS.wanted(info))
        return info.context.loader(StageOfRow).load(key)

    @field(graphql_type=Connection[Prompt], description="The attempts at a prompt for it, oldest first; 50 by default.")
    def prompt_generations(
        self,
        info: Info,
        root: strawberry.Parent[Story],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Awaitable[Page[WorkflowStage]]:
        request = PageRequest.of(first, last, after, before, DEFAULT_STAGES)
        key = ((root.story_generation_id, root.story_index), request, STAGE_COLUMNS.wanted(info))
        return info.context.loader(PromptsOfStory).load(key)


@strawberry.type(name="StoryGeneration", description="A plan as a list of user stories.")
class StoryGenerationType(WorkflowStageType):
    @field(graphql_type=Planning | None, description="The planning that it is built on.")
    def project_planning(self, info: Info, root: strawberry.Parent[WorkflowStage]) -> Loaded[WorkflowStage | None]:
        return _upstream(info, root)

    @field(graphql_type=list[StoryType], description="Its stories, in their order; at most 50.")
    def stories(self, info: Info, root: strawberry.Parent[WorkflowStage]) -> Awaitable[list[Story]]:
        return info.context.loader(StoriesOfGeneration).load((root.id, STORY_COLUMNS.wanted(info)))

    @field(
        graphql_type=Connection[Prompt],
        description="The prompts built on it, for all its stories, oldest first; 50 by default.",
    )
    def prompt_generations(
        self,
        info: Info,
        root: strawberry.Parent[WorkflowStage],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Awaitable[Page[WorkflowStage]]:
        return _built_on(info, root, PageRequest.of(first, last, after, before, DEFAULT_STAGES))


@strawberry.type(name="PromptGeneration", description="A prompt with which one story can be made.")
class PromptGenerationType(WorkflowStageType):
    story_index: int = field(description="The place of its story in the list, from 0.")

    @field(graphql_type=Stories | None, description="The list that its story belongs to.")
    def story_generation(self, info: Info, root: strawberry.Parent[WorkflowStage]) -> Loaded[WorkflowStage | None]:
        return _upstream(info, root)

    @field(graphql_type=StoryType | None, description="The story that it is for.")
    def story(self, info: Info, root: strawberry.Parent[WorkflowStage]) -> Awaitable[Story | None]:
        assert root.upstream_id is not None and root.story_index is not None  # noqa: S101, PT018 - it is a prompt
        return info.context.loader(StoryOfRow).load(((root.upstream_id, root.story_index), STORY_COLUMNS.wanted(info)))

    @field(
        graphql_type=Connection[PromptExecutionType],
        description="Its executions that you may read, newest first; 20 by default.",
    )
    def executions(
        self,
        info: Info,
        root: strawberry.Parent[WorkflowStage],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Awaitable[Page[PromptExecution]]:
        request = PageRequest.of(first, last, after, before, DEFAULT_EXECUTIONS)
        return info.context.loader(ExecutionsOfGenerated).load((root.id, request))


def stage_id(value: str, place: str, kind: Stage | None = None) -> StageId:
    """The id of an attempt from its global id, of any stage or of one; ValidationError naming `place`."""
    found, key = split_global_id(value, place)
    wanted = set(NODE_TYPES.values()) if kind is None else {NODE_TYPES[kind]}
    if found not in wanted:
        named = "WorkflowStage" if kind is None else NODE_TYPES[kind]
        raise ValidationError(
            f"{place} is the id of another type of object, not of a {named}",
            field=place,
            hint=f"pass that of a {named}",
        )
    return StageId(parse_uuid(key, place))
