"""Settings of who may come in."""

from pydantic import Field, field_validator

from app.core.settings.kinds import Group


class IdentitySettings(Group):
    """Who may come in."""

    auth: str = Field(
        "off", description="Who may come in. `off`: everybody is user `system` of tenant `default`, or who the header "
        "X-Colloquy-User names; allowed on loopback addresses only."
    )  # fmt: skip

    @field_validator("auth")
    @classmethod
    def _known_auth(cls, value: str) -> str:
        if value != "off":
            raise ValueError("must be: off")
        return value
