"""Statements that write API keys."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Boolean, DateTime, LargeBinary, Text, Uuid, func, insert, literal, or_, select, update

from app.core.actor import Actor, TenantId, UserId
from app.db.scopes import UnitOfWork
from app.db.statement import Command, Query, param
from app.identity.fragments import api_keys, given_keys
from app.identity.values import ApiKeyId, KeyRef, NewKey

_TENANT = param("tenant_id", Text)

_ADD = Command(
    UUID,
    insert(api_keys)
    .from_select(
        ["tenant_id", "id", "user_id", "name", "scope", "roles", "digest", "created_by", "expires_at"],
        select(
            _TENANT, param("id", Uuid), param("user_id", Text), param("name", Text), param("scope", Text),
            param("roles", ARRAY(Text)), param("digest", LargeBinary), param("created_by", Text),
            param("expires_at", DateTime(timezone=True)),
        ),
    )
    .returning(api_keys.c.id),
)  # fmt: skip

_HOLD = Query(
    UUID,
    select(api_keys.c.id)
    .where(api_keys.c.tenant_id == _TENANT, api_keys.c.id == param("id", Uuid), api_keys.c.revoked_at.is_(None))
    .with_for_update(read=True),
)

_REVOCATION = {
    "revoked_at": func.coalesce(api_keys.c.revoked_at, func.statement_timestamp()),
    "revoked_by": func.coalesce(api_keys.c.revoked_by, param("revoked_by", Text)),
}
"""The first one stays."""

_REVOKE = Command(
    UUID,
    update(api_keys)
    .where(
        api_keys.c.tenant_id == _TENANT,
        api_keys.c.id == param("id", Uuid),
        or_(param("is_admin", Boolean), api_keys.c.user_id == param("user_id", Text)),
    )
    .values(**_REVOCATION)
    .returning(api_keys.c.id),
)

_REVOKE_ALL = Command(
    UUID,
    update(api_keys)
    .where(
        api_keys.c.tenant_id == _TENANT,
        api_keys.c.user_id == param("user_id", Text),
        api_keys.c.id.is_distinct_from(param("kept_id", Uuid)),
        api_keys.c.revoked_at.is_(None),
    )
    .values(**_REVOCATION)
    .returning(api_keys.c.id),
)


def _note_uses() -> Command[int]:
    given = given_keys(param("moments", ARRAY(DateTime(timezone=True))), names=("used_at",))
    # Processes note the same keys at once: a row that another one has locked has been used just now anyway.
    free = (
        select(api_keys.c.tenant_id, api_keys.c.id, given.c.used_at)
        .join(given, (api_keys.c.tenant_id == given.c.tenant_id) & (api_keys.c.id == given.c.id))
        .with_for_update(of=api_keys, skip_locked=True, key_share=True)
        .cte("free")
    )
    noted = (
        update(api_keys)
        .where(api_keys.c.tenant_id == free.c.tenant_id, api_keys.c.id == free.c.id)
        .values(last_used_at=func.greatest(api_keys.c.last_used_at, free.c.used_at))
        .returning(literal(1).label("one"))
        .cte("noted")
    )
    return Command(int, select(func.count().label("noted")).select_from(noted))


_NOTE_USES = _note_uses()


async def add(uow: UnitOfWork, actor: Actor, key_id: ApiKeyId, new: NewKey, roles: list[str], digest: bytes) -> None:
    """Store a key; of its text the digest alone."""
    await uow.run(
        _ADD,
        tenant_id=actor.tenant_id,
        id=key_id,
        user_id=new.user_id,
        name=new.name,
        scope=new.scope.value,
        roles=roles,
        digest=digest,
        created_by=actor.user_id,
        expires_at=new.expires_at,
    )


async def hold(uow: UnitOfWork, ref: KeyRef) -> bool:
    """Keep a key from being revoked until this transaction ends; False where it is revoked, or not there."""
    return await uow.first(_HOLD, tenant_id=ref.tenant_id, id=ref.id) is not None


async def revoke(uow: UnitOfWork, actor: Actor, key_id: ApiKeyId) -> bool:
    """Revoke a key that the actor may see, unless it is; whether it is there. Its sockets end with the commit."""
    found = await uow.run_one(_REVOKE, id=key_id, revoked_by=actor.user_id, **actor.as_reader())
    if found is not None:
        uow.announce(found)
    return found is not None


async def revoke_all(uow: UnitOfWork, tenant: TenantId, user: UserId, kept: UUID | None) -> None:
    """Revoke all keys of a user, save the one that is kept. Their sockets end with the commit."""
    for key_id in await uow.run(_REVOKE_ALL, tenant_id=tenant, user_id=user, revoked_by=user, kept_id=kept):
        uow.announce(key_id)


async def note_uses(uow: UnitOfWork, uses: Mapping[KeyRef, datetime]) -> None:
    """Store when keys, of any tenants, were used last."""
    await uow.run(
        _NOTE_USES,
        tenants=[ref.tenant_id for ref in uses],
        ids=[ref.id for ref in uses],
        moments=list(uses.values()),
    )
