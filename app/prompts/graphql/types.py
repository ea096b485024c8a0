"""What the graph shows of prompts."""

from collections.abc import Awaitable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import field

from app.core.ids import parse_global_id
from app.core.paging import Page, PageRequest
from app.execution.loaders import ExecutionsOfVersion, StatisticsOfTemplate, StatisticsOfVersion
from app.execution.models import PromptExecution
from app.execution.values import ExecutionStatistics
from app.graph.connections import After, Before, Connection, First, Last
from app.graph.context import Info
from app.graph.loading import Loaded
from app.graph.nodes import Node
from app.graph.scalars import Json
from app.prompts.graphql.diff import PromptDiffType, diff_of
from app.prompts.graphql.words import ChangeKind, PromptType, Stage, VariableType
from app.prompts.loaders import (
    TEMPLATE_COLUMNS,
    VERSION_COLUMNS,
    ChangesOfTemplate,
    LabelsOfTemplate,
    SaverOfVersion,
    TemplateOfRow,
    VersionNumbered,
    VersionsOfTemplate,
)
from app.prompts.models import PromptLabel, PromptTemplate, PromptTemplateChange, PromptTemplateVersion
from app.prompts.values import TemplateId, VersionId
from app.workflow.loaders import PROJECT_COLUMNS, ProjectOfRow, project_named
from app.workflow.models import Project

if TYPE_CHECKING:
    from app.execution.graphql import PromptExecutionStatisticsType, PromptExecutionType
    from app.workflow.graphql import ProjectType

DEFAULT_EXECUTIONS = 20
DEFAULT_VERSIONS = 20
DEFAULT_CHANGES = 50


@strawberry.type(name="PromptVariable", description="A variable that a prompt template declares.")
class PromptVariableType:
    name: str = field(description="Its name in the text.")
    type: VariableType = field(description="What its value must be.")
    description: str | None = field(description="What to put there.")
    required: bool = field(description="Whether a value must be given; one with a default is never required.")
    default: Json | None = field(description="Its value where none is given; null where there is no default.")


VersionNode = Annotated["PromptTemplateVersionType", strawberry.lazy("app.prompts.graphql.types")]
ExecutionNode = Annotated["PromptExecutionType", strawberry.lazy("app.execution.graphql")]
ProjectNode = Annotated["ProjectType", strawberry.lazy("app.workflow.graphql")]
StatisticsOf = Annotated["PromptExecutionStatisticsType", strawberry.lazy("app.execution.graphql")]
TemplateNode = Annotated["PromptTemplateType", strawberry.lazy("app.prompts.graphql.types")]


@strawberry.type(name="PromptLabel", description="A name for one version of a prompt template, such as `production`.")
class PromptLabelType:
    label: str = field(description="The name.")
    version: int = field(description="The number of the version that it points to.")
    moved_by: str = field(description="Who set it there.")
    moved_at: datetime = field(description="When that was.")

    @field(graphql_type=VersionNode | None, description="The version that it points to.")
    def template_version(
        self, info: Info, root: strawberry.Parent[PromptLabel]
    ) -> Awaitable[PromptTemplateVersion | None]:
        key = (TemplateId(root.template_id), root.version, VERSION_COLUMNS.wanted(info))
        return info.context.loader(VersionNumbered).load(key)


@strawberry.type(name="PromptTemplateChange", description="One line of a prompt template's history.")
class PromptTemplateChangeType:
    revision: int = field(description="1, 2, 3 …: which change of the template it was.")
    kind: ChangeKind = field(description="What was done.")
    label: str | None = field(description="The label, where one was set, moved or removed.")
    from_version: int | None = field(description="The version where the label was before; null where it is new.")
    version: int | None = field(description="The version that was added, or that the label was set to.")
    actor: str = field(description="Who did it.")
    correlation_id: str = field(description="The request in which it was done.")
    at: datetime = field(description="When it was done.")


