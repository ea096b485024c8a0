"""Batched reads of templates."""

from collections.abc import Sequence
from functools import lru_cache
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, select

from app.core.actor import Actor
from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.graph.columns import Columns, OnDemand
from app.graph.loading import Loader
from app.prompts.fragments import templates
from app.prompts.models import PromptTemplate
from app.prompts.values import TemplateId

TEMPLATE_COLUMNS = OnDemand(
    templates,
    {"content": ("content",), "declaredVariables": ("variables",)},
    long=("content", "variables"),
)


@lru_cache(maxsize=4)
def _by_ids(columns: Columns) -> Query[PromptTemplate]:
    return Query(
        PromptTemplate,
        select(*TEMPLATE_COLUMNS.read(columns)).where(
            templates.c.tenant_id == param("tenant_id"), templates.c.id == any_(param("ids", ARRAY(Uuid)))
        ),
    )


class TemplateById(Loader[TemplateId, PromptTemplate | None]):
    """Templates of the tenant, whole, also deleted ones; None for any other id."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[TemplateId]) -> Sequence[PromptTemplate | None]:
        """One statement for all ids."""
        rows = await scope.all(_by_ids(TEMPLATE_COLUMNS.whole), tenant_id=actor.tenant_id, ids=keys)
        found = {row.id: row for row in rows}
        return [found.get(key) for key in keys]


class TemplateOfRow(Loader[tuple[TemplateId, Columns], PromptTemplate | None]):
    """The same for rows that name a template, each with the columns that are asked for."""

    async def fetch(
        self, scope: ReadScope, actor: Actor, keys: list[tuple[TemplateId, Columns]]
    ) -> Sequence[PromptTemplate | None]:
        """One statement for all ids with the same columns."""
        found: dict[tuple[UUID, Columns], PromptTemplate] = {}
        for columns in {columns for _, columns in keys}:
            ids = [template_id for template_id, wanted in keys if wanted == columns]
            for row in await scope.all(_by_ids(columns), tenant_id=actor.tenant_id, ids=ids):
                found[row.id, columns] = row
        return [found.get(key) for key in keys]
