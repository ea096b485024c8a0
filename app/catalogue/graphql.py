"""The models that can be asked, in the graph."""

from collections.abc import Sequence

import strawberry
from strawberry import field

from app.graph.context import Info
from app.graph.queries import query
from app.llm.registry import ModelDescription, Models


@strawberry.type(name="Model", description="A language model that can be asked.")
class ModelType:
    id: str = field(description="Its name everywhere in this API: `provider:model`.")
    provider: str = field(description="Who runs it; `local` is built in.")
    name: str = field(description="The provider's own name of it.")
    configured: bool = field(description="Whether the server has the key or address that its provider needs.")
    is_default: bool = field(description="Whether it answers where none is asked for.")
    context_window: int | None = field(description="Tokens it can have in view; null where that is not known.")


@strawberry.type
class CatalogueQueries:
    @query(
        list[ModelType],
        "The models to choose from, the default first. Of a provider that is configured, others may be asked for too.",
    )
    async def models(self, info: Info) -> Sequence[ModelDescription]:
        return info.context.service(Models).listing()
