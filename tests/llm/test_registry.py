"""Which models there are, and what the settings say of them."""

import pytest

from app.core.errors import ErrorCode, ValidationError
from app.core.settings import Settings, SettingsError, load_settings
from app.llm.errors import ProviderNotConfigured
from app.llm.registry import Models
from tests.llm.conversations import KEY, asking, gathered, text_of, user

LOCAL_ONLY = Settings(local_words_per_second=0)


async def test_default_answers_without_any_setting() -> None:
    models = Models.of(LOCAL_ONLY)

    events = await gathered(models.stream(models.default, asking(user("Hello?"))))

    assert models.default == "local:extractive"
    assert "local model" in text_of(events)


def test_listing_shows_the_default_first_and_what_is_configured() -> None:
    models = Models.of(
        Settings(model="openai:gpt-4o", openai_api_key=KEY, openai_models="gpt-4o, o3", compatible_models="llama3:8b")
    )

    shown = [(found.id, found.configured, found.is_default) for found in models.listing()]

    assert shown[0] == ("openai:gpt-4o", True, True)
    assert [found for found in shown if found[0].startswith("openai")] == [shown[0], ("openai:o3", True, False)]
    assert ("local:echo", True, False) in shown
    assert ("compatible:llama3:8b", False, False) in shown
    assert ("anthropic:claude-opus-5-5", False, False) in shown
    assert models.listing()[0].context_window == 128_000


def test_models_own_name_may_hold_colons_and_slashes() -> None:
    models = Models.of(Settings(compatible_base_url="http://127.0.0.1:1/v1"))

    assert models.resolve("compatible:openai/gpt-oss:20b").name == "openai/gpt-oss:20b"
    assert models.resolve("compatible:llama3:8b").id == "compatible:llama3:8b"


@pytest.mark.parametrize("name", ["", "gpt-4o", "openai:", ":gpt-4o", "openai:gpt 4", "OpenAI:x", "local:gpt-4o"])
def test_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Models.of(LOCAL_ONLY).resolve(name)

    assert caught.value.field == "model"
    assert caught.value.hint


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("openai:gpt-4o", "set OPENAI_API_KEY"),
        ("anthropic:claude-x", "set ANTHROPIC_API_KEY"),
        ("compatible:llama3", "set COLLOQUY_COMPATIBLE_BASE_URL"),
        ("mistral:large", "the providers are local, openai, anthropic, compatible"),
    ],
)
def test_provider_without_its_settings_names_them(name: str, hint: str) -> None:
    with pytest.raises(ProviderNotConfigured) as caught:
        Models.of(LOCAL_ONLY).stream(name, asking())

    assert caught.value.code is ErrorCode.PROVIDER_NOT_CONFIGURED
    assert caught.value.hint == hint
    assert not caught.value.retryable


def test_default_that_cannot_be_asked_stops_the_start() -> None:
    with pytest.raises(SettingsError, match="COLLOQUY_MODEL: the provider openai is not set up; set OPENAI_API_KEY"):
        Models.of(Settings(model="openai:gpt-4o"))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("COLLOQUY_MODEL", "extractive"),
        ("OPENAI_API_KEY", "sk-two words"),
        ("ANTHROPIC_API_KEY", "sk-ünicode"),
        ("COLLOQUY_COMPATIBLE_BASE_URL", "localhost:11434"),
        ("COLLOQUY_COMPATIBLE_BASE_URL", "http://user:password@host/v1"),
        ("COLLOQUY_OPENAI_BASE_URL", "https://host:port/v1"),
        ("COLLOQUY_ANTHROPIC_BASE_URL", "https://host/?key=1"),
        ("COLLOQUY_MODEL_ATTEMPTS", "0"),
        ("COLLOQUY_LOCAL_WORDS_PER_SECOND", "-1"),
    ],
)
def test_setting_that_is_wrong_is_named_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingsError) as caught:
        load_settings()

    assert str(caught.value).startswith(f"{variable}: ")
    assert "password@" not in str(caught.value)
    assert "two words" not in str(caught.value)


def test_keys_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "COLLOQUY_COMPATIBLE_API_KEY"):
        monkeypatch.setenv(variable, f" {KEY}\n")

    settings = load_settings()

    assert KEY not in f"{settings!r} {settings} {Models.of(settings)!r} {settings.model_dump_json()}"
    assert settings.openai_api_key is not None
    assert settings.openai_api_key.get_secret_value() == KEY, "the line break of a file is not part of a key"


async def test_closing_twice_is_closing() -> None:
    models = Models.of(Settings(openai_api_key=KEY))

    await models.close()
    await models.close()
