"""What of a conversation a model has in view: the instructions, what it is to answer, and of the rest the newest.

    window = windows.of("openai:gpt-5.5", max_output_tokens=None)
    view = fit(parts, window, question_at)      # WindowExceeded where what must be in view does not fit
    view.conversation, view.use                 # what is sent, and what is told of it

Pure: it knows parts of conversations and no database.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from app.core.settings import Settings
from app.core.text import storable
from app.llm import local
from app.llm.errors import WindowExceeded
from app.llm.port import ConversationPart, OutputSchema, Speaker, ToolSpecification
from app.llm.prices import context_window
from app.llm.rendering import user_text
from app.llm.tokens import count_tokens, encoding_of

TOKENS_PER_MESSAGE = 3
"""What is around each message (its beginning, its end, who speaks), and TOKENS_BEFORE_ANSWER before the answer: so
OpenAI's cookbook counts for its chat models ("How to count tokens with tiktoken"). Others do not say; it is no more
than a few."""

TOKENS_BEFORE_ANSWER = 3

TOKENS_PER_TOOL = 10
"""Around each tool on offer and each call, beside their JSON: the cookbook counts 7 to 10 for a function of its models,
and writes it in fewer words than its schema has."""

SPARE_SHARE = 5
"""One in so many tokens stays free where the model's own vocabulary is not known: it may make more tokens of the same
text, a quarter more at this share, and a provider refuses what is too long by one. Chosen, not measured."""

MOST_BYTES_PER_TOKEN = 16
"""Of text that is worth reading: English has 4 to 5 bytes in a token of o200k_base, Russian 8, Tamil 10, a table that
is filled up with spaces 13. What has more, such as a page of dashes, is taken for this many when it is decided what to
load; what is loaded is counted."""

LONGEST_AT_ONCE = 50_000
"""Bytes. Up to here counting takes a few milliseconds; more is counted in a thread, for everybody else's sake."""

BYTES_PER_TOKEN = 4
"""About, of what is not counted because it is left out."""


@dataclass(frozen=True, slots=True)
class ContextWindow:
    """How many tokens a model can have in view, and how many of them are kept for its answer."""

    model: str
    """As `provider:model`."""
    tokens: int
    reserved_tokens: int

    @property
    def budget_tokens(self) -> int:
        """What is there for the conversation and the tools."""
        free = self.tokens - self.reserved_tokens
        return free if _is_counted(self.model) else free - free // SPARE_SHARE


