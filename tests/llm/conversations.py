"""Short ways to ask a model something."""

from collections.abc import AsyncIterator
from typing import Any

from app.core.settings import Settings
from app.llm.port import (
    ConversationPart,
    ModelEvent,
    ModelRequest,
    Speaker,
    Stopped,
    TextDelta,
    ToolCallRequested,
    ToolSpecification,
    UsageReported,
)
from app.llm.registry import Models

WEATHER = ToolSpecification(
    "weather",
    "Tells the weather of a city.",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)


def user(text: str, **context: Any) -> ConversationPart:
    """A turn of the user."""
    return ConversationPart(Speaker.USER, text, context)


def assistant(text: str, *calls: ToolCallRequested) -> ConversationPart:
    """A turn of the assistant."""
    return ConversationPart(Speaker.ASSISTANT, text, tool_calls=calls)


def tool_result(call_id: str, text: str) -> ConversationPart:
    """What a tool answered."""
    return ConversationPart(Speaker.TOOL, text, tool_call_id=call_id)


def asking(*parts: ConversationPart, **rest: Any) -> ModelRequest:
    """A request; its model is the registry's business."""
    return ModelRequest("", parts or (user("Hello?"),), **rest)


async def gathered(events: AsyncIterator[ModelEvent]) -> list[ModelEvent]:
    """All events of an answer."""
    return [event async for event in events]


def text_of(events: list[ModelEvent]) -> str:
    """The text of an answer."""
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def calls_of(events: list[ModelEvent]) -> list[ToolCallRequested]:
    """The calls of an answer."""
    return [event for event in events if isinstance(event, ToolCallRequested)]


def usage_of(events: list[ModelEvent]) -> Any:
    """The last report of usage."""
    return [event.usage for event in events if isinstance(event, UsageReported)][-1]


def stop_of(events: list[ModelEvent]) -> str:
    """Why the answer ended; its last event says so."""
    assert isinstance(events[-1], Stopped)
    return events[-1].reason.value


KEY = "sk-test-1234567890abcdef"


def models_at(url: str, **settings: Any) -> Models:
    """All three providers at one address."""
    chosen = {
        "openai_api_key": KEY, "openai_base_url": f"{url}/v1", "anthropic_api_key": KEY, "anthropic_base_url": url,
        "compatible_base_url": f"{url}/v1", "model_attempts": 1, **settings,
    }  # fmt: skip
    return Models.of(Settings(**chosen))
