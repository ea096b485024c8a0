"""What an empty answer of a gated statement means."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from app.core.actor import Actor
from app.db.database import Database
from app.db.scopes import ReadScope, UnitOfWork
from app.idempotency import repository
from app.idempotency.errors import KeyReused
from app.idempotency.values import ClientKey

KEPT = timedelta(days=7)
"""A client that was off the network for a long weekend may still send what it does not know to have arrived."""

ROWS_AT_ONCE = 10_000
"""Well below the time limit of a statement, and no lock is held for long."""


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


async def earlier_subject(uow: UnitOfWork, actor: Actor, key: ClientKey | None, subject_id: UUID) -> UUID | None:
    """Use the key for `subject_id` in a transaction of several statements; None when the work is to be done.

    Else the row that this very request made or changed when it came first. KeyReused when the key came with another.
    """
    if key is None or await repository.use_key(uow, actor, key, subject_id):
        return None
    return await first_subject(uow, actor, key)


async def first_subjects(scope: ReadScope, actor: Actor, keys: Iterable[ClientKey]) -> dict[str, UUID]:
    """The rows that those of the requests which came before made or changed, by their keys; one statement for all.

    KeyReused when one of the keys came with another request.
    """
    hashes = {key.key: key.body_hash for key in keys}
    used = await repository.used_keys(scope, actor, list(hashes))
    if any(hashes[found.key] != found.body_hash for found in used):
        raise KeyReused
    return {found.key: found.subject_id for found in used}


async def forget_old_keys(database: Database, kept: timedelta = KEPT) -> None:
    """Delete keys that were used longer ago than `kept`: a request that comes again after that is a new one."""
    while True:
        async with database.single_statement() as uow:
            if await repository.forget_older(uow, kept, ROWS_AT_ONCE) < ROWS_AT_ONCE:
                return
