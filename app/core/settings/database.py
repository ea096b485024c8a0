"""Settings of the database."""

from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import quote

from pydantic import Field, SecretStr, field_validator, model_validator

from app.core.settings.kinds import Group, Seconds, named


class DatabaseSettings(Group):
    """The database."""

    database_url: SecretStr | None = named(
        "DATABASE_URL", None, "PostgreSQL to use: postgresql://user:password@host:port/database. Without it and "
        "POSTGRES_HOST, an embedded PostgreSQL 18 is started in the data folder."
    )  # fmt: skip
    postgres_host: str | None = named("POSTGRES_HOST", None, "Host of PostgreSQL, where DATABASE_URL is not given.")
    postgres_port: Annotated[int, Field(ge=1, le=65535)] = named("POSTGRES_PORT", 5432, "Port of PostgreSQL.")
    postgres_db: str = named("POSTGRES_DB", "colloquy", "Name of the database.")
    postgres_user: str = named("POSTGRES_USER", "colloquy", "User of the database.")
    postgres_password: SecretStr | None = named("POSTGRES_PASSWORD", None, "Password of that user.")
    database_read_url: SecretStr | None = named(
        "DATABASE_READ_URL", None, "A standby of that PostgreSQL, from which queries are read as soon as it has all "
        "that was committed before they came."
    )  # fmt: skip
    read_wait_seconds: Seconds = Field(
        0.05, description="How long a query waits for the standby to have that; then it is read from the database."
    )
    pooler: Literal["off", "transaction"] = Field(
        "off", description="`transaction`: DATABASE_URL is that of a pooler which lends a connection per transaction, "
        "as PgBouncer with pool_mode=transaction; needs COLLOQUY_LISTEN_URL."
    )  # fmt: skip
    listen_url: SecretStr | None = Field(
        None, description="Address of PostgreSQL past a pooler, for migrations and the one connection that listens. "
        "Without it, the address of the database."
    )  # fmt: skip
    data_dir: Path = Field(Path(".data"), description="Folder of the embedded database.")
    pool_size: Annotated[int, Field(ge=1, le=1000)] = Field(20, description="Most database connections of one process.")
    pool_idle_seconds: Seconds = Field(30.0, description="An idle connection is closed after this.")
    connect_timeout_seconds: Seconds = Field(
        2.0, description="How long to wait for a connection: a new one, or one that another request gives back."
    )
    statement_timeout_seconds: Seconds = Field(
        30.0, description="A statement that runs longer is cancelled by the database."
    )
    migrate_on_start: bool = Field(True, description="Apply missing migrations when the server starts.")

    @field_validator("database_url", "database_read_url", "listen_url")
    @classmethod
    def _postgres_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or not value.get_secret_value():
            return None
        if not value.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("must start with postgresql://")
        return value

    @model_validator(mode="after")
    def _others_stand_beside_one_that_is_named(self) -> Self:
        if self.pooler != "off" and self.listen_url is None:
            raise ValueError(
                f"COLLOQUY_POOLER={self.pooler} needs COLLOQUY_LISTEN_URL, the address of PostgreSQL past the pooler: "
                "over a pooler nothing is heard, and no migration can keep others waiting"
            )
        if self.dsn is None and (self.pooler != "off" or self.database_read_url is not None):
            raise ValueError("DATABASE_READ_URL and COLLOQUY_POOLER go with DATABASE_URL, or POSTGRES_HOST: set one")
        return self

    @property
    def dsn(self) -> str | None:
        """The address of the PostgreSQL that was configured; None where the embedded one is meant."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        if self.postgres_host is None:
            return None
        password = f":{quote(self.postgres_password.get_secret_value(), safe='')}" if self.postgres_password else ""
        user = quote(self.postgres_user, safe="")
        host = f"[{self.postgres_host}]" if ":" in self.postgres_host else self.postgres_host
        return f"postgresql://{user}{password}@{host}:{self.postgres_port}/{quote(self.postgres_db, safe='')}"
