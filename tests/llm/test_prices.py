"""What an answer costs."""

from decimal import Decimal

import pytest

from app.llm.port import Usage
from app.llm.prices import context_window, cost


@pytest.mark.parametrize(
    ("provider", "model", "usage", "dollars"),
    [
        ("openai", "gpt-4o", Usage(input=1_000_000), "2.5"),
        ("openai", "gpt-4o", Usage(cached_input=1_000_000), "1.25"),
        ("openai", "gpt-4o", Usage(output=500_000, reasoning=500_000), "10"),
        ("openai", "gpt-4o-2024-08-06", Usage(input=1_000_000), "2.5"),
        ("anthropic", "claude-haiku-4-5", Usage(input=1_000_000), "1"),
        ("anthropic", "claude-haiku-4-5", Usage(cached_input=1_000_000), "0.1"),
        ("anthropic", "claude-haiku-4-5", Usage(cache_write=1_000_000), "1.25"),
        ("anthropic", "claude-haiku-4-5", Usage(input=10, cached_input=70, cache_write=20, output=5), "0.000067"),
        ("local", "extractive", Usage(input=1_000_000, output=1_000_000), "0"),
        ("openai", "gpt-4o", Usage(), "0"),
    ],
)
def test_each_bucket_has_its_price(provider: str, model: str, usage: Usage, dollars: str) -> None:
    assert cost(provider, model, usage) == Decimal(dollars)


@pytest.mark.parametrize(
    ("provider", "model"),
    [("openai", "no-such-model"), ("anthropic", "gpt-4o"), ("compatible", "gpt-4o"), ("mistral", "large")],
)
def test_unknown_price_is_none(provider: str, model: str) -> None:
    assert cost(provider, model, Usage(input=1_000_000)) is None
    assert context_window(provider, model) is None


def test_context_window_is_known_of_known_models() -> None:
    assert context_window("openai", "gpt-4o") == 128_000
    assert context_window("local", "extractive") == 2**20
