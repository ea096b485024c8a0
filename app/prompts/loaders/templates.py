"""Batched reads of templates."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, select

from app.core.actor import Actor
from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.graph.context import Info
from app.graph.loading import Loader
from app.graph.selection import selected
from app.prompts.fragments import templates
from app.prompts.models import PromptTemplate
from app.prompts.values import TemplateId

_LARGE_FIELDS = {"content": "content", "declaredVariables": "variables"}
_LARGE_COLUMNS = frozenset(_LARGE_FIELDS.values())

Large = frozenset[str]
"""The large columns that are asked for: lists read them only then."""


def template_columns(info: Info) -> Large:
    """The large columns that the templates are asked for which a field leads to."""
    return frozenset(_LARGE_FIELDS[name] for name in selected(info) & _LARGE_FIELDS.keys())


def template_columns_with(large: Large) -> list[ColumnElement[Any]]:
    """All columns of a template, of the large ones those."""
    return [column for column in templates.c if column.name not in _LARGE_COLUMNS or column.name in large]


@lru_cache(maxsize=4)
def _by_ids(large: Large) -> Query[PromptTemplate]:
    return Query(
        PromptTemplate,
        select(*template_columns_with(large)).where(
            templates.c.tenant_id == param("tenant_id"), templates.c.id == any_(param("ids", ARRAY(Uuid)))
        ),
    )


class TemplateById(Loader[TemplateId, PromptTemplate | None]):
    """Templates of the tenant, whole, also deleted ones; None for any other id."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[TemplateId]) -> Sequence[PromptTemplate | None]:
        """One statement for all ids."""
        rows = await scope.all(_by_ids(_LARGE_COLUMNS), tenant_id=actor.tenant_id, ids=keys)
        found = {row.id: row for row in rows}
        return [found.get(key) for key in keys]


class TemplateOfRow(Loader[tuple[TemplateId, Large], PromptTemplate | None]):
    """The same for rows that name a template, each with the large columns that are asked for."""

    async def fetch(
        self, scope: ReadScope, actor: Actor, keys: list[tuple[TemplateId, Large]]
    ) -> Sequence[PromptTemplate | None]:
        """One statement for all ids with the same columns."""
        found: dict[tuple[UUID, Large], PromptTemplate] = {}
        for large in {large for _, large in keys}:
            ids = [template_id for template_id, wanted in keys if wanted == large]
            for row in await scope.all(_by_ids(large), tenant_id=actor.tenant_id, ids=ids):
                found[row.id, large] = row
        return [found.get(key) for key in keys]