@strawberry.type(
    name="PromptTemplate",
    description="A reusable text of the tenant's library, as its latest version says it. Its earlier versions stay.",
)
class PromptTemplateType(Node):
    name: str = field(description="Its name, unique in its project and organization.")
    description: str | None = field(description="What it is for.")
    content: str = field(description="The text.")
    type: PromptType = field(description="What it is for, in a word.")
    declared: list[PromptVariableType] = field(
        name="declaredVariables", description="The variables that its text may use."
    )
    project_id: str | None = field(description="The project it belongs to, as the application names it.")
    organization_id: str | None = field(description="The organization it belongs to, as the application names it.")
    stage: Stage | None = field(description="The stage of projects that it is for; null for any other use.")
    enabled: bool = field(
        description="Whether it is the one to use in its project; at most one of a project is for each stage, and one "
        "for no stage."
    )
    version: int = field(description="The number of its latest version. Send it as `expectedVersion` to update it.")
    revision: int = field(description="How often it was changed in any way: the length of its history.")
    created_by: str = field(description="Who made it.")
    created_at: datetime = field(description="When it was made.")
    updated_by: str = field(description="Who changed it last.")
    updated_at: datetime = field(description="When it was last changed in any way.")
    deleted_at: datetime | None = field(
        description="When it was deleted; null while it is there. A deleted one is found by its id alone."
    )

    @field(
        graphql_type=ProjectNode | None,
        description="The project of the workflow that `projectId` is the id of; null where it names none.",
    )
    def project(self, info: Info, root: strawberry.Parent[PromptTemplate]) -> Loaded[Project | None]:
        found = project_named(root.project_id)
        return info.context.loader(ProjectOfRow).load((found, PROJECT_COLUMNS.wanted(info))) if found else None

    @field(graphql_type=VersionNode | None, description="Its latest version.")
    def latest_version(
        self, info: Info, root: strawberry.Parent[PromptTemplate]
    ) -> Awaitable[PromptTemplateVersion | None]:
        key = (TemplateId(root.id), root.version, VERSION_COLUMNS.wanted(info))
        return info.context.loader(VersionNumbered).load(key)

    @field(description="What differs between two of its versions, line by line.")
    async def diff(
        self,
        info: Info,
        root: strawberry.Parent[PromptTemplate],
        from_: Annotated[int, strawberry.argument(description="The version it begins with.", name="from")],
        to: Annotated[int, strawberry.argument(description="The version it leads to.")],
    ) -> PromptDiffType:
        return await diff_of(info, TemplateId(root.id), from_, to)

    @field(graphql_type=list[PromptLabelType], description="Its labels, by name; at most 50.")
    def labels(self, info: Info, root: strawberry.Parent[PromptTemplate]) -> Awaitable[list[PromptLabel]]:
        return info.context.loader(LabelsOfTemplate).load(TemplateId(root.id))

    @field(graphql_type=Connection[VersionNode], description="All its versions, newest first; 20 by default.")
    def versions(
        self,
        info: Info,
        root: strawberry.Parent[PromptTemplate],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Awaitable[Page[PromptTemplateVersion]]:
        request = PageRequest.of(first, last, after, before, DEFAULT_VERSIONS)
        return info.context.loader(VersionsOfTemplate).load((root.id, request, VERSION_COLUMNS.wanted(info)))

    @field(
        graphql_type=Connection[PromptTemplateChangeType],
        description="All that was ever done to it, last change first; 50 by default.",
    )
    def history(
        self,
        info: Info,
        root: strawberry.Parent[PromptTemplate],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Awaitable[Page[PromptTemplateChange]]:
        request = PageRequest.of(first, last, after, before, DEFAULT_CHANGES)
        return info.context.loader(ChangesOfTemplate).load((root.id, request))

    @field(graphql_type=StatisticsOf, description="What the executions of all its versions add up to.")
    def statistics(self, info: Info, root: strawberry.Parent[PromptTemplate]) -> Awaitable[ExecutionStatistics]:
        return info.context.loader(StatisticsOfTemplate).load(TemplateId(root.id))


@strawberry.type(name="PromptTemplateVersion", description="What a prompt template said at one time. It never changes.")
class PromptTemplateVersionType(Node):
    version: int = field(description="Its number: 1, 2, 3 … of its template.")
    name: str = field(description="The name that the template had.")
    description: str | None = field(description="What it was for.")
    content: str = field(description="The text.")
    type: PromptType = field(description="What it was for, in a word.")
    declared: list[PromptVariableType] = field(name="variables", description="The variables that the text may use.")
    created_at: datetime = field(description="When it was saved.")

    @field(graphql_type=TemplateNode | None, description="The template, as it is now.")
    def template(self, info: Info, root: strawberry.Parent[PromptTemplateVersion]) -> Awaitable[PromptTemplate | None]:
        return info.context.loader(TemplateOfRow).load((TemplateId(root.template_id), TEMPLATE_COLUMNS.wanted(info)))

    @field(graphql_type=list[PromptLabelType], description="The labels that point to it, by name.")
    async def labels(self, info: Info, root: strawberry.Parent[PromptTemplateVersion]) -> list[PromptLabel]:
        found = await info.context.loader(LabelsOfTemplate).load(TemplateId(root.template_id))
        return [label for label in found if label.version == root.version]

    @field(graphql_type=str | None, description="Who saved it, as the history says.")
    def saved_by(self, info: Info, root: strawberry.Parent[PromptTemplateVersion]) -> Awaitable[str | None]:
        return info.context.loader(SaverOfVersion).load((TemplateId(root.template_id), root.version))

    @field(
        graphql_type=Connection[ExecutionNode],
        description="Its executions that you may read, newest first; 20 by default. `statistics` counts all of them.",
    )
    def executions(
        self,
        info: Info,
        root: strawberry.Parent[PromptTemplateVersion],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Awaitable[Page[PromptExecution]]:
        request = PageRequest.of(first, last, after, before, DEFAULT_EXECUTIONS)
        return info.context.loader(ExecutionsOfVersion).load((root.id, request))

    @field(graphql_type=StatisticsOf, description="What all its executions add up to, whoever asked.")
    def statistics(self, info: Info, root: strawberry.Parent[PromptTemplateVersion]) -> Awaitable[ExecutionStatistics]:
        return info.context.loader(StatisticsOfVersion).load(VersionId(root.id))


def template_id(value: str, place: str = "templateId") -> TemplateId:
    """The id of a template from its global id; ValidationError naming `place`."""
    return TemplateId(parse_global_id(value, PromptTemplate.node_type, place))
