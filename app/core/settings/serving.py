"""Settings of the server, and of what it takes from clients."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from app.core.settings.kinds import Group, Seconds, is_origin


class ServingSettings(Group):
    """The server, and what it takes from clients."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(8000, description="Port to listen on; 0 takes a free one.")
    max_body_bytes: Annotated[int, Field(ge=1024)] = Field(
        8 * 1024 * 1024, description="Largest request body; a longer one is refused with 413 while it is read. A "
        "longer message closes a WebSocket."
    )  # fmt: skip
    socket_operations: Annotated[int, Field(ge=1, le=10_000)] = Field(
        100, description="Most operations that one WebSocket runs at once."
    )
    socket_ping_seconds: Seconds = Field(
        20.0, description="A WebSocket is pinged this often; a client that does not answer within as much is dropped."
    )
    executor: Literal["batch", "standard"] = Field(
        "batch", description="How operations are executed: a level at a time (`batch`), or row by row as graphql-core "
        "does (`standard`). The answers are the same, byte by byte; `standard` is slower."
    )  # fmt: skip
    cors_origins: str | None = Field(
        None, description="Other sites whose pages may ask, with commas between, such as https://app.example.com; `*` "
        "for all, with authentication on alone."
    )  # fmt: skip
    shutdown_seconds: Seconds = Field(10.0, description="After SIGTERM, how long requests in flight may take to end.")

    @field_validator("cors_origins")
    @classmethod
    def _origins_as_browsers_send_them(cls, value: str | None) -> str | None:
        found = _listed(value)
        if found != ("*",) and not all(is_origin(origin) for origin in found):
            raise ValueError(
                "must be origins with commas between, as browsers send them (https://app.example.com: no path, no "
                "slash at its end, no port where it is the usual one), or * alone"
            )
        return value

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """The origins whose pages may ask, beside our own; `*` alone where all may."""
        return _listed(self.cors_origins)


def _listed(value: str | None) -> tuple[str, ...]:
    return tuple(entry.strip() for entry in (value or "").split(",") if entry.strip())
