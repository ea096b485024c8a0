"""Uses keys, and reads what they were used for."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Text, any_, select, true

from app.core.actor import Actor
from app.db.base import table_of
from app.db.scopes import ReadScope, UnitOfWork
from app.db.statement import Command, Query, param
from app.idempotency.fragments import gate, gate_parameters
from app.idempotency.models import ClientKeyRow
from app.idempotency.values import ClientKey, UsedKey

_keys = table_of(ClientKeyRow)

_USED = Query(
    UsedKey,
    select(_keys.c.body_hash, _keys.c.subject_id).where(
        _keys.c.tenant_id == param("tenant_id"), _keys.c.user_id == param("user_id"), _keys.c.key == param("key")
    ),
)


class KeyedUse(NamedTuple):
    """One of several keys, and what it was used for before."""

    key: str
    body_hash: bytes
    subject_id: UUID


_ALL_USED = Query(
    KeyedUse,
    select(_keys.c.key, _keys.c.body_hash, _keys.c.subject_id).where(
        _keys.c.tenant_id == param("tenant_id"),
        _keys.c.user_id == param("user_id"),
        _keys.c.key == any_(param("keys", ARRAY(Text))),
    ),
)

_USE = Command(int, select(gate(true()).c.passed))


async def use_key(uow: UnitOfWork, actor: Actor, key: ClientKey, subject_id: UUID) -> bool:
    """Use a key for a row that this unit of work makes or changes; whether it was new.

    Of two at once with one key the second waits here for the first's end. Rolled back, it is as if never used.
    """
    return await uow.run_one(_USE, **actor.as_owner(), **gate_parameters(key, subject_id)) is not None


async def used_key(scope: ReadScope, actor: Actor, key: str) -> UsedKey | None:
    """What the actor used `key` for before."""
    return await scope.first(_USED, tenant_id=actor.tenant_id, user_id=actor.user_id, key=key)


async def used_keys(scope: ReadScope, actor: Actor, keys: list[str]) -> list[KeyedUse]:
    """What the actor used each of `keys` for before; keys that were not used are left out."""
    return await scope.all(_ALL_USED, tenant_id=actor.tenant_id, user_id=actor.user_id, keys=keys)
