"""Which models this server can ask, and by what names."""

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import assert_never

from app.core.errors import AppError, ValidationError
from app.core.settings import MODEL_NAME, Settings, SettingsError, environment_name
from app.llm import local
from app.llm.adapters.hosted import Dialect, Endpoint, HostedProvider
from app.llm.breaker import CircuitBreaker, Clock
from app.llm.errors import ProviderNotConfigured
from app.llm.local import LocalModel, LocalProvider
from app.llm.port import ModelEvent, ModelRequest
from app.llm.resilience import Patience, ResilientProvider
from app.llm.window import ContextWindows

OPENAI_URL = "https://api.openai.com/v1"
ANTHROPIC_URL = "https://api.anthropic.com"
"""Given to the SDKs: left to themselves they would look for addresses in variables of their own."""


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """A model of a provider that can be asked."""

    provider: str
    name: str
    """The provider's own name of it."""

    @property
    def id(self) -> str:
        """As `provider:model`."""
        return f"{self.provider}:{self.name}"


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """A model to choose from."""

    id: str
    """As `provider:model`."""
    provider: str
    name: str
    configured: bool
    is_default: bool
    context_window: int | None
    """Tokens that it can have in view; None where that is not known."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A provider as the settings describe it."""

    provider: LocalProvider | ResilientProvider | None
    """None where a setting is missing."""
    listed: tuple[str, ...]
    missing: str = ""
    """The setting that it needs."""


class Models:
    """All models of all providers."""

    def __init__(
        self,
        default: str,
        entries: Mapping[str, _Entry],
        hosted: Sequence[HostedProvider],
        windows: ContextWindows,
    ) -> None:
        self.default = default
        self.windows = windows
        self._entries = entries
        self._hosted = hosted

    @classmethod
    def of(cls, settings: Settings, clock: Clock = monotonic) -> "Models":
        """As the settings say; SettingsError where the default model cannot be asked. Opens no connection.

        `clock` (seconds) says how long a provider that is out of order has been left alone.
        """
        endpoints = _endpoints(settings)
        hosted = {endpoint.dialect: HostedProvider(endpoint) for endpoint in endpoints}
        entries = {local.PROVIDER: _Entry(LocalProvider(settings.local_words_per_second), tuple(LocalModel))}
        for dialect in Dialect:
            provider = _watched(dialect, hosted[dialect], settings, clock) if dialect in hosted else None
            entries[dialect.value] = _Entry(provider, _listed(dialect, settings), _missing(dialect))
        models = cls(settings.model, entries, tuple(hosted.values()), ContextWindows.of_settings(settings))
        try:
            models.resolve(settings.model)
        except AppError as problem:
            raise SettingsError(f"{environment_name('model')}: {problem.message}; {problem.hint}") from None
        return models

    def resolve(self, name: str) -> ResolvedModel:
        """The model `provider:model`.

        A malformed name, or one that `local` does not have, is a ValidationError of the field `model`; a provider that
        is unknown or lacks its settings is a ProviderNotConfigured that names them.
        """
        if not MODEL_NAME.fullmatch(name):
            raise ValidationError(
                "the name of a model is provider:model", field="model", hint=f"for example {self.default}"
            )
        provider, model = name.split(":", 1)
        self._provider(provider)
        if provider == local.PROVIDER and model not in tuple(LocalModel):
            known = " and ".join(f"local:{known}" for known in LocalModel)
            raise ValidationError(f"there is no model {name}", field="model", hint=f"there are {known}")
        return ResolvedModel(provider, model)

    def stream(self, name: str, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """The answer of the model `provider:model`; `request.model` is not looked at. Raises what `resolve` raises.

        Close it when you leave early: that ends the request to the provider.
        """
        resolved = self.resolve(name)
        return self._provider(resolved.provider).stream(replace(request, model=resolved.name))

    def listing(self) -> Sequence[ModelDescription]:
        """The models to choose from, the default first; others of a configured provider may be asked for, too."""
        ids = [
            self.default,
            *(f"{provider}:{name}" for provider, entry in self._entries.items() for name in entry.listed),
        ]
        return [self._described(found) for found in dict.fromkeys(ids)]

    async def close(self) -> None:
        """Closes the connections to the providers."""
        for provider in self._hosted:
            await provider.close()

    def _described(self, found: str) -> ModelDescription:
        provider, name = found.split(":", 1)
        entry = self._entries.get(provider)
        return ModelDescription(
            id=found, provider=provider, name=name, configured=entry is not None and entry.provider is not None,
            is_default=found == self.default, context_window=self.windows.known(found),
        )  # fmt: skip

    def _provider(self, name: str) -> LocalProvider | ResilientProvider:
        entry = self._entries.get(name)
        if entry is None:
            known = ", ".join(self._entries)
            raise ProviderNotConfigured(name, f"there is no provider {name}", hint=f"the providers are {known}")
        if entry.provider is None:
            raise ProviderNotConfigured(name, f"the provider {name} is not set up", hint=f"set {entry.missing}")
        return entry.provider


def _endpoints(settings: Settings) -> Iterator[Endpoint]:
    connect = settings.model_connect_timeout_seconds
    if settings.openai_api_key:
        yield Endpoint(Dialect.OPENAI, settings.openai_base_url or OPENAI_URL, settings.openai_api_key, connect)
    if settings.anthropic_api_key:
        url = settings.anthropic_base_url or ANTHROPIC_URL
        yield Endpoint(Dialect.ANTHROPIC, url, settings.anthropic_api_key, connect)
    if settings.compatible_base_url:
        yield Endpoint(Dialect.COMPATIBLE, settings.compatible_base_url, settings.compatible_api_key, connect)


def _watched(dialect: Dialect, provider: HostedProvider, settings: Settings, clock: Clock) -> ResilientProvider:
    patience = Patience(
        first_token_seconds=settings.model_first_token_timeout_seconds,
        silence_seconds=settings.model_silence_timeout_seconds,
        attempts=settings.model_attempts,
    )
    return ResilientProvider(dialect.value, provider, patience, CircuitBreaker(clock))


def _listed(dialect: Dialect, settings: Settings) -> tuple[str, ...]:
    match dialect:
        case Dialect.OPENAI:
            names = settings.openai_models
        case Dialect.ANTHROPIC:
            names = settings.anthropic_models
        case Dialect.COMPATIBLE:
            names = settings.compatible_models
        case _:
            assert_never(dialect)
    return tuple(name.strip() for name in (names or "").split(",") if name.strip())


def _missing(dialect: Dialect) -> str:
    match dialect:
        case Dialect.OPENAI | Dialect.ANTHROPIC:
            return environment_name(f"{dialect.value}_api_key")
        case Dialect.COMPATIBLE:
            return environment_name("compatible_base_url")
        case _:
            assert_never(dialect)
