"""Uses keys, and reads what they were used for."""

from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Interval, Text, any_, delete, func, literal, select, true

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


def _forget() -> Command[int]:
    old = (
        select(_keys.c.tenant_id, _keys.c.user_id, _keys.c.key)
        .where(_keys.c.created_at < func.now() - param("kept", Interval))
        .order_by(_keys.c.created_at)
        .limit(param("most", BigInteger))
        .with_for_update(skip_locked=True)
        .cte("old")
    )
    gone = (
        delete(_keys)
        .where(_keys.c.tenant_id == old.c.tenant_id, _keys.c.user_id == old.c.user_id, _keys.c.key == old.c.key)
        .returning(literal(1).label("one"))
        .cte("gone")
    )
    return Command(int, select(func.count().label("gone")).select_from(gone))


_FORGET = _forget()


async def forget_older(uow: UnitOfWork, kept: timedelta, most: int) -> int:
    """Delete up to `most` keys, of all tenants, that were used longer ago than `kept`; how many there were."""
    return await uow.run_one(_FORGET, kept=kept, most=most) or 0


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
