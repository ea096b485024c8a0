"""What a provider counted, in disjoint buckets."""

from pydantic_ai.usage import RequestUsage

from app.llm.port import Usage


def usage_of(counted: RequestUsage) -> Usage:
    """The buckets of a count in pydantic-ai's terms, where input includes what was cached, and output the reasoning.

    Nothing is negative, whatever the provider sent: a part that is larger than its whole is cut.
    """
    cached = min(counted.cache_read_tokens, counted.input_tokens)
    written = min(counted.cache_write_tokens, counted.input_tokens - cached)
    reasoning = min(_reasoning(counted), counted.output_tokens)
    return Usage(
        input=counted.input_tokens - cached - written,
        cached_input=cached,
        cache_write=written,
        output=counted.output_tokens - reasoning,
        reasoning=reasoning,
    )


def _reasoning(counted: RequestUsage) -> int:
    return counted.output_reasoning_tokens or counted.details.get("reasoning_tokens", 0)
