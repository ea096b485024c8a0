"""Holding a generated prompt, for those who store what names it."""

from uuid import UUID

from sqlalchemy import Text, Uuid, literal, select

from app.core.actor import Actor
from app.db.scopes import UnitOfWork
from app.db.statement import Command, param
from app.prompts.values import Stage
from app.workflow.fragments import stages
from app.workflow.values import StageId

_HOLD = Command(
    UUID,
    select(stages.c.id)
    .where(
        stages.c.tenant_id == param("tenant_id", Text),
        stages.c.id == param("stage_id", Uuid),
        stages.c.stage == literal(Stage.PROMPT_GENERATION.value, Text),
    )
    # As a foreign key locks it: it may be decided meanwhile, and not deleted.
    .with_for_update(read=True, key_share=True),
)


async def hold(uow: UnitOfWork, actor: Actor, stage_id: StageId) -> bool:
    """Keep a prompt from being deleted until the end; whether it is there. Taken behind a session's lock."""
    return await uow.run_one(_HOLD, tenant_id=actor.tenant_id, stage_id=stage_id) is not None
