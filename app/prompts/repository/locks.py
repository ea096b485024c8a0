"""Statements that make rivals wait for each other.

The one order of locks: a session's row, where there is one, then the place, then the template, then another template
of the place that is enabled.
"""

from functools import lru_cache
from uuid import UUID

import orjson
from sqlalchemy import Integer, Text, func, literal, select

from app.core.actor import Actor
from app.db.scopes import UnitOfWork
from app.db.statement import Command, param
from app.prompts.fragments import PlaceShape, in_place, is_template, place_parameters, shape_of, templates
from app.prompts.models import PromptTemplate
from app.prompts.values import Place, TemplateId

_PLACES = 0x50524D54
"""The kind of advisory locks that are places of prompts: "PRMT"."""

_LOCK = Command(PromptTemplate, select(*templates.c).where(is_template()).with_for_update(key_share=True))

_HOLD = Command(
    bool, select(templates.c.deleted_at.is_(None).label("is_there")).where(is_template()).with_for_update(read=True)
)

_LOCK_PLACE = Command(
    object,
    select(func.pg_advisory_xact_lock(literal(_PLACES, Integer), func.hashtext(param("place", Text))).label("nothing")),
)


@lru_cache(maxsize=4)
def _lock_enabled(shape: PlaceShape) -> Command[UUID]:
    found = select(templates.c.id).where(*in_place(shape), templates.c.enabled)
    return Command(UUID, found.with_for_update(key_share=True))


async def lock_template(uow: UnitOfWork, actor: Actor, template_id: TemplateId) -> PromptTemplate | None:
    """The newest version of a template's row, also of one that is deleted, which nobody else changes until the end."""
    return await uow.run_one(_LOCK, tenant_id=actor.tenant_id, template_id=template_id)


async def lock_enabled(uow: UnitOfWork, actor: Actor, place: Place) -> TemplateId | None:
    """The template that is enabled in a locked place, which nobody else changes until the end."""
    values = {"tenant_id": actor.tenant_id, **place_parameters(place)}
    found = await uow.run_one(_lock_enabled(shape_of(place)), **values)
    return None if found is None else TemplateId(found)


async def hold_template(uow: UnitOfWork, actor: Actor, template_id: TemplateId) -> bool:
    """Keep a template from being changed or deleted until the end; whether there is one that is not deleted."""
    return await uow.run_one(_HOLD, tenant_id=actor.tenant_id, template_id=template_id) or False


async def lock_place(uow: UnitOfWork, actor: Actor, place: Place) -> None:
    """Have nobody else enable a template in the place until the end.

    Without it, fifty who enable different templates at once would meet at the unique index, where each but one fails
    and begins anew. Two places of one hash wait for each other, no more.
    """
    named = orjson.dumps([actor.tenant_id, place.organization_id, place.project_id]).decode()
    await uow.run(_LOCK_PLACE, place=named)
