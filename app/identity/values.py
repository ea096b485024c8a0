"""Bounds and defaults of names, and what callers show to come in: tokens, and the text of API keys."""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from secrets import token_bytes
from typing import Any, Literal, NamedTuple, NewType
from uuid import UUID

from app.core.actor import Role, TenantId, UserId
from app.core.ids import new_id
from app.core.settings import Settings

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
"""What an API key begins with, and no token: that is base64url of `{"`, `eyJ`. Programs that look for secrets in code
find keys by it."""

LONGEST_TOKEN = 16 * 1024
"""Characters. Tokens with many groups have four thousand; servers take little more in a header."""

Algorithm = Literal["HS256", "RS256", "ES256"]


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """What signatures are checked with, and the one algorithm that it is for: a token has no say in that."""

    algorithm: Algorithm
    key: Any
    """The bytes of a secret, or a public key of the library cryptography."""


LONGEST_USER = 128
LONGEST_NAME = 200
LONGEST_KEY_TEXT = 1_024
"""Characters. A tenant of 128 characters of four bytes each comes to 756."""

SECRET_BYTES = 32
"""256 random bits: nobody guesses them, and a fast digest of them keeps them as well as a slow one would."""

ApiKeyId = NewType("ApiKeyId", UUID)

_TEXT = re.compile(rf"{KEY_PREFIX}[A-Za-z0-9_-]+")
_WITHOUT_PEPPER = b"colloquy: digest of an API key"
"""What keys the digest where the operator gives nothing: a digest of ours is then at least no other program's."""


class ApiKeyScope(StrEnum):
    """What a key is for; each includes the one before."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


class KeyRef(NamedTuple):
    """Which key: its tenant, and its id."""

    tenant_id: TenantId
    id: ApiKeyId


@dataclass(frozen=True, slots=True)
class KeyText:
    """A key as its owner has it. The text is shown once and stored nowhere; it is left out of what is printed."""

    ref: KeyRef
    text: str = field(repr=False)

    @classmethod
    def new(cls, tenant_id: TenantId) -> "KeyText":
        """A new key of a tenant."""
        ref = KeyRef(tenant_id, ApiKeyId(new_id()))
        return cls(ref, _written(ref, token_bytes(SECRET_BYTES)))

    @classmethod
    def parse(cls, text: str) -> "KeyText | None":
        """What a text names that may be a key; None for what cannot be one."""
        if len(text) > LONGEST_KEY_TEXT or not _TEXT.fullmatch(text):
            return None
        encoded = text.removeprefix(KEY_PREFIX)
        try:
            found = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
            key_id, secret, tenant = found[:16], found[16 : 16 + SECRET_BYTES], found[16 + SECRET_BYTES :].decode()
        except ValueError:
            return None
        if not tenant or "\x00" in tenant:
            return None
        ref = KeyRef(TenantId(tenant), ApiKeyId(UUID(bytes=key_id)))
        # The last letter has bits that decoding ignores: one key would then have several texts.
        return cls(ref, text) if _written(ref, secret) == text else None


def _written(ref: KeyRef, secret: bytes) -> str:
    return KEY_PREFIX + urlsafe_b64encode(ref.id.bytes + secret + ref.tenant_id.encode()).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class KeyDigests:
    """Makes of a key what is stored of it: HMAC-SHA256 of its whole text."""

    pepper: bytes = field(default=_WITHOUT_PEPPER, repr=False)

    @classmethod
    def of(cls, settings: Settings) -> "KeyDigests":
        """As the operator chose."""
        pepper = settings.api_key_pepper
        return cls() if pepper is None else cls(pepper.get_secret_value().encode())

    def digest(self, key: KeyText) -> bytes:
        """32 bytes."""
        return hmac.digest(self.pepper, key.text.encode(), "sha256")

    def fits(self, key: KeyText, digest: bytes) -> bool:
        """Whether it is the digest of the key; how long that takes tells nothing."""
        return hmac.compare_digest(self.digest(key), digest)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that is asked for."""

    name: str
    scope: ApiKeyScope
    user_id: UserId
    """Whose it is to be."""
    roles: frozenset[Role] | None = None
    """Which of the maker's it has; None for all. ADMIN comes with the scope, and with nothing else."""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NotRepeated:
    """A key's text is told once: a request that comes again gets the key without it."""

    code: str = "SECRET_NOT_REPEATED"
    message: str = "the key was made before, and its text is told only once; revoke it and make another if it is lost"
