"""Settings of what is told of the server's work."""

from typing import Annotated

from pydantic import Field, SecretStr, field_validator

from app.core.settings.kinds import Group

SHORTEST_METRICS_TOKEN = 32
"""Characters: 16 random bytes in hexadecimal digits cannot be guessed."""


class ObservingSettings(Group):
    """What is told of the server's work."""

    log_level: str = Field("info", description="debug, info, warning or error.")
    log_sql: bool = Field(
        False, description="Log every statement with its duration (never its values): for development."
    )
    sql_comments: bool = Field(
        False, description="Begin every statement with its correlation id in a comment: for debugging. PostgreSQL "
        "parses and plans each one anew then."
    )  # fmt: skip
    metrics_token: SecretStr | None = Field(
        None, description="With it as their bearer token, requests may read `/metrics`; at least 32 characters. "
        "Without authentication (`COLLOQUY_AUTH=off`) nobody needs one."
    )  # fmt: skip
    metrics_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        0, description="A port of its own for the metrics and the health of one process, on the address to listen on; "
        "the first free one from it on, where several processes have the same setting. 0 for none."
    )  # fmt: skip

    @field_validator("metrics_token")
    @classmethod
    def _long_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < SHORTEST_METRICS_TOKEN:
            raise ValueError(f"must have at least {SHORTEST_METRICS_TOKEN} characters")
        return value

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.lower() not in ("debug", "info", "warning", "error"):
            raise ValueError("must be debug, info, warning or error")
        return value.lower()
