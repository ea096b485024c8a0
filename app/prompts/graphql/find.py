"""Finding prompts."""

from collections.abc import Awaitable
from math import ceil
from typing import Annotated

import strawberry
from strawberry import field

from app.core.paging import Page, PageRequest
from app.graph.connections import After, Before, Connection, First, Last
from app.graph.context import Info
from app.graph.inputs import input_type
from app.graph.nodes import Id
from app.graph.queries import query
from app.prompts.graphql.types import PromptTemplateType, template_id
from app.prompts.graphql.words import PromptType, Stage, TemplateOrder
from app.prompts.loaders import (
    TEMPLATE_COLUMNS,
    TemplateCount,
    TemplateOfRow,
    enabled_template,
    numbered_page,
    page_of_templates,
    template_named,
)
from app.prompts.models import PromptTemplate
from app.prompts.values import NumberedPage, Place, Slot, TemplateFilter

DEFAULT_TEMPLATES = 50

ProjectId = Annotated[
    str | None, strawberry.argument(description="The project it belongs to; left out: to none.", name="projectId")
]
OrganizationId = Annotated[
    str | None,
    strawberry.argument(description="The organization it belongs to; left out: to none.", name="organizationId"),
]


@input_type("Which prompt templates: every condition that is given must hold.", name="PromptTemplateFilter")
class PromptTemplateFilterInput:
    project_id: str | None = field(default=None, description="Of this project.")
    organization_id: str | None = field(default=None, description="Of this organization.")
    enabled: bool | None = field(default=None, description="Enabled, or not enabled.")
    type: PromptType | None = field(default=None, description="For this purpose.")
    text: str | None = field(default=None, description="With this in the name, in small or capital letters.")
    label: str | None = field(default=None, description="With a version that has this label.")
    stage: Stage | None = field(default=None, description="For this stage of projects.")

    def to_filter(self) -> TemplateFilter:
        """As the rooms below know it."""
        type_ = None if self.type is None else PromptType(self.type)
        stage = None if self.stage is None else Stage(self.stage)
        return TemplateFilter(self.project_id, self.organization_id, self.enabled, type_, self.text, self.label, stage)


Filter = Annotated[PromptTemplateFilterInput | None, strawberry.argument(description="Which of them.", name="filter")]


@strawberry.type(description="A page of prompt templates that is counted in pages.")
class PromptTemplatePage:
    page: int = field(description="The number of this page, from 1.")

    @field(graphql_type=list[PromptTemplateType], description="The templates, by name; none on a page beyond the last.")
    async def items(self, info: Info, root: strawberry.Parent[NumberedPage]) -> list[PromptTemplate]:
        return await numbered_page(info.context.database, info.context.actor, root, TEMPLATE_COLUMNS.wanted(info))

    @field(graphql_type=int, description="How many templates all pages have.")
    def total(self, info: Info, root: strawberry.Parent[NumberedPage]) -> Awaitable[int]:
        return info.context.loader(TemplateCount).load(root.wanted)

    @field(description="How many pages there are; 0 where there is no template.")
    async def total_pages(self, info: Info, root: strawberry.Parent[NumberedPage]) -> int:
        return ceil(await info.context.loader(TemplateCount).load(root.wanted) / root.limit)


@strawberry.type
class FindQueries:
    @query(
        PromptTemplateType | None,
        "A prompt template by its id, also one that is deleted; null when it is not there, or not yours.",
    )
    async def prompt_template(self, info: Info, id: Id) -> PromptTemplate | None:
        return await info.context.loader(TemplateOfRow).load((template_id(id, "id"), TEMPLATE_COLUMNS.wanted(info)))

    @query(PromptTemplateType | None, "The prompt template that has this name in its project and organization.")
    async def prompt_template_by_name(
        self,
        info: Info,
        name: Annotated[str, strawberry.argument(description="Its name.")],
        project_id: ProjectId = None,
        organization_id: OrganizationId = None,
    ) -> PromptTemplate | None:
        place, context = Place(project_id, organization_id), info.context
        async with context.database.read() as scope:
            return await template_named(scope, context.actor, place, name, TEMPLATE_COLUMNS.wanted(info))

    @query(PromptTemplateType | None, "The prompt template that is enabled in a project; null where none is.")
    async def enabled_prompt_template(
        self,
        info: Info,
        project_id: ProjectId = None,
        organization_id: OrganizationId = None,
        stage: Annotated[
            Stage | None, strawberry.argument(description="The stage of projects that it is for; left out: none.")
        ] = None,
    ) -> PromptTemplate | None:
        context = info.context
        slot = Slot(Place(project_id, organization_id), None if stage is None else Stage(stage))
        async with context.database.read() as scope:
            return await enabled_template(scope, context.actor, slot, TEMPLATE_COLUMNS.wanted(info))

    @query(Connection[PromptTemplateType], "The prompt templates of your library, by name; 50 by default.")
    async def prompt_templates(
        self,
        info: Info,
        filter: Filter = None,
        order_by: Annotated[TemplateOrder, strawberry.argument(description="In which order.")] = TemplateOrder.NAME_ASC,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Page[PromptTemplate]:
        context = info.context
        request = PageRequest.of(first, last, after, before, DEFAULT_TEMPLATES)
        order, columns = TemplateOrder(order_by), TEMPLATE_COLUMNS.wanted(info)
        return await page_of_templates(context.database, context.actor, _wanted(filter), order, request, columns)

    @query(PromptTemplatePage, "The prompt templates of your library by name, counted in pages.")
    async def prompt_templates_page(
        self,
        page: Annotated[int, strawberry.argument(description="The number of the page, from 1.")] = 1,
        limit: Annotated[int, strawberry.argument(description="How many a page has: 1 to 100.")] = DEFAULT_TEMPLATES,
        filter: Filter = None,
    ) -> NumberedPage:
        wanted = NumberedPage(_wanted(filter), page, limit)
        wanted.check()
        return wanted


def _wanted(filter_: PromptTemplateFilterInput | None) -> TemplateFilter:
    return filter_.to_filter() if filter_ else TemplateFilter()
