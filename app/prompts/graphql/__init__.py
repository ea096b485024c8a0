"""Prompts in the graph."""

import strawberry

from app.prompts.graphql.change import ChangeMutations
from app.prompts.graphql.find import FindQueries
from app.prompts.graphql.types import PromptTemplateType, PromptTemplateVersionType, template_id

__all__ = ["PromptMutations", "PromptQueries", "PromptTemplateType", "PromptTemplateVersionType", "template_id"]


@strawberry.type
class PromptQueries(FindQueries):
    pass


@strawberry.type
class PromptMutations(ChangeMutations):
    pass
