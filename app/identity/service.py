"""From headers to an actor."""

from collections.abc import Mapping
from typing import Protocol

from app.core.actor import CORRELATION_ID, Actor, CorrelationId, TenantId, UserId
from app.core.ids import new_id
from app.identity.errors import Unauthenticated
from app.identity.values import (
    ALL_ROLES,
    CORRELATION_HEADER,
    DEFAULT_TENANT,
    PRINTABLE_NAME,
    SYSTEM_USER,
    USER_HEADER,
    USER_ROLES,
)


class Authenticator(Protocol):
    """Decides who is asking. The container chooses one by the setting COLLOQUY_AUTH."""

    async def actor(self, headers: Mapping[str, str], correlation: CorrelationId) -> Actor:
        """The actor of a request with these headers (names in lower case); Unauthenticated when it is nobody known."""


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


def user_named(name: str) -> tuple[UserId, TenantId] | None:
    """Whom `user` or `user@tenant` means; None for what is no name."""
    user, separator, home = name.partition("@")
    if not PRINTABLE_NAME.fullmatch(user) or (separator and not PRINTABLE_NAME.fullmatch(home)):
        return None
    return UserId(user), TenantId(home) if home else DEFAULT_TENANT


def local_actor(user: UserId, tenant: TenantId, correlation: CorrelationId) -> Actor:
    """Somebody on this machine, named by themselves: `system` has all roles, anybody else those of a user."""
    return Actor(tenant, user, ALL_ROLES if user == SYSTEM_USER else USER_ROLES, correlation)


def correlation_id(headers: Mapping[str, str]) -> CorrelationId:
    """The client's id for the request where it is fit to be passed on, else a new one."""
    given = headers.get(CORRELATION_HEADER, "")
    return CorrelationId(given if CORRELATION_ID.fullmatch(given) else str(new_id()))
