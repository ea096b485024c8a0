"""What an empty answer of a gated statement means."""

from uuid import UUID

from app.core.actor import Actor
from app.db.scopes import ReadScope
from app.idempotency import repository
from app.idempotency.errors import KeyReused
from app.idempotency.values import ClientKey


async def first_subject(scope: ReadScope, actor: Actor, key: ClientKey | None) -> UUID | None:
    """The row that this very request made or changed when it came first; None when it has not been here.

    KeyReused when the key came with another request.
    """
    used = await repository.used_key(scope, actor, key.key) if key else None
    if used is None:
        return None
    if key and used.body_hash != key.body_hash:
        raise KeyReused
    return used.subject_id
