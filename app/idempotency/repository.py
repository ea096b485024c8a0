"""Reads a used key."""

from sqlalchemy import select

from app.core.actor import Actor
from app.db.base import table_of
from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.idempotency.models import ClientKeyRow
from app.idempotency.values import UsedKey

_keys = table_of(ClientKeyRow)

_USED = Query(
    UsedKey,
    select(_keys.c.body_hash, _keys.c.subject_id).where(
        _keys.c.tenant_id == param("tenant_id"), _keys.c.user_id == param("user_id"), _keys.c.key == param("key")
    ),
)


async def used_key(scope: ReadScope, actor: Actor, key: str) -> UsedKey | None:
    """What the actor used `key` for before."""
    return await scope.first(_USED, tenant_id=actor.tenant_id, user_id=actor.user_id, key=key)
