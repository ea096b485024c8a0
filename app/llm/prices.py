"""What an answer costs, by the price list that came with genai-prices: nothing is asked of the network."""

from decimal import Decimal
from functools import lru_cache

from genai_prices import Usage as PricedUsage
from genai_prices import calc_price
from genai_prices.data_snapshot import get_snapshot

from app.llm import local
from app.llm.port import Usage


def cost(provider: str, model: str, usage: Usage) -> Decimal | None:
    """US dollars for `usage`; None where the price is not known, which is not 0.

    What runs here costs nothing. A server that merely speaks OpenAI's language has prices of its own, known to nobody.
    """
    if provider == local.PROVIDER:
        return Decimal(0)
    if not _is_listed(provider):
        return None
    counted = PricedUsage(
        # The list prices input as a whole, of which cached and written tokens are parts; reasoning is output.
        input_tokens=usage.input + usage.cached_input + usage.cache_write,
        cache_read_tokens=usage.cached_input,
        cache_write_tokens=usage.cache_write,
        output_tokens=usage.output + usage.reasoning,
    )
    try:
        return calc_price(counted, model, provider_id=provider).total_price
    except (LookupError, ValueError):
        return None


@lru_cache(maxsize=256)
def context_window(provider: str, model: str) -> int | None:
    """Tokens that the model can have in view; None where that is not known."""
    if provider == local.PROVIDER:
        return local.CONTEXT_WINDOW
    if not _is_listed(provider):
        return None
    try:
        found = get_snapshot().find_provider_model(model, None, provider, None)
    except LookupError:
        return None
    return found[1].context_window


def _is_listed(provider: str) -> bool:
    return provider in ("openai", "anthropic")
