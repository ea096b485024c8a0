"""From headers to an actor."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote

from app.core.actor import CORRELATION_ID, Actor, CorrelationId, TenantId, UserId
from app.core.ids import new_text_id
from app.core.settings import Settings
from app.identity.errors import Unauthenticated
from app.identity.values import (
    ALL_ROLES,
    AUTHORIZATION_HEADER,
    CORRELATION_HEADER,
    DEFAULT_TENANT,
    KEY_PREFIX,
    NAME_IN_TOKEN,
    PRINTABLE_NAME,
    SYSTEM_USER,
    USER_HEADER,
    USER_ROLES,
)

if TYPE_CHECKING:
    from app.identity.tokens import Tokens


class Authenticator(Protocol):
    """Decides who is asking. The container chooses one by the setting COLLOQUY_AUTH."""

    async def actor(self, headers: Mapping[str, str], correlation: CorrelationId) -> Actor:
        """The actor of a request with these headers (names in lower case); Unauthenticated when it is nobody known."""

    async def withdrawn(self, actor: Actor) -> None:
        """Return when what let the actor in was taken back; else it waits for ever."""


class Keys(Protocol):
    """The API keys that let somebody in."""

    async def admit(self, key: str, correlation: CorrelationId) -> Actor:
        """Whom the key lets in; Unauthenticated where it lets in nobody."""

    async def withdrawn(self, actor: Actor) -> None:
        """Return when the key that let the actor in was revoked; else it waits for ever."""


class OpenDoor:
    """Authentication is off: everybody on this machine is user `system`, or who the header X-Colloquy-User names.

    `user` or `user@tenant`, so that the isolation of users and tenants can be tried. The settings allow it on loopback
    addresses only.
    """

    async def actor(self, headers: Mapping[str, str], correlation: CorrelationId) -> Actor:
        """Never refuses, save for a header that names nobody."""
        named = headers.get(USER_HEADER)
        found = (SYSTEM_USER, DEFAULT_TENANT) if named is None else user_named(named)
        if found is None:
            raise Unauthenticated(
                "the header X-Colloquy-User must be user or user@tenant, without spaces", hint="correct or omit it"
            )
        return local_actor(*found, correlation)

    async def withdrawn(self, actor: Actor) -> None:  # noqa: ARG002
        """Waits for ever: nothing was shown that could be taken back."""
        await _for_ever()


class GuardedDoor:
    """Authentication is on: who comes in shows a bearer token (RFC 6750), which is a JWT or an API key.

    Nothing else is looked at, and no cookie: what a browser sends by itself lets nobody in.
    """

    def __init__(self, tokens: "Tokens", keys: Keys | None = None) -> None:
        self._tokens = tokens
        self._keys = keys

    async def actor(self, headers: Mapping[str, str], correlation: CorrelationId) -> Actor:
        """Whom the header Authorization names. Unauthenticated, with a reason that quotes nothing of it."""
        scheme, _, shown = headers.get(AUTHORIZATION_HEADER, "").strip().partition(" ")
        shown = shown.strip()
        if scheme.lower() != "bearer" or not shown:
            raise Unauthenticated(
                "nobody is named", hint="send the header Authorization: Bearer, with a token or a key"
            )
        if not shown.startswith(KEY_PREFIX):
            return await self._tokens.actor(shown, correlation)
        if self._keys is None:
            raise Unauthenticated("the key is not valid", hint="come with a token")
        return await self._keys.admit(shown, correlation)

    async def withdrawn(self, actor: Actor) -> None:
        """Return when the key that let the actor in was revoked; a token is not taken back, it ends."""
        if actor.key_id is None or self._keys is None:
            await _for_ever()
        else:
            await self._keys.withdrawn(actor)


@asynccontextmanager
async def door(settings: Settings, keys: Keys | None = None) -> AsyncIterator[Authenticator]:
    """What decides who comes in, by the settings; what it keeps open is closed with the block."""
    if settings.auth == "off":
        yield OpenDoor()
        return
    # Imported here: who needs no tokens does not wait for it.
    from app.identity.published import FetchedKeys
    from app.identity.tokens import Claims, Tokens, own_keys

    async with AsyncExitStack() as stack:
        published = None
        if settings.jwt_jwks_url is not None:
            fetched = FetchedKeys(settings.jwt_jwks_url, settings.jwt_jwks_seconds)
            published = await stack.enter_async_context(fetched)
        yield GuardedDoor(Tokens(Claims.of(settings), own_keys(settings), published), keys)


async def _for_ever() -> None:
    await asyncio.Event().wait()


def user_named(name: str) -> tuple[UserId, TenantId] | None:
    """Whom `user` or `user@tenant` means; None for what is no name.

    What a token may be called by, and not stand here, is quoted as in addresses of pages: `alice%40example.com@acme`.
    """
    parts = name.split("@")
    found = [unquote(part, errors="surrogateescape") for part in parts if PRINTABLE_NAME.fullmatch(part)]
    if len(found) != len(parts) or len(parts) > 2 or not all(map(NAME_IN_TOKEN.fullmatch, found)):
        return None
    return UserId(found[0]), TenantId(found[1]) if len(found) > 1 else DEFAULT_TENANT


def local_actor(user: UserId, tenant: TenantId, correlation: CorrelationId) -> Actor:
    """Somebody on this machine, named by themselves: `system` has all roles, anybody else those of a user."""
    return Actor(tenant, user, ALL_ROLES if user == SYSTEM_USER else USER_ROLES, correlation)


def correlation_id(headers: Mapping[str, str]) -> CorrelationId:
    """The client's id for the request where it is fit to be passed on, else a new one."""
    given = headers.get(CORRELATION_HEADER, "")
    return CorrelationId(given if CORRELATION_ID.fullmatch(given) else new_text_id())
