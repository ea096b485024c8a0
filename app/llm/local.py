"""The built-in provider `local`: no key, no network, and the same answer to the same conversation, always."""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import orjson

from app.core.text import storable
from app.llm.extraction import answer_from
from app.llm.port import (
    ConversationPart,
    ModelEvent,
    ModelRequest,
    Speaker,
    Stopped,
    StopReason,
    TextDelta,
    ToolCallRequested,
    Usage,
    UsageReported,
)
from app.llm.sections import answer_in_sections, asked_in
from app.llm.shaping import document_of
from app.llm.tokens import count_tokens
from app.llm.tool_wishes import wished_calls

PROVIDER = "local"

CONTEXT_WINDOW = 2**20
"""Tokens. It reads whatever it is given: this is room for the longest message, and a bound of what is loaded for it."""

LONG_CHARACTERS = 20_000
"""A longer conversation is read in a thread: this many take some 3 ms, which nobody else notices waiting for."""

PIECES_BETWEEN_BREATHS = 32
"""At full speed other tasks get their turn after this many pieces."""

# A word with the space before it; what has no spaces (Chinese, a long number) goes out in pieces of 24 characters.
_PIECE = re.compile(r"\s*\S{1,24}|\s+")

Sleep = Callable[[float], Awaitable[object]]


class LocalModel(StrEnum):
    """What `local` can do."""

    EXTRACTIVE = "extractive"
    """Answers with sentences of the conversation and its context that share words with what was said last; in the
    sections that are asked for, or as a JSON document where that is what the answer is to be."""
    ECHO = "echo"
    """Says the user's last turn once more: for testing clients."""


@dataclass(frozen=True, slots=True)
class _Answer:
    text: str
    calls: tuple[ToolCallRequested, ...]
    input_tokens: int


class LocalProvider:
    """Streams word by word at a settable pace.

    `words_per_second` 0 is as fast as possible. Text without spaces goes out in short pieces.
    """

    def __init__(self, words_per_second: float = 0, sleep: Sleep = asyncio.sleep) -> None:
        self._pause_seconds = 1 / words_per_second if words_per_second else 0.0
        self._sleep = sleep

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """The answer; a model that is not a `LocalModel` is a ValueError."""
        model = LocalModel(request.model)
        answer = await self._answer(model, request)
        spoken = 0
        for number, (piece, tokens) in enumerate(_counted_pieces(answer.text)):
            if request.max_output_tokens is not None and spoken + tokens > request.max_output_tokens:
                yield UsageReported(Usage(input=answer.input_tokens, output=spoken))
                yield Stopped(StopReason.LENGTH)
                return
            spoken += tokens
            await self._pause(number)
            yield TextDelta(piece)
        for call in answer.calls:
            spoken += count_tokens(call.arguments).tokens
            yield call
        yield UsageReported(Usage(input=answer.input_tokens, output=spoken))
        yield Stopped(StopReason.TOOL_CALLS if answer.calls else StopReason.STOP)

    async def _answer(self, model: LocalModel, request: ModelRequest) -> _Answer:
        if _characters(request) > LONG_CHARACTERS:
            # Not cut short when the caller leaves: a thread cannot be; what it reads is bounded.
            return await asyncio.to_thread(_think, model, request)
        return _think(model, request)

    async def _pause(self, number: int) -> None:
        if self._pause_seconds:
            if number:
                await self._sleep(self._pause_seconds)
        elif number % PIECES_BETWEEN_BREATHS == PIECES_BETWEEN_BREATHS - 1:
            await self._sleep(0)


def _think(model: LocalModel, request: ModelRequest) -> _Answer:
    calls = wished_calls(request) if model is LocalModel.EXTRACTIVE else ()
    text = "" if calls else _said(model, request)
    return _Answer(storable(text), calls, sum(_tokens(part) for part in request.conversation))


def _said(model: LocalModel, request: ModelRequest) -> str:
    if model is LocalModel.ECHO:
        return _echo(request.conversation)
    if request.output is not None:
        return document_of(request.conversation, request.output.schema)
    sections = asked_in(request.conversation)
    return answer_in_sections(request.conversation, sections) if sections else answer_from(request.conversation)


def _echo(conversation: tuple[ConversationPart, ...]) -> str:
    return next((part.text for part in reversed(conversation) if part.speaker is Speaker.USER), "")


def _counted_pieces(text: str) -> Iterator[tuple[str, int]]:
    for found in _PIECE.finditer(text):
        yield found[0], count_tokens(found[0]).tokens


def _tokens(part: ConversationPart) -> int:
    return count_tokens(storable(part.text)).tokens + (
        count_tokens(orjson.dumps(part.context).decode()).tokens if part.context else 0
    )


def _characters(request: ModelRequest) -> int:
    # Context is taken as long: to learn its length is half the work of reading it.
    return sum(LONG_CHARACTERS if part.context else len(part.text) for part in request.conversation)
