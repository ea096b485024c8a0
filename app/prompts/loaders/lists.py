"""Finding templates by name, and lists of them: those that are not deleted."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, ColumnElement, Select, Text, exists, func, select

from app.core.actor import Actor
from app.core.paging import ListName, Page, PageRequest
from app.db.database import Database
from app.db.pages import Order, PageShape
from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.graph.columns import Columns
from app.graph.loading import Loader
from app.prompts.fragments import (
    PlaceShape,
    SlotShape,
    in_place,
    in_slot,
    labels,
    place_parameters,
    shape_of,
    slot_parameters,
    slot_shape_of,
    templates,
)
from app.prompts.loaders.templates import TEMPLATE_COLUMNS
from app.prompts.models import PromptTemplate
from app.prompts.values import NumberedPage, Place, Slot, TemplateFilter, TemplateOrder

_THERE = templates.c.deleted_at.is_(None)


@lru_cache(maxsize=16)
def _named(shape: PlaceShape, columns: Columns) -> Query[PromptTemplate]:
    rows = select(*TEMPLATE_COLUMNS.read(columns))
    return Query(PromptTemplate, rows.where(*in_place(shape), templates.c.name == param("name", Text), _THERE))


@lru_cache(maxsize=32)
def _enabled(shape: SlotShape, columns: Columns) -> Query[PromptTemplate]:
    return Query(PromptTemplate, select(*TEMPLATE_COLUMNS.read(columns)).where(*in_slot(shape)))


async def template_named(
    scope: ReadScope, actor: Actor, place: Place, name: str, columns: Columns
) -> PromptTemplate | None:
    """The template of a place that has a name (S4-2)."""
    query = _named(shape_of(place), columns)
    return await scope.first(query, name=name, tenant_id=actor.tenant_id, **place_parameters(place))


async def enabled_template(scope: ReadScope, actor: Actor, slot: Slot, columns: Columns) -> PromptTemplate | None:
    """The template that is enabled in a slot (S4-5)."""
    query = _enabled(slot_shape_of(slot), columns)
    return await scope.first(query, tenant_id=actor.tenant_id, **slot_parameters(slot))


_BY_NAME = (templates.c.name, templates.c.id)
_BY_UPDATED = (templates.c.updated_at, templates.c.id)
_BY_CREATED = (templates.c.created_at, templates.c.id)

_ORDERS = {
    TemplateOrder.NAME_ASC: Order(_BY_NAME, (str, UUID)),
    TemplateOrder.NAME_DESC: Order(_BY_NAME, (str, UUID), descending=True),
    TemplateOrder.UPDATED_AT_DESC: Order(_BY_UPDATED, (datetime, UUID), descending=True),
    TemplateOrder.UPDATED_AT_ASC: Order(_BY_UPDATED, (datetime, UUID)),
    TemplateOrder.CREATED_AT_DESC: Order(_BY_CREATED, (datetime, UUID), descending=True),
    TemplateOrder.CREATED_AT_ASC: Order(_BY_CREATED, (datetime, UUID)),
}


def _conditions() -> dict[str, ColumnElement[bool]]:
    labelled = exists(
        select(labels.c.label).where(
            labels.c.tenant_id == templates.c.tenant_id,
            labels.c.template_id == templates.c.id,
            labels.c.label == param("label", Text),
        )
    )
    return {
        "project_id": templates.c.project_id == param("project_id", Text),
        "organization_id": templates.c.organization_id == param("organization_id", Text),
        "enabled": templates.c.enabled == param("enabled", Boolean),
        "type": templates.c.type == param("type", Text),
        "text": templates.c.name.ilike(param("text", Text), escape="\\"),
        "label": labelled,
        "stage": templates.c.stage == param("stage", Text),
    }


def _narrowed(rows: Select[Any], names: frozenset[str]) -> Select[Any]:
    conditions = _conditions()
    return rows.where(
        templates.c.tenant_id == param("tenant_id", Text), _THERE, *(conditions[name] for name in sorted(names))
    )


@lru_cache(maxsize=256)
def _page(names: frozenset[str], order: TemplateOrder, shape: PageShape, columns: Columns) -> Query[PromptTemplate]:
    return Query(PromptTemplate, _ORDERS[order].page(_narrowed(select(*TEMPLATE_COLUMNS.read(columns)), names), shape))


@lru_cache(maxsize=256)
def _numbered_page(names: frozenset[str], columns: Columns) -> Query[PromptTemplate]:
    rows = _narrowed(select(*TEMPLATE_COLUMNS.read(columns)), names).order_by(*_BY_NAME)
    return Query(PromptTemplate, rows.offset(param("offset", BigInteger)).limit(param("limit", BigInteger)))


@lru_cache(maxsize=64)
def _count(names: frozenset[str]) -> Query[int]:
    return Query(int, _narrowed(select(func.count().label("count")).select_from(templates), names))


async def page_of_templates(
    database: Database,
    actor: Actor,
    wanted: TemplateFilter,
    order: TemplateOrder,
    request: PageRequest,
    columns: Columns,
) -> Page[PromptTemplate]:
    """A page of the tenant's templates, with the columns that are asked for."""
    given = wanted.given()
    names = frozenset(given)
    list_name = ListName(f"promptTemplates:{order}")
    position = _ORDERS[order].parameters(request, list_name)

    async def count() -> int:
        async with database.read() as scope:
            return await _counted(scope, actor, given)

    async with database.read() as scope:
        query = _page(names, order, PageShape.of(request), columns)
        found = await scope.all(query, tenant_id=actor.tenant_id, **given, **position)
    column = str(_ORDERS[order].columns[0].key)
    return Page.of(found, request, lambda row: list_name.encode((getattr(row, column), row.id)), count)


async def numbered_page(database: Database, actor: Actor, page: NumberedPage, columns: Columns) -> list[PromptTemplate]:
    """The templates of a page, by name; the rows before it are passed over one by one."""
    given = page.wanted.given()
    offset = (page.page - 1) * page.limit
    async with database.read() as scope:
        query = _numbered_page(frozenset(given), columns)
        return await scope.all(query, tenant_id=actor.tenant_id, offset=offset, limit=page.limit, **given)


class TemplateCount(Loader[TemplateFilter, int]):
    """How many templates there are in a list."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[TemplateFilter]) -> Sequence[int]:
        """One statement for each list."""
        return [await _counted(scope, actor, key.given()) for key in keys]


async def _counted(scope: ReadScope, actor: Actor, given: dict[str, object]) -> int:
    return await scope.first(_count(frozenset(given)), tenant_id=actor.tenant_id, **given) or 0