@dataclass(frozen=True, slots=True)
class ContextWindows:
    """The windows of all models, as an operator, a price list or else a default has them."""

    chosen: Mapping[str, int] = field(default_factory=dict)
    """An operator's own, by `provider:model`."""
    otherwise: int = 32_768
    reserve: int = 4_096

    @classmethod
    def of_settings(cls, settings: Settings) -> "ContextWindows":
        """As the settings say."""
        return cls(settings.window_of_model, settings.context_window_default, settings.output_reserve_tokens)

    def known(self, model: str) -> int | None:
        """The tokens that `provider:model` can have in view; None where nobody says."""
        provider, _, name = model.partition(":")
        return self.chosen.get(model) or context_window(provider, name)

    def of(self, model: str, max_output_tokens: int | None) -> ContextWindow:
        """The window of `provider:model`, for an answer of at most so many tokens.

        What is kept for the answer is never more than half of it: there would be nothing to answer.
        """
        tokens = self.known(model) or self.otherwise
        wanted = self.reserve if max_output_tokens is None else max_output_tokens
        return ContextWindow(model, tokens, min(wanted, tokens // 2))


class WindowUse(NamedTuple):
    """What a model has in view, and what is left out."""

    budget_tokens: int
    used_tokens: int
    """With the tools that it was offered and the schema of its answer; counted, or estimated where its vocabulary is
    not known."""
    messages: int
    left_out_messages: int
    left_out_tokens: int
    """About: what is left out is not counted."""


@dataclass(frozen=True, slots=True)
class View:
    """What a model has in view."""

    conversation: tuple[ConversationPart, ...]
    use: WindowUse

    def with_left_out(self, messages: int, tokens: int) -> "View":
        """The same where there was more, which was not looked at."""
        before = self.use
        # As the graph's whole numbers go: of two billion it does not matter how many more there are.
        tokens = min(before.left_out_tokens + tokens, 2**31 - 1)
        use = before._replace(left_out_messages=before.left_out_messages + messages, left_out_tokens=tokens)
        return View(self.conversation, use)


class Chosen(NamedTuple):
    """Which parts of a conversation are in view, by their places."""

    places: tuple[int, ...]
    tokens: int
    asked_at: int
    """Where what is to be answered begins."""


def fit(
    parts: Sequence[ConversationPart],
    window: ContextWindow,
    question_at: int,
    tools: Sequence[ToolSpecification] = (),
    output: OutputSchema | None = None,
    *,
    whole: bool = True,
) -> View:
    """What fits of a conversation whose last question is part `question_at`, oldest first; WindowExceeded.

    As of `choose`. Not `whole` says that there was more before the first part. Reads what it counts, newest first: of
    long conversations in a thread.
    """
    budget = window.budget_tokens
    before = tokens_of_tools(tools, window.model) + tokens_of_output(output, window.model) + TOKENS_BEFORE_ANSWER
    speakers = [part.speaker for part in parts]

    def cost(place: int) -> int:
        return tokens_of(parts[place], window.model)

    chosen = choose(speakers, question_at, budget - before, cost, whole=whole)
    used = chosen.tokens + before
    if used > budget:
        raise WindowExceeded(window.model, used, budget)
    kept = set(chosen.places)
    left_out = [part for place, part in enumerate(parts) if place not in kept]
    use = WindowUse(budget, used, len(kept), len(left_out), sum(about_tokens(_bytes(part)) for part in left_out))
    return View(tuple(parts[place] for place in chosen.places), use)


def choose(
    speakers: Sequence[Speaker], question_at: int, room: int, cost: Callable[[int], int], *, whole: bool = True
) -> Chosen:
    """The parts that are in view where each has a `cost` and there is `room`; what must be in is, whatever it costs.

    That is what the system says, and all from the question on (its calls of tools and their results). Then come the
    exchanges before it, newest first, up to the first that does not fit. An exchange is what a user says with all that
    follows it up to the next user's part: it is taken whole or left whole, so that no result of a tool is without its
    call, no call without its results, and no answer without its question; Anthropic refuses conversations that begin
    with an answer. A question that is none of a user's, as a tool's result, has its exchange with it.

    Costs are asked for newest first, and of no more than one part that does not fit.
    """
    by_user = [place for place, speaker in enumerate(speakers) if speaker is Speaker.USER and place <= question_at]
    asked_at = by_user[-1] if by_user else 0
    kept = [place for place, speaker in enumerate(speakers) if speaker is Speaker.SYSTEM or place >= asked_at]
    used = sum(cost(place) for place in kept)
    for exchange in _newest_first(speakers, asked_at, whole=whole):
        tokens = _cost_within(exchange, room - used, cost)
        if tokens is None:
            break
        kept += exchange
        used += tokens
    return Chosen(tuple(sorted(kept)), used, asked_at)


def tokens_of(part: ConversationPart, model: str) -> int:
    """The tokens of a part as `provider:model` is sent it."""
    calls = sum(TOKENS_PER_TOOL + _count(call.name, model) + _count(call.arguments, model) for call in part.tool_calls)
    return TOKENS_PER_MESSAGE + _count(_spelled(part, model), model) + calls


def tokens_of_tools(tools: Sequence[ToolSpecification], model: str) -> int:
    """The tokens of the tools that `provider:model` is offered."""
    return sum(TOKENS_PER_TOOL + _count(_json_of(tool), model) for tool in tools)


def tokens_of_output(output: OutputSchema | None, model: str) -> int:
    """The tokens of the schema that the answer of `provider:model` is to fit, which is counted as a tool's is."""
    return 0 if output is None else TOKENS_PER_TOOL + _count(_json_of_output(output), model)


def least_tokens(size_bytes: int) -> int:
    """What a message with so many bytes of text takes at the least, or nearly (MOST_BYTES_PER_TOKEN)."""
    return TOKENS_PER_MESSAGE + size_bytes // MOST_BYTES_PER_TOKEN


def about_tokens(size_bytes: int) -> int:
    """What a message with so many bytes of text takes, about."""
    return TOKENS_PER_MESSAGE + size_bytes // BYTES_PER_TOKEN


def bytes_of(
    parts: Sequence[ConversationPart], tools: Sequence[ToolSpecification] = (), output: OutputSchema | None = None
) -> int:
    """How much text there is to count, about."""
    beside = [*(_json_of(tool) for tool in tools), *([_json_of_output(output)] if output is not None else [])]
    return sum(_bytes(part) for part in parts) + sum(len(text.encode()) for text in beside)


def nothing_in_view(parts: Sequence[ConversationPart], window: ContextWindow) -> View:
    """What is told of a conversation that cannot be sent."""
    left_out = sum(about_tokens(_bytes(part)) for part in parts)
    return View((), WindowUse(window.budget_tokens, 0, 0, len(parts), left_out))


def _newest_first(speakers: Sequence[Speaker], end: int, *, whole: bool) -> Iterator[list[int]]:
    """The exchanges before a place, newest first, without what the system says in them.

    What stands before the first user's part, as a greeting, is one of its own where the conversation is `whole`.
    """
    exchange: list[int] = []
    for place in range(end - 1, -1, -1):
        if speakers[place] is not Speaker.SYSTEM:
            exchange.append(place)
        if speakers[place] is Speaker.USER:
            yield exchange
            exchange = []
    if exchange and whole:
        yield exchange


def _cost_within(places: Sequence[int], room: int, cost: Callable[[int], int]) -> int | None:
    """What some parts cost together; None, and not all of them looked at, where that is more than there is room."""
    tokens = 0
    for place in places:
        tokens += cost(place)
        if tokens > room:
            return None
    return tokens


def _is_counted(model: str) -> bool:
    # The built-in model counts as it is counted here.
    return model.startswith(f"{local.PROVIDER}:") or encoding_of(model) is not None


def _spelled(part: ConversationPart, model: str) -> str:
    # Providers are sent the context of those who ask, the built-in model reads everybody's.
    asks = part.speaker in (Speaker.SYSTEM, Speaker.USER) or model.startswith(f"{local.PROVIDER}:")
    return user_text(part) if asks else part.text


def _count(text: str, model: str) -> int:
    # What an application reported may hold what PostgreSQL takes in JSON and no vocabulary knows.
    return count_tokens(storable(text), model).tokens if text else 0


def _json_of(tool: ToolSpecification) -> str:
    return orjson.dumps(
        {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    ).decode()


def _json_of_output(output: OutputSchema) -> str:
    return orjson.dumps({"name": output.name, "schema": dict(output.schema)}).decode()


def _bytes(part: ConversationPart) -> int:
    calls = sum(len(call.name) + len(call.arguments) for call in part.tool_calls)
    return len(part.text.encode(errors="replace")) + calls + (len(orjson.dumps(part.context)) if part.context else 0)
