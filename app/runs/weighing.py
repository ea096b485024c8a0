"""Whether a question fits its model at all: told before anything of it is stored."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.llm.errors import WindowExceeded
from app.llm.port import ConversationPart, OutputSchema, ToolSpecification
from app.llm.rendering import user_text
from app.llm.tokens import Encoding, encoding_of
from app.llm.window import (
    LONGEST_AT_ONCE,
    TOKENS_BEFORE_ANSWER,
    TOKENS_PER_MESSAGE,
    TOKENS_PER_TOOL,
    ContextWindow,
    bytes_of,
    tokens_of,
    tokens_of_output,
    tokens_of_tools,
)
from app.toolbox.values import OfferedTool

_COUNTED_AS = {Encoding.O200K: "openai:gpt-4o", Encoding.CL100K: "openai:gpt-4"}
"""A model of each vocabulary: which one it will be is known once the session is locked."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A question with what is sent beside it, of which it is known or quickly found out what they take."""

    question: ConversationPart
    tools: tuple[ToolSpecification, ...]
    counted: Mapping[Encoding, int]
    """Empty for short ones."""
    output: OutputSchema | None = None

    def require_room(self, window: ContextWindow, field: str) -> None:
        """WindowExceeded naming `field`, where a model with this window cannot have the question in view."""
        budget = window.budget_tokens
        if self._most <= budget:
            return
        vocabulary = encoding_of(window.model) or Encoding.O200K
        needed = self.counted.get(vocabulary) or _count(self.question, self.tools, self.output, vocabulary)
        if needed > budget:
            raise WindowExceeded(window.model, needed, budget, field)

    @property
    def _most(self) -> int:
        """More than they can take: a token of these vocabularies is a byte at the least."""
        around = TOKENS_BEFORE_ANSWER + TOKENS_PER_MESSAGE + TOKENS_PER_TOOL * (len(self.tools) + 1)
        return around + len(user_text(self.question).encode()) + bytes_of((), self.tools, self.output)


async def weigh(
    question: ConversationPart, tools: Sequence[OfferedTool], output: OutputSchema | None = None
) -> Weighed:
    """A question, which can be stored, with its tools and the schema of its answer.

    Where that takes long, it is counted: in a thread, before any lock.
    """
    offered = tuple(tool.specification for tool in tools)
    counted: dict[Encoding, int] = {}
    if bytes_of((question,), offered, output) > LONGEST_AT_ONCE:
        for vocabulary in Encoding:
            counted[vocabulary] = await asyncio.to_thread(_count, question, offered, output, vocabulary)
    return Weighed(question, offered, counted, output)


def _count(
    question: ConversationPart, tools: Sequence[ToolSpecification], output: OutputSchema | None, vocabulary: Encoding
) -> int:
    model = _COUNTED_AS[vocabulary]
    beside = tokens_of_tools(tools, model) + tokens_of_output(output, model)
    return TOKENS_BEFORE_ANSWER + tokens_of(question, model) + beside
