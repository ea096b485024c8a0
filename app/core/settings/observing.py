"""Settings of what is told of the server's work."""

from pydantic import Field, field_validator

from app.core.settings.kinds import Group


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

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.lower() not in ("debug", "info", "warning", "error"):
            raise ValueError("must be debug, info, warning or error")
        return value.lower()
