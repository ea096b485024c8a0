"""Settings of who may come in. What needs cryptography is imported where it is set: that takes a tenth of a second."""

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from app.core.settings.kinds import Group, Seconds, is_loopback

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
"""What a browser may call a server whose doors are open: a page elsewhere could give its own name our address."""

LARGEST_KEY_BYTES = 64 * 1024
"""A public key has under two kilobytes."""

_HOST = re.compile(r"\*|(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\]")
_CLAIM = re.compile(r"[^\s\x00-\x1f\x7f]{1,200}")

SHORTEST_PEPPER_BYTES = 32
"""As long as the digest that it keys: a shorter one could be found by trying."""


class IdentitySettings(Group):
    """Who may come in."""

    auth: str = Field(
        "off", description="Who may come in. `off`: everybody is user `system` of tenant `default`, or who the header "
        "X-Colloquy-User names; allowed on loopback addresses only. `on`: who shows a token or an API key."
    )  # fmt: skip
    allowed_hosts: str | None = Field(
        None, description="Names by which the server may be called, and whose pages may open sockets, with commas "
        "between; `*.example.com` is all below it, `*` any. Without it: any, or with authentication off the names of "
        "this machine."
    )  # fmt: skip
    jwt_secret: SecretStr | None = Field(
        None, description="Secret that tokens are signed with (HS256), of at least 32 bytes."
    )
    jwt_public_key: str | None = Field(
        None, description="Public key that tokens are checked with, in PEM or as the path of a file with it: RSA "
        "(RS256, from 2048 bits) or P-256 (ES256)."
    )  # fmt: skip
    jwt_jwks_url: str | None = Field(
        None, description="Address where a provider publishes its public keys (JWKS), with https://, or http:// on "
        "this machine."
    )  # fmt: skip
    jwt_jwks_seconds: Seconds = Field(300.0, description="Published keys are fetched again when they are older.")
    jwt_issuer: str | None = Field(None, description="Who must have issued a token (`iss`). Without it, anybody.")
    jwt_audience: str | None = Field(None, description="For whom a token must be (`aud`). Without it, for anybody.")
    jwt_tenant_claim: str | None = Field(
        None, description="The member of a token that names the tenant. Without it, each user is a tenant of their own."
    )
    jwt_roles_claim: str = Field(
        "roles", description="The member of a token that names roles: a list, or one text with spaces between."
    )
    jwt_leeway_seconds: Annotated[float, Field(ge=0, le=300, allow_inf_nan=False)] = Field(
        10.0, description="By how much the clocks of whoever issues tokens and of the server may differ."
    )
    api_key_pepper: SecretStr | None = Field(
        None, description="Secret of at least 32 bytes that keys the digests of API keys, the same in all processes: "
        "whoever reads the database alone can then check no guess. With another one, all keys that were made are void."
    )  # fmt: skip

    @field_validator("auth")
    @classmethod
    def _known_auth(cls, value: str) -> str:
        if value not in ("off", "on"):
            raise ValueError("must be off or on")
        return value

    @field_validator("api_key_pepper")
    @classmethod
    def _long_pepper(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value().encode()) < SHORTEST_PEPPER_BYTES:
            raise ValueError(f"must be at least {SHORTEST_PEPPER_BYTES} bytes")
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def _names_of_hosts(cls, value: str | None) -> str | None:
        if value is not None and not all(_HOST.fullmatch(name) for name in _listed(value)):
            raise ValueError("must be names without ports, with commas between, such as chat.example.com,*.example.org")
        return value

    @field_validator("jwt_secret")
    @classmethod
    def _long_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or not value.get_secret_value():
            return None
        from app.core.verifying import require_secret

        require_secret(value.get_secret_value().encode(errors="surrogateescape"))
        return value

    @field_validator("jwt_public_key")
    @classmethod
    def _pem(cls, value: str | None) -> str | None:
        if value is None or not value.strip():
            return None
        from app.core.verifying import public_key

        # A line break of a variable is often written as two characters.
        pem = value.replace("\\n", "\n") if "-----BEGIN" in value else _file_of(value)
        public_key(pem)
        return pem

    @field_validator("jwt_jwks_url")
    @classmethod
    def _trusted_address(cls, value: str | None) -> str | None:
        if value is not None and not _is_trusted_address(value):
            raise ValueError("must be https:// with a host, or http:// on this machine, and no user or fragment")
        return value

    @field_validator("jwt_tenant_claim", "jwt_roles_claim")
    @classmethod
    def _name_of_claim(cls, value: str | None) -> str | None:
        if value is not None and not _CLAIM.fullmatch(value):
            raise ValueError("must be the name of a member, of at most 200 characters and without spaces")
        return value

    @property
    def host_names(self) -> list[str]:
        """By which the server may be called: names, `*.name` for all below one, or `*`."""
        if self.allowed_hosts is not None:
            return _listed(self.allowed_hosts)
        return list(LOOPBACK_NAMES) if self.auth == "off" else ["*"]


def _listed(value: str) -> list[str]:
    return [name.strip() for name in value.split(",") if name.strip()]


def _file_of(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            return file.read(LARGEST_KEY_BYTES).decode()
    except (OSError, ValueError):
        raise ValueError("must be a public key in PEM, or the path of a file with one") from None


def _is_trusted_address(value: str) -> bool:
    """Over http:// anybody on the way could put in a key of their own."""
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return False
    if not parts.hostname or "@" in parts.netloc or parts.fragment or not re.fullmatch(r"[!-~]+", value):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
