"""Asking providers on the network for whole answers, or for failures."""

from typing import Any

import pytest

from app.llm.errors import ProviderFailure
from app.llm.port import ModelEvent
from app.llm.registry import Models
from tests.llm import provider_servers as servers
from tests.llm.conversations import (
    asking,
    gathered,
)
from tests.llm.provider_servers import Reply

OPENAI, COMPATIBLE, ANTHROPIC = "openai:gpt-4o", "compatible:llama3:8b", "anthropic:claude-sonnet-5-5"
TEN_WORDS = "one two three four five six seven eight nine ten"
ALL = [OPENAI, COMPATIBLE, ANTHROPIC]


def answer(model: str, text: str, **rest: Any) -> Reply:
    """The reply of the model's provider."""
    return servers.anthropic_answer(text, **rest) if model == ANTHROPIC else servers.openai_answer(text, **rest)


async def ask(models: Models, model: str, *parts: Any, **rest: Any) -> list[ModelEvent]:
    """The whole answer."""
    try:
        return await gathered(models.stream(model, asking(*parts, **rest)))
    finally:
        await models.close()


async def refused(models: Models, model: str) -> ProviderFailure:
    """The failure of a request that has to fail."""
    with pytest.raises(ProviderFailure) as caught:
        await ask(models, model)
    return caught.value
