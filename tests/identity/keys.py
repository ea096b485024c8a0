"""API keys, made as the graph makes them."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from app.core.actor import Actor, Role, UserId
from app.db.database import Database
from app.identity.pipeline import ApiKeyPipeline
from app.identity.values import ApiKeyId, ApiKeyScope, KeyDigests, NewKey
from tests.conftest import an_actor

DIGESTS = KeyDigests(b"a pepper of thirty-two bytes, or a few more")
PIPELINE = ApiKeyPipeline(DIGESTS)


async def a_key(
    database: Database,
    user: str = "alice",
    scope: ApiKeyScope = ApiKeyScope.WRITE,
    *,
    tenant: str = "default",
    expires_at: datetime | None = None,
    pipeline: ApiKeyPipeline = PIPELINE,
) -> tuple[ApiKeyId, str]:
    """The id and the text of a new key, with all roles that its scope allows; an admin made it."""
    new = NewKey("of a test", scope, UserId(user), None, expires_at)
    made = await pipeline.create(database, an_actor("system", tenant), new, None)
    assert made.text is not None
    return made.key_id, made.text.text


def by_key(actor: Actor, key_id: ApiKeyId, *roles: Role, **more: Any) -> Actor:
    """The same actor, come in with a key that has these roles."""
    return replace(actor, key_id=key_id, roles=frozenset(roles), **more)
