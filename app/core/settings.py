"""Settings: from the environment, with defaults that work, checked when the process starts."""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

Seconds = Annotated[float, Field(ge=0.001, le=86_400, allow_inf_nan=False)]
"""From a millisecond, the finest PostgreSQL counts (0 would be no limit at all), to a day."""


MODEL_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}:[!-~]{1,200}")
"""`provider:model`; a model's own name may hold further colons and slashes (`llama3:8b`, `openai/gpt-oss-20b`)."""


SMALLEST_WINDOW = 256
"""Tokens that a model must have in view at the least: half of it is a short question."""

LARGEST_WINDOW = 100_000_000
"""Ten times the largest there are; what is above is a slip."""


class SettingsError(Exception):
    """One line per setting that is wrong, with its name in the environment and what it should be."""


def _named(name: str, default: Any, description: str) -> Any:
    return Field(default, validation_alias=AliasChoices(name), description=description)


class Settings(BaseSettings):
    """What an operator may choose. `docs/configuration.md` holds the same table; a test compares them."""

    model_config = SettingsConfigDict(
        env_prefix="COLLOQUY_", env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True
    )

    database_url: SecretStr | None = _named(
        "DATABASE_URL", None, "PostgreSQL to use: postgresql://user:password@host:port/database. Without it and "
        "POSTGRES_HOST, an embedded PostgreSQL 18 is started in the data folder."
    )  # fmt: skip
    postgres_host: str | None = _named("POSTGRES_HOST", None, "Host of PostgreSQL, where DATABASE_URL is not given.")
    postgres_port: Annotated[int, Field(ge=1, le=65535)] = _named("POSTGRES_PORT", 5432, "Port of PostgreSQL.")
    postgres_db: str = _named("POSTGRES_DB", "colloquy", "Name of the database.")
    postgres_user: str = _named("POSTGRES_USER", "colloquy", "User of the database.")
    postgres_password: SecretStr | None = _named("POSTGRES_PASSWORD", None, "Password of that user.")

    listen_url: SecretStr | None = Field(
        None, description="Address of PostgreSQL past a transaction pooler, for the one connection that listens. "
        "Without it, the address of the database."
    )  # fmt: skip
    data_dir: Path = Field(Path(".data"), description="Folder of the embedded database.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(8000, description="Port to listen on; 0 takes a free one.")
    auth: str = Field(
        "off", description="Who may come in. `off`: everybody is user `system` of tenant `default`, or who the header "
        "X-Colloquy-User names; allowed on loopback addresses only."
    )  # fmt: skip

    pool_size: Annotated[int, Field(ge=1, le=1000)] = Field(20, description="Most database connections of one process.")
    pool_idle_seconds: Seconds = Field(30.0, description="An idle connection is closed after this.")
    connect_timeout_seconds: Seconds = Field(
        2.0, description="How long to wait for a connection: a new one, or one that another request gives back."
    )
    statement_timeout_seconds: Seconds = Field(
        30.0, description="A statement that runs longer is cancelled by the database."
    )
    migrate_on_start: bool = Field(True, description="Apply missing migrations when the server starts.")
    job_lease_seconds: Annotated[float, Field(ge=1, le=86_400, allow_inf_nan=False)] = Field(
        6.0, description="After this long without a sign of life, the jobs of a process are run by others. From 1, and "
        "the same for all processes."
    )  # fmt: skip
    runs_per_process: Annotated[int, Field(ge=2, le=100_000)] = Field(
        500, description="Most jobs one process runs at once."
    )
    compact_after_seconds: Annotated[float, Field(ge=0, le=31_536_000)] = Field(
        3_600.0, description="The pieces of an answer are given up this long after its end; its message keeps the text."
    )
    abandon_after_seconds: Annotated[float, Field(ge=60, le=31_536_000)] = Field(
        86_400.0, description="A message that an application began, and of which nothing came for so long, has FAILED."
    )
    approval_expires_seconds: Annotated[float, Field(ge=1, le=31_536_000)] = Field(
        604_800.0, description="A tool's execution that awaits a person's approval for so long is cancelled."
    )
    execute_wait_seconds: Annotated[float, Field(ge=0.1, le=3_600, allow_inf_nan=False)] = Field(
        60.0,
        description="How long `executePrompt` with `wait: true` waits for the answer before it says that it goes on.",
    )
    workflow_parallel: Annotated[int, Field(ge=1, le=100)] = Field(
        4, description="How many stages of one project are generated at a time; the others wait for their turn."
    )
    shutdown_seconds: Seconds = Field(10.0, description="After SIGTERM, how long requests in flight may take to end.")

    intent_catalogue: Path | None = Field(
        None, description="JSON file that replaces the built-in catalogue of intents."
    )
    model: str = Field(
        "local:extractive", description="The model that answers where none is asked for, as `provider:model`."
    )
    local_words_per_second: Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)] = Field(
        40.0, description="Pace of the built-in models `local:…`; 0 is as fast as possible."
    )
    model_connect_timeout_seconds: Seconds = Field(10.0, description="How long a model's provider may take to connect.")
    model_first_token_timeout_seconds: Seconds = Field(
        120.0, description="How long a model may take, once it was asked, to the first piece of its answer."
    )
    model_silence_timeout_seconds: Seconds = Field(
        60.0, description="How long a model may be silent between two pieces of its answer."
    )
    model_attempts: Annotated[int, Field(ge=1, le=10)] = Field(
        3, description="How often a request is sent to a model's provider that fails before the answer has begun."
    )
    budget_output_tokens: Annotated[int, Field(ge=1, le=2**31 - 1)] = Field(
        4_096, description="The most an answer may write that a budget limits, where maxOutputTokens is not given."
    )
    openai_api_key: SecretStr | None = _named("OPENAI_API_KEY", None, "Key of OpenAI; with it, `openai:…` can be used.")
    openai_models: str | None = Field(
        "gpt-5.5,gpt-5.4-mini", description="Models of OpenAI to list, with commas between; any other may be asked for."
    )
    openai_base_url: str | None = Field(None, description="Address of OpenAI's API, where it is not OpenAI's own.")
    anthropic_api_key: SecretStr | None = _named(
        "ANTHROPIC_API_KEY", None, "Key of Anthropic; with it, `anthropic:…` can be used."
    )
    anthropic_models: str | None = Field(
        "claude-opus-5-5,claude-sonnet-5-5",
        description="Models of Anthropic to list, with commas between; any other may be asked for.",
    )
    anthropic_base_url: str | None = Field(
        None, description="Address of Anthropic's API, where it is not Anthropic's own."
    )
    compatible_base_url: str | None = Field(
        None, description="Address of a server that speaks OpenAI's chat completions (Ollama, vLLM, llama.cpp), such "
        "as http://127.0.0.1:11434/v1; with it, `compatible:…` can be used."
    )  # fmt: skip
    compatible_api_key: SecretStr | None = Field(None, description="Key of that server, where it wants one.")
    compatible_models: str | None = Field(
        None, description="Models of that server to list, with commas between; any other may be asked for."
    )

    context_windows: str | None = Field(
        None, description="How many tokens models can have in view, with commas between, such as "
        "`compatible:llama3=8192,openai:gpt-5.5=200000`; before what is known of them. From 256."
    )  # fmt: skip
    context_window_default: Annotated[int, Field(ge=SMALLEST_WINDOW, le=LARGEST_WINDOW)] = Field(
        32_768, description="The same for models of which it is not known: `compatible:…`, and new ones."
    )
    output_reserve_tokens: Annotated[int, Field(ge=0, le=LARGEST_WINDOW)] = Field(
        4_096, description="Tokens kept free for the answer where a request does not say how long that may be; never "
        "more than half of what a model can have in view."
    )  # fmt: skip

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
    log_level: str = Field("info", description="debug, info, warning or error.")
    log_sql: bool = Field(
        False, description="Log every statement with its duration (never its values): for development."
    )
    sql_comments: bool = Field(
        False, description="Begin every statement with its correlation id in a comment: for debugging. PostgreSQL "
        "parses and plans each one anew then."
    )  # fmt: skip

    @field_validator("auth")
    @classmethod
    def _known_auth(cls, value: str) -> str:
        if value != "off":
            raise ValueError("must be: off")
        return value

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.lower() not in ("debug", "info", "warning", "error"):
            raise ValueError("must be debug, info, warning or error")
        return value.lower()

    @field_validator("database_url", "listen_url")
    @classmethod
    def _postgres_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or not value.get_secret_value():
            return None
        if not value.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("must start with postgresql://")
        return value

    @field_validator("model")
    @classmethod
    def _provider_and_model(cls, value: str) -> str:
        if not MODEL_NAME.fullmatch(value):
            raise ValueError("must be provider:model, such as local:extractive or openai:gpt-5-mini")
        return value

    @field_validator("context_windows")
    @classmethod
    def _windows_of_models(cls, value: str | None) -> str | None:
        _windows(value)
        return value

    @field_validator("openai_api_key", "anthropic_api_key", "compatible_api_key")
    @classmethod
    def _sendable_key(cls, value: SecretStr | None) -> SecretStr | None:
        # Found here: what cannot stand in a header would be refused later with the key in the error's text.
        if value is None or not value.get_secret_value().strip():
            return None
        key = value.get_secret_value().strip()
        if not re.fullmatch("[!-~]+", key):
            raise ValueError("must be visible ASCII characters without spaces")
        return SecretStr(key)

    @field_validator("openai_base_url", "anthropic_base_url", "compatible_base_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not _is_web_address(value):
            raise ValueError("must be http:// or https:// with a host, and no user, password, query or fragment")
        return value

    @field_validator("intent_catalogue")
    @classmethod
    def _readable_file(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError(f"there is no file {value}")
        return value

    @model_validator(mode="after")
    def _open_doors_stay_inside(self) -> "Settings":
        # Whoever can reach the port would be anybody they name: only this machine may.
        if self.auth == "off" and not is_loopback(self.host):
            raise ValueError(
                f"COLLOQUY_HOST={self.host} with COLLOQUY_AUTH=off would let everybody on the network in as anybody: "
                "listen on 127.0.0.1 or ::1"
            )
        return self

    @property
    def window_of_model(self) -> dict[str, int]:
        """The tokens that models can have in view, by `provider:model`, as far as the operator says."""
        return _windows(self.context_windows)

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


def listen_address(settings: Settings, dsn: str) -> str:
    """Where to listen, of a process whose database is at `dsn`."""
    return settings.listen_url.get_secret_value() if settings.listen_url is not None else dsn


def _windows(value: str | None) -> dict[str, int]:
    found: dict[str, int] = {}
    for entry in (value or "").split(","):
        if not entry.strip():
            continue
        # The last "=": a model's own name may hold one.
        model, _, tokens = (part.strip() for part in entry.rpartition("="))
        if not MODEL_NAME.fullmatch(model) or not re.fullmatch(r"[0-9]{1,9}", tokens):
            raise ValueError("must be provider:model=tokens with commas between, such as compatible:llama3=8192")
        if not SMALLEST_WINDOW <= int(tokens) <= LARGEST_WINDOW:
            raise ValueError(f"the tokens of {model} must be between {SMALLEST_WINDOW} and {LARGEST_WINDOW}")
        if model in found:
            raise ValueError(f"{model} is there twice")
        found[model] = int(tokens)
    return found


def _is_web_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return False
    extras = parts.username is not None or parts.query or parts.fragment or re.search(r"[\s\x00-\x1f]", value)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not extras


def is_loopback(host: str) -> bool:
    """Whether only processes of this machine can reach a server that listens on `host`."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def load_settings(**flags: object) -> Settings:
    """The settings of this process: flags first, then the environment, then defaults; SettingsError says what is wrong.

    A flag that is None was not given.
    """
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        raise SettingsError("; ".join(_explain(found["loc"], found["msg"]) for found in error.errors())) from None


def environment_name(field: str) -> str:
    """The variable that sets `field`."""
    alias = Settings.model_fields[field].validation_alias
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"COLLOQUY_{field.upper()}"


def _explain(place: tuple[int | str, ...], message: str) -> str:
    # Neither the value nor the rest of pydantic's text: a password may stand in it.
    message = message.removeprefix("Value error, ")
    if not place:
        return message
    name = str(place[0])
    return f"{environment_name(name) if name in Settings.model_fields else name}: {message}"
