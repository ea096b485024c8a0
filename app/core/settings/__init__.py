"""Settings: from the environment, with defaults that work, checked when the process starts.

A file per group: a setting is added to its group, and to that part of the page of configuration.
"""

from pydantic import AliasChoices, ValidationError, model_validator

from app.core.settings.database import DatabaseSettings
from app.core.settings.identity import IdentitySettings
from app.core.settings.kinds import MODEL_NAME, Group, is_loopback
from app.core.settings.limits import LimitSettings
from app.core.settings.models import ModelSettings
from app.core.settings.observing import ObservingSettings
from app.core.settings.serving import ServingSettings
from app.core.settings.work import WorkSettings

GROUPS: tuple[type[Group], ...] = (
    DatabaseSettings, ServingSettings, LimitSettings, IdentitySettings, WorkSettings, ModelSettings, ObservingSettings,
)  # fmt: skip
"""In the order of the page of configuration."""

__all__ = [
    "GROUPS", "MODEL_NAME", "Settings", "SettingsError", "direct_address", "environment_name", "is_loopback",
    "load_settings",
]  # fmt: skip


class SettingsError(Exception):
    """One line per setting that is wrong, with its name in the environment and what it should be."""


class Settings(
    DatabaseSettings, ServingSettings, LimitSettings, IdentitySettings, WorkSettings, ModelSettings, ObservingSettings
):
    """What an operator may choose. `docs/configuration.md` holds the same tables; a test compares them."""

    @model_validator(mode="after")
    def _open_doors_stay_inside(self) -> "Settings":
        # Whoever can reach the port would be anybody they name: only this machine may.
        if self.auth == "off" and not is_loopback(self.host):
            raise ValueError(
                f"COLLOQUY_HOST={self.host} with COLLOQUY_AUTH=off would let everybody on the network in as anybody: "
                "listen on 127.0.0.1 or ::1"
            )
        if self.auth == "off" and any("*" in name for name in self.host_names):
            raise ValueError(
                "COLLOQUY_ALLOWED_HOSTS with `*` and COLLOQUY_AUTH=off would let any page in as anybody: name the hosts"
            )
        return self

    @model_validator(mode="after")
    def _no_page_of_all_is_let_in_by_its_place(self) -> "Settings":
        # With the doors open, being on this machine is enough: any page that a browser here shows would be.
        if self.auth == "off" and "*" in self.allowed_origins:
            raise ValueError(
                "COLLOQUY_CORS_ORIGINS=* with COLLOQUY_AUTH=off would let any page that is open in a browser of this "
                "machine in: name the origins"
            )
        return self

    @model_validator(mode="after")
    def _waiting_ends_before_it_is_cut(self) -> "Settings":
        if self.operation_timeout_seconds <= self.execute_wait_seconds:
            raise ValueError(
                f"COLLOQUY_OPERATION_TIMEOUT_SECONDS={self.operation_timeout_seconds:g} must be more than "
                f"COLLOQUY_EXECUTE_WAIT_SECONDS={self.execute_wait_seconds:g}: it may wait so long"
            )
        return self


def direct_address(settings: Settings, dsn: str) -> str:
    """Where to listen and to migrate, of a process whose database is at `dsn`: past a pooler."""
    return settings.listen_url.get_secret_value() if settings.listen_url is not None else dsn


def load_settings(**flags: object) -> Settings:
    """The settings of this process: flags first, then the environment, then defaults; SettingsError says what is wrong.

    A flag that is None was not given.
    """
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        told = sorted(error.errors(), key=lambda found: _place_on_page(found["loc"]))
        raise SettingsError("; ".join(_explain(found["loc"], found["msg"]) for found in told)) from None


def environment_name(field: str) -> str:
    """The variable that sets `field`."""
    alias = Settings.model_fields[field].validation_alias
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"COLLOQUY_{field.upper()}"


def _place_on_page(place: tuple[int | str, ...]) -> int:
    names = [name for group in GROUPS for name in group.model_fields]
    return names.index(str(place[0])) if place and place[0] in names else len(names)


def _explain(place: tuple[int | str, ...], message: str) -> str:
    # Neither the value nor the rest of pydantic's text: a password may stand in it.
    message = message.removeprefix("Value error, ")
    if not place:
        return message
    name = str(place[0])
    return f"{environment_name(name) if name in Settings.model_fields else name}: {message}"
