"""Tokens, intents and prices of what is made up: measured as for anybody's messages, and remembered."""

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache

from app.llm.port import Usage
from app.llm.tokens import TokenCount
from app.messages.pipeline import Detector, TokenCounter
from app.messages.values import Intent

Price = Callable[[str, str, Usage], Decimal | None]
"""What a model of a provider costs for usage; None where that is not known."""

REMEMBERED = 65_536
"""Texts. Templates give a few thousand, over and over."""
PRICED = 1_000
"""Tokens whose price is asked for: one look into the list takes longer than to store a message."""


class Measures:
    """One for a seeding."""

    def __init__(self, detector: Detector, count_tokens: TokenCounter, price: Price) -> None:
        self._price = price
        self.intent: Callable[[str], Intent | None] = lru_cache(REMEMBERED)(detector.detect)
        self.tokens: Callable[..., TokenCount] = lru_cache(REMEMBERED)(
            lambda text, model=None: count_tokens(text, model)
        )
        self._rates = lru_cache(maxsize=256)(self._rates_of)

    def count(self, text: str) -> int:
        """About how many tokens a text is for any model."""
        return self.tokens(text).tokens

    def cost(self, model: str, usage: Usage) -> Decimal | None:
        """US dollars for usage of `provider:model`; prices are by the token, below the bounds where some change."""
        rates = self._rates(model)
        if rates is None:
            return None
        amounts = (usage.input, usage.cached_input, usage.cache_write, usage.output + usage.reasoning)
        return sum((rate * amount for rate, amount in zip(rates, amounts, strict=True)), Decimal(0))

    def _rates_of(self, model: str) -> tuple[Decimal, ...] | None:
        provider, _, name = model.partition(":")
        kinds = (
            Usage(input=PRICED), Usage(cached_input=PRICED), Usage(cache_write=PRICED), Usage(output=PRICED),
        )  # fmt: skip
        found = [self._price(provider, name, usage) for usage in kinds]
        return None if None in found else tuple(cost / PRICED for cost in found if cost is not None)
