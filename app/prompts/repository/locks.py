"""Statements that make rivals wait for each other.

The one order of locks: a session's row, where there is one, then the slot, then the template, then another template
that is enabled in the slot.
"""

from functools import lru_cache
from uuid import UUID

import orjson
from sqlalchemy import Integer, Text, func, literal, select

from app.core.actor import Actor
from app.db.scopes import UnitOfWork
from app.db.statement import Command, param
from app.prompts.fragments import SlotShape, in_slot, is_template, slot_parameters, slot_shape_of, templates
from app.prompts.models import PromptTemplate
from app.prompts.values import Slot, TemplateId

_SLOTS = 0x50524D54
"""The kind of advisory locks that are slots of prompts: "PRMT"."""

_LOCK = Command(PromptTemplate, select(*templates.c).where(is_template()).with_for_update(key_share=True))

_HOLD = Command(
    bool, select(templates.c.deleted_at.is_(None).label("is_there")).where(is_template()).with_for_update(read=True)
)

_LOCK_SLOT = Command(
    object,
    select(func.pg_advisory_xact_lock(literal(_SLOTS, Integer), func.hashtext(param("slot", Text))).label("nothing")),
)


@lru_cache(maxsize=8)
def _lock_enabled(shape: SlotShape) -> Command[UUID]:
    found = select(templates.c.id).where(*in_slot(shape))
    return Command(UUID, found.with_for_update(key_share=True))


async def lock_template(uow: UnitOfWork, actor: Actor, template_id: TemplateId) -> PromptTemplate | None:
    """The newest version of a template's row, also of one that is deleted, which nobody else changes until the end."""
    return await uow.run_one(_LOCK, tenant_id=actor.tenant_id, template_id=template_id)


async def lock_enabled(uow: UnitOfWork, actor: Actor, slot: Slot) -> TemplateId | None:
    """The template that is enabled in a locked slot, which nobody else changes until the end."""
    values = {"tenant_id": actor.tenant_id, **slot_parameters(slot)}
    found = await uow.run_one(_lock_enabled(slot_shape_of(slot)), **values)
    return None if found is None else TemplateId(found)


async def hold_template(uow: UnitOfWork, actor: Actor, template_id: TemplateId) -> bool:
    """Keep a template from being changed or deleted until the end; whether there is one that is not deleted."""
    return await uow.run_one(_HOLD, tenant_id=actor.tenant_id, template_id=template_id) or False


async def lock_slot(uow: UnitOfWork, actor: Actor, slot: Slot) -> None:
    """Have nobody else enable a template in the slot, or install one, until the end.

    Without it, fifty who enable different templates at once would meet at the unique index, where each but one fails
    and begins anew. Two slots of one hash wait for each other, no more.
    """
    place = slot.place
    named = orjson.dumps([actor.tenant_id, place.organization_id, place.project_id, slot.stage]).decode()
    await uow.run(_LOCK_SLOT, slot=named)
