"""Statements that find the version of a template that is meant."""

from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Integer, Text, Uuid, select

from app.core.actor import Actor
from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.prompts.fragments import (
    PlaceShape,
    SlotShape,
    in_place,
    in_slot,
    is_template,
    labels,
    place_parameters,
    shape_of,
    slot_parameters,
    slot_shape_of,
    templates,
    versions,
)
from app.prompts.models import PromptTemplate, PromptTemplateVersion
from app.prompts.values import Place, Slot, TemplateId


class ChosenTemplate(NamedTuple):
    """A template that is there, and the number of its latest version."""

    id: UUID
    version: int


_TEMPLATE = Query(PromptTemplate, select(*templates.c).where(is_template()))

_CHOSEN = select(templates.c.id, templates.c.version)


@lru_cache(maxsize=4)
def _by_name(shape: PlaceShape) -> Query[ChosenTemplate]:
    there = templates.c.deleted_at.is_(None)
    return Query(ChosenTemplate, _CHOSEN.where(*in_place(shape), templates.c.name == param("name", Text), there))


@lru_cache(maxsize=8)
def _enabled(shape: SlotShape) -> Query[ChosenTemplate]:
    return Query(ChosenTemplate, _CHOSEN.where(*in_slot(shape)))


_OF_TEMPLATE = (
    versions.c.tenant_id == param("tenant_id", Text),
    versions.c.template_id == param("template_id", Uuid),
)
_NUMBERED = Query(
    PromptTemplateVersion, select(*versions.c).where(*_OF_TEMPLATE, versions.c.version == param("version", Integer))
)
_LABELLED = Query(
    PromptTemplateVersion,
    select(*versions.c)
    .join(
        labels,
        (labels.c.tenant_id == versions.c.tenant_id)
        & (labels.c.template_id == versions.c.template_id)
        & (labels.c.version == versions.c.version),
    )
    .where(*_OF_TEMPLATE, labels.c.label == param("label", Text)),
)


async def find_template(scope: ReadScope, actor: Actor, template_id: TemplateId) -> PromptTemplate | None:
    """A template of the tenant, also one that is deleted."""
    return await scope.first(_TEMPLATE, tenant_id=actor.tenant_id, template_id=template_id)


async def chosen_by_name(scope: ReadScope, actor: Actor, place: Place, name: str) -> ChosenTemplate | None:
    """The template of a place that has a name."""
    query = _by_name(shape_of(place))
    return await scope.first(query, name=name, tenant_id=actor.tenant_id, **place_parameters(place))


async def chosen_enabled(scope: ReadScope, actor: Actor, slot: Slot) -> ChosenTemplate | None:
    """The template that is enabled in a slot."""
    return await scope.first(_enabled(slot_shape_of(slot)), tenant_id=actor.tenant_id, **slot_parameters(slot))


async def numbered_version(
    scope: ReadScope, actor: Actor, template_id: TemplateId, number: int
) -> PromptTemplateVersion | None:
    """The version of a template that has a number."""
    return await scope.first(_NUMBERED, tenant_id=actor.tenant_id, template_id=template_id, version=number)


async def labelled_version(
    scope: ReadScope, actor: Actor, template_id: TemplateId, label: str
) -> PromptTemplateVersion | None:
    """The version of a template that a label points to."""
    return await scope.first(_LABELLED, tenant_id=actor.tenant_id, template_id=template_id, label=label)
