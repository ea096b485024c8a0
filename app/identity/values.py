"""Bounds and defaults of names, and what callers show to come in."""

import re
from dataclasses import dataclass
from typing import Any, Literal

from app.core.actor import Role, TenantId, UserId

DEFAULT_TENANT = TenantId("default")
SYSTEM_USER = UserId("system")
"""Who acts where authentication is off and nobody else is named (S0-14); may read what others own."""

ALL_ROLES = frozenset(Role)
USER_ROLES = ALL_ROLES - {Role.ADMIN}

USER_HEADER = "x-colloquy-user"
CORRELATION_HEADER = "x-correlation-id"
AUTHORIZATION_HEADER = "authorization"

PRINTABLE_NAME = re.compile(r"[^\s@\x00-\x1f\x7f]{1,128}")
"""A user or a tenant in the development header."""

NAME_IN_TOKEN = re.compile(r"[^\s\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,128}")
"""A user or a tenant in a token: the same with `@`, as addresses and `auth0|123` are. It can be stored, and having no
space it is never NOBODY."""

KEY_PREFIX = "colloquy_"
"""What an API key begins with, and no token: that is base64url of `{"`, `eyJ`."""

LONGEST_TOKEN = 16 * 1024
"""Characters. Tokens with many groups have four thousand; servers take little more in a header."""

Algorithm = Literal["HS256", "RS256", "ES256"]


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """What signatures are checked with, and the one algorithm that it is for: a token has no say in that."""

    algorithm: Algorithm
    key: Any
    """The bytes of a secret, or a public key of the library cryptography."""
