"""Settings of the models that answer."""

import re
from typing import Annotated

from pydantic import Field, SecretStr, field_validator

from app.core.settings.kinds import MODEL_NAME, Group, Seconds, is_web_address, named

SMALLEST_WINDOW = 256
"""Tokens that a model must have in view at the least: half of it is a short question."""

LARGEST_WINDOW = 100_000_000
"""Ten times the largest there are; what is above is a slip."""


class ModelSettings(Group):
    """The models that answer."""

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
    openai_api_key: SecretStr | None = named("OPENAI_API_KEY", None, "Key of OpenAI; with it, `openai:…` can be used.")
    openai_models: str | None = Field(
        "gpt-5.5,gpt-5.4-mini", description="Models of OpenAI to list, with commas between; any other may be asked for."
    )
    openai_base_url: str | None = Field(None, description="Address of OpenAI's API, where it is not OpenAI's own.")
    anthropic_api_key: SecretStr | None = named(
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
        if not is_web_address(value):
            raise ValueError("must be http:// or https:// with a host, and no user, password, query or fragment")
        return value

    @property
    def window_of_model(self) -> dict[str, int]:
        """The tokens that models can have in view, by `provider:model`, as far as the operator says."""
        return _windows(self.context_windows)


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
