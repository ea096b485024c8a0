"""Settings of who may come in. What needs cryptography is imported where it is set: that takes a tenth of a second."""

from pydantic import Field, SecretStr, field_validator

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
