"""JSON Web Tokens: from a signed text to an actor. Importing this takes a tenth of a second."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, assert_never

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from app.core.actor import Actor, CorrelationId, Role, TenantId, UserId
from app.core.settings.identity import IdentitySettings
from app.core.verifying import PublicKey, public_key
from app.identity.errors import InvalidToken
from app.identity.values import LONGEST_TOKEN, NAME_IN_TOKEN, USER_ROLES, Algorithm, VerifyingKey

LATEST_EXPIRY = datetime(9999, 1, 1, tzinfo=UTC).timestamp()
"""In seconds: what is later is no moment of the calendar."""


class PublishedKeys(Protocol):
    """The keys of a provider of tokens, which change."""

    async def named(self, key_id: str | None, algorithm: str) -> VerifyingKey | None:
        """The key of that id for that algorithm, or without an id the only one; None where there is none.

        KeysAway where that cannot be found out for now.
        """


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token must say, and where it says who its bearer is."""

    issuer: str | None
    audience: str | None
    tenant: str | None
    """The member that names the tenant; None where each user is a tenant of their own."""
    roles: str
    leeway_seconds: float

    @classmethod
    def of(cls, settings: IdentitySettings) -> "Claims":
        """As the operator wants it."""
        return cls(
            settings.jwt_issuer, settings.jwt_audience, settings.jwt_tenant_claim, settings.jwt_roles_claim,
            settings.jwt_leeway_seconds,
        )  # fmt: skip


class Tokens:
    """Checks tokens with the keys of the settings, and with those that a provider publishes."""

    def __init__(self, claims: Claims, own: Sequence[VerifyingKey], published: PublishedKeys | None = None) -> None:
        self._claims = claims
        self._own = own
        self._published = published
        self._options: Any = {
            "require": ["exp", "sub"], "verify_aud": claims.audience is not None, "verify_jti": False,
            "verify_iss": claims.issuer is not None,
        }  # fmt: skip

    async def actor(self, token: str, correlation: CorrelationId) -> Actor:
        """Whom the token names, with its end. InvalidToken, KeysAway."""
        if len(token) > LONGEST_TOKEN or not token.isascii():
            raise InvalidToken
        algorithm, key_id = _header(token)
        # The algorithm only finds the key: what is checked is the one that the key is for.
        for key in self._own:
            if key.algorithm == algorithm and (found := self._checked(token, key)) is not None:
                return self._named(found, correlation)
        if self._published is None or algorithm not in ("RS256", "ES256"):
            raise InvalidToken
        published = await self._published.named(key_id, algorithm)
        found = None if published is None else self._checked(token, published)
        if found is None:
            raise InvalidToken
        return self._named(found, correlation)

    def _checked(self, token: str, key: VerifyingKey) -> Mapping[str, Any] | None:
        """What the token says, None where it was not signed with this key; InvalidToken where it says it in vain."""
        try:
            return jwt.decode(
                token, key.key, algorithms=[key.algorithm], options=self._options, issuer=self._claims.issuer,
                audience=self._claims.audience, leeway=self._claims.leeway_seconds,
            )  # fmt: skip
        except jwt.InvalidSignatureError:
            return None
        except jwt.PyJWTError as error:
            raise InvalidToken(_reason(error)) from None

    def _named(self, said: Mapping[str, Any], correlation: CorrelationId) -> Actor:
        user = _name(said["sub"], "subject")
        own = self._claims.tenant is None
        tenant = user if self._claims.tenant is None else _name(said.get(self._claims.tenant), "tenant")
        roles = _roles(said.get(self._claims.roles), alone=own)
        expires_at = _expiry(said["exp"], self._claims.leeway_seconds)
        return Actor(TenantId(tenant), UserId(user), roles, correlation, expires_at)


def own_keys(settings: IdentitySettings) -> list[VerifyingKey]:
    """The keys that stand in the settings."""
    keys = []
    if settings.jwt_secret is not None:
        secret = settings.jwt_secret.get_secret_value().encode(errors="surrogateescape")
        keys.append(VerifyingKey("HS256", secret))
    if settings.jwt_public_key is not None:
        found = public_key(settings.jwt_public_key)
        keys.append(VerifyingKey(algorithm_of(found), found))
    return keys


def algorithm_of(key: PublicKey) -> Algorithm:
    """The one algorithm that signatures are checked by with such a key."""
    match key:
        case RSAPublicKey():
            return "RS256"
        case EllipticCurvePublicKey():
            return "ES256"
        case _:
            assert_never(key)


def _header(token: str) -> tuple[str, str | None]:
    """The algorithm and the key's id that a token names."""
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError:
        raise InvalidToken from None
    algorithm, key_id = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or not (key_id is None or isinstance(key_id, str)):
        raise InvalidToken
    return algorithm, key_id


def _reason(error: jwt.PyJWTError) -> str:
    """What is told of a token whose signature is right."""
    match error:
        case jwt.ExpiredSignatureError():
            return "the token has expired"
        case jwt.ImmatureSignatureError():
            return "the token is not valid yet"
        case jwt.InvalidAudienceError():
            return "the token is for somebody else"
        case jwt.InvalidIssuerError():
            return "the token is from somebody else"
        case jwt.MissingRequiredClaimError():
            return f"the token has no {error.claim}"
        case _:
            return "the token is not valid"


def _name(said: object, of: str) -> str:
    if not isinstance(said, str) or not NAME_IN_TOKEN.fullmatch(said):
        raise InvalidToken(f"the token's {of} must be a name of 1 to 128 characters without spaces")
    return said


def _roles(said: object, *, alone: bool) -> frozenset[Role]:
    """The roles that a token names; who is `alone` in their tenant has those that nobody else could have instead."""
    if said is None:
        return USER_ROLES if alone else frozenset({Role.MEMBER})
    names = said.split() if isinstance(said, str) else said
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InvalidToken("the token's roles must be a list of names, or one text")
    return frozenset({Role.MEMBER, *(role for role in Role if role.value in names)})


def _expiry(said: object, leeway_seconds: float) -> datetime:
    """Until when a token counts. PyJWT 2.15 has compared it, in whole seconds; it takes text and truth for numbers."""
    if isinstance(said, bool) or not isinstance(said, int | float) or said > LATEST_EXPIRY:
        raise InvalidToken("the token's exp is not a moment of the calendar")
    return datetime.fromtimestamp(int(said) + leeway_seconds, UTC)
