"""What settings are made of."""

import re
from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

Seconds = Annotated[float, Field(ge=0.001, le=86_400, allow_inf_nan=False)]
"""From a millisecond, the finest PostgreSQL counts (0 would be no limit at all), to a day."""

MODEL_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}:[!-~]{1,200}")
"""`provider:model`; a model's own name may hold further colons and slashes (`llama3:8b`, `openai/gpt-oss-20b`)."""


_ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[0-9a-z._-]+)(:[0-9]{1,5})?")


class Group(BaseSettings):
    """Settings that belong together: a part of `Settings`, and of the page of configuration."""

    model_config = SettingsConfigDict(
        env_prefix="COLLOQUY_", env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True
    )


def named(name: str, default: Any, description: str) -> Any:
    """A setting whose variable has a name of its own, without our prefix."""
    return Field(default, validation_alias=AliasChoices(name), description=description)


def is_loopback(host: str) -> bool:
    """Whether only processes of this machine can reach a server that listens on `host`."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def is_web_address(value: str) -> bool:
    """Whether it is http:// or https:// with a host, and nothing that is no address."""
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return False
    extras = parts.username is not None or parts.query or parts.fragment or re.search(r"[\s\x00-\x1f]", value)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not extras


def is_origin(value: str) -> bool:
    """Whether it is an origin as browsers write it: a scheme and a host in small ASCII letters, and no usual port."""
    if not _ORIGIN.fullmatch(value) or not is_web_address(value):
        return False
    parts = urlsplit(value)
    return parts.port != {"http": 80, "https": 443}[parts.scheme]
