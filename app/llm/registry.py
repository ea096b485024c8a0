"""Which models this server can ask, and by what names."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace

from app.core.errors import ValidationError
from app.core.settings import MODEL_NAME, Settings
from app.llm import local
from app.llm.errors import ProviderNotConfigured
from app.llm.local import LocalModel, LocalProvider
from app.llm.port import ModelEvent, ModelProvider, ModelRequest


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

    provider: ModelProvider | None
    """None where a setting is missing."""
    listed: tuple[str, ...]
    missing: str = ""
    """The settings that it needs, for a person to read."""


class Models:
    """All models of all providers."""

    def __init__(self, default: str, entries: Mapping[str, _Entry]) -> None:
        self.default = default
        self._entries = entries

    @classmethod
    def of(cls, settings: Settings) -> "Models":
        """As the settings say. Opens no connection."""
        pace = settings.local_words_per_second
        entries = {local.PROVIDER: _Entry(LocalProvider(pace), tuple(LocalModel))}
        return cls(settings.model, entries)

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

    def stream(self, name: str, request: ModelRequest) -> AsyncIterator[ModelEvent]:
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

    def _described(self, found: str) -> ModelDescription:
        provider, name = found.split(":", 1)
        entry = self._entries.get(provider)
        return ModelDescription(
            id=found, provider=provider, name=name, configured=entry is not None and entry.provider is not None,
            is_default=found == self.default, context_window=None,
        )  # fmt: skip

    def _provider(self, name: str) -> ModelProvider:
        entry = self._entries.get(name)
        if entry is None:
            known = ", ".join(self._entries)
            raise ProviderNotConfigured(name, f"there is no provider {name}", hint=f"the providers are {known}")
        if entry.provider is None:
            raise ProviderNotConfigured(name, f"the provider {name} is not set up", hint=f"set {entry.missing}")
        return entry.provider
