"""The port to language models: what is asked of one, and what comes back, whoever provides it."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

import orjson

from app.core.actor import CorrelationId


class Speaker(StrEnum):
    """Who says a part of the conversation."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class StopReason(StrEnum):
    """Why a model stopped by itself."""

    STOP = "stop"
    """It had said what it wanted to say."""
    LENGTH = "length"
    """The limit of output tokens was reached."""
    TOOL_CALLS = "tool_calls"
    """It waits for the results of tools."""
    CONTENT_FILTER = "content_filter"
    """The provider refused to go on."""


@dataclass(frozen=True, slots=True)
class ToolCallRequested:
    """The model asks for a tool; sent once its arguments are complete."""

    call_id: str
    name: str
    arguments: str
    """JSON as the model wrote it; not always valid."""


@dataclass(frozen=True, slots=True)
class ConversationPart:
    """One turn that the model is to have in view."""

    speaker: Speaker
    text: str
    context: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Context items by kind (documentChunks, insights …) that the turn was written with in view."""
    tool_calls: tuple[ToolCallRequested, ...] = ()
    """Of an assistant's turn."""
    tool_call_id: str | None = None
    """Of a tool's turn: the call it answers."""


@dataclass(frozen=True, slots=True)
class ToolSpecification:
    """A tool that the model may ask for."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    """JSON Schema of its arguments."""


@dataclass(frozen=True, slots=True)
class OutputSchema:
    """What the answer is to be: one JSON value that fits a schema, and nothing around it."""

    name: str
    """Letters, digits, underscores and hyphens, at most 64: providers take no other."""
    schema: Mapping[str, Any]
    """JSON Schema; every object names all its properties as required and no others."""

    def as_json(self) -> dict[str, Any]:
        """As it is stored with a run.

        The schema as a text: jsonb forgets the order of properties, and it is the one that models write them in.
        """
        return {"name": self.name, "schema": orjson.dumps(dict(self.schema)).decode()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "OutputSchema":
        """The inverse of `as_json`."""
        return cls(stored["name"], orjson.loads(stored["schema"]))


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """What a model is asked."""

    model: str
    """The provider's own name of the model, without the provider."""
    conversation: tuple[ConversationPart, ...]
    """Oldest first; the last part is what to answer."""
    temperature: float | None = None
    max_output_tokens: int | None = None
    tools: tuple[ToolSpecification, ...] = ()
    output: OutputSchema | None = None
    """None for text."""
    correlation_id: CorrelationId | None = None
    """Under which it is asked: providers are sent it, and can find the request by it."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer in disjoint buckets: their sum is the provider's total (C17)."""

    input: int = 0
    """Read anew: neither from a cache nor written to one."""
    cached_input: int = 0
    cache_write: int = 0
    output: int = 0
    """Shown: without reasoning."""
    reasoning: int = 0

    @property
    def total(self) -> int:
        """All tokens."""
        return self.input + self.cached_input + self.cache_write + self.output + self.reasoning


@dataclass(frozen=True, slots=True)
class TextDelta:
    """Text to append to the answer: never empty, free of what PostgreSQL cannot hold."""

    text: str


@dataclass(frozen=True, slots=True)
class UsageReported:
    """What the provider counted so far; a later report replaces an earlier one."""

    usage: Usage


@dataclass(frozen=True, slots=True)
class Stopped:
    """The last event of an answer that ended by itself."""

    reason: StopReason


@dataclass(frozen=True, slots=True)
class Working:
    """The model is at work on what is not shown: it reasons, or writes the arguments of a tool.

    A sign of life between a provider and what watches over it; `Models.stream` does not pass it on.
    """


ModelEvent = TextDelta | ToolCallRequested | UsageReported | Stopped


RawEvent = ModelEvent | Working
"""What comes from a provider before anybody watches over it."""


class RawProvider(Protocol):
    """A provider with its signs of life, and without patience or second attempts."""

    def stream(self, request: ModelRequest) -> AsyncGenerator[RawEvent, None]:
        """As `ModelProvider.stream`."""


class ModelProvider(Protocol):
    """Streams the answers of the models of one provider."""

    def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """The answer, piece by piece, with `Stopped` at its end; a ProviderFailure when it cannot go on.

        Closing the iterator ends the request to the provider.
        """
