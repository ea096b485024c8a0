"""Finding prompts."""

import strawberry

from app.graph.context import Info
from app.graph.nodes import Id
from app.graph.queries import query
from app.prompts.graphql.types import PromptTemplateType, template_id
from app.prompts.loaders import TemplateOfRow, template_columns
from app.prompts.models import PromptTemplate


@strawberry.type
class FindQueries:
    @query(
        PromptTemplateType | None,
        "A prompt template by its id, also one that is deleted; null when it is not there, or not yours.",
    )
    async def prompt_template(self, info: Info, id: Id) -> PromptTemplate | None:
        return await info.context.loader(TemplateOfRow).load((template_id(id, "id"), template_columns(info)))
