"""How API keys are made and revoked."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import structlog

from app.core.actor import Actor, Role, TenantId, UserId
from app.core.errors import ValidationError
from app.core.text import require_length
from app.db.database import Database
from app.db.scopes import UnitOfWork
from app.idempotency.service import earlier_subject
from app.idempotency.values import ClientKey
from app.identity import repository
from app.identity.errors import BeyondYourRights, KeyNotFound, NotWithThisKey, Unauthenticated
from app.identity.values import (
    LONGEST_NAME,
    LONGEST_USER,
    ApiKeyId,
    ApiKeyScope,
    KeyDigests,
    KeyRef,
    KeyText,
    NewKey,
)

log = structlog.get_logger("colloquy.identity")


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A key that was made. Its text is there once: None where the same request had made it before."""

    key_id: ApiKeyId
    text: KeyText | None

    @property
    def deduplicated(self) -> bool:
        """Whether the same request had made it before."""
        return self.text is None


@dataclass(frozen=True, slots=True)
class ApiKeyPipeline:
    """One per process, without state."""

    digests: KeyDigests

    async def create(self, database: Database, actor: Actor, new: NewKey, client_key: ClientKey | None) -> MadeKey:
        """Make a key, with no more rights than its maker has.

        BeyondYourRights, NotWithThisKey, ValidationError, KeyReused; Unauthenticated where the maker came in with a key
        that was revoked meanwhile.
        """
        _require_free_hands(actor)
        roles = _roles(actor, new)
        _check(new)
        made = KeyText.new(actor.tenant_id)
        digest = self.digests.digest(made)

        async def work(uow: UnitOfWork) -> MadeKey:
            # Behind the lock: no key comes of one that was revoked before, whatever this process has heard of it.
            if actor.key_id is not None and not await repository.hold(uow, _ref_of(actor, actor.key_id)):
                raise Unauthenticated("this API key was revoked", hint="use another")
            earlier = await earlier_subject(uow, actor, client_key, made.ref.id)
            if earlier is not None:
                return MadeKey(ApiKeyId(earlier), None)
            _require_time(new.expires_at)
            await repository.add(uow, actor, made.ref.id, new, sorted(roles), digest)
            return MadeKey(made.ref.id, made)

        done = await database.transact(work)
        if not done.deduplicated:
            log.info("api_key_made", key=str(done.key_id), owner=new.user_id, scope=new.scope.value, **_who(actor))
        return done

    async def revoke(self, database: Database, actor: Actor, key_id: ApiKeyId, client_key: ClientKey | None) -> bool:
        """Revoke a key for good; whether the same request had done it before. One that is revoked stays as it is.

        When this returns, the process lets nobody in by it, and its sockets end.
        KeyNotFound, NotWithThisKey, KeyReused.
        """
        if actor.key_id != key_id:
            _require_free_hands(actor)

        async def work(uow: UnitOfWork) -> bool:
            if await earlier_subject(uow, actor, client_key, key_id) is not None:
                return True
            if not await repository.revoke(uow, actor, key_id):
                raise KeyNotFound
            return False

        deduplicated = await database.transact(work)
        if not deduplicated:
            log.info("api_key_revoked", key=str(key_id), **_who(actor))
        return deduplicated


async def revoke_all(database: Database, tenant: TenantId, user: UserId, kept: UUID | None) -> None:
    """Revoke all keys of a user, and end their sockets; save the one that is kept, where one is."""
    async with database.single_statement(replayable=True) as uow:
        await repository.revoke_all(uow, tenant, user, kept)


def _require_free_hands(actor: Actor) -> None:
    """Whoever comes in as the user may; by a key only one of the scope ADMIN, which alone has the role."""
    if actor.key_id is not None and not actor.is_admin:
        raise NotWithThisKey


def _roles(actor: Actor, new: NewKey) -> frozenset[Role]:
    """The roles of a new key; BeyondYourRights for more than its maker has."""
    if new.user_id != actor.user_id and not actor.is_admin:
        raise BeyondYourRights("only an admin may make keys for other users", field="userId", hint="leave it out")
    if new.scope is ApiKeyScope.ADMIN and not actor.is_admin:
        raise BeyondYourRights("only an admin may make a key with the scope ADMIN", field="scope", hint="use WRITE")
    wanted = actor.roles if new.roles is None else new.roles
    if not wanted <= actor.roles:
        raise BeyondYourRights(
            f"you have not the role {min(wanted - actor.roles).name} to give", field="roles", hint="name your own"
        )
    if new.roles is not None and Role.ADMIN in new.roles and new.scope is not ApiKeyScope.ADMIN:
        raise ValidationError("the role ADMIN comes with the scope ADMIN alone", field="roles", hint="leave it out")
    return wanted | {Role.ADMIN} if new.scope is ApiKeyScope.ADMIN else wanted - {Role.ADMIN}


def _check(new: NewKey) -> None:
    require_length(new.name, "name", at_least=1, at_most=LONGEST_NAME)
    require_length(new.user_id, "userId", at_least=1, at_most=LONGEST_USER)


def _require_time(expires_at: datetime | None) -> None:
    if expires_at is not None and expires_at <= datetime.now(UTC):
        raise ValidationError("expiresAt has passed", field="expiresAt", hint="send a moment to come, or leave it out")


def _ref_of(actor: Actor, key_id: UUID) -> KeyRef:
    return KeyRef(actor.tenant_id, ApiKeyId(key_id))


def _who(actor: Actor) -> dict[str, object]:
    by_key = {} if actor.key_id is None else {"by_key": str(actor.key_id)}
    return {"tenant": actor.tenant_id, "actor": actor.user_id, "correlation_id": actor.correlation_id, **by_key}
