"""What the model is asked: of the conversation that leads to its answer as much as it can have in view."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from app.core.actor import CorrelationId
from app.db.scopes import ReadScope
from app.graph.loading import Loaders
from app.llm.errors import WindowExceeded
from app.llm.port import ConversationPart, ModelRequest, Speaker, ToolCallRequested
from app.llm.window import (
    LONGEST_AT_ONCE,
    ContextWindow,
    ContextWindows,
    View,
    about_tokens,
    bytes_of,
    choose,
    fit,
    least_tokens,
    nothing_in_view,
)
from app.messages.models import ChatMessage
from app.messages.values import MessageId, MessageRole
from app.runs import repository
from app.runs.models import Run
from app.runs.repository import PathMessage, Spoken
from app.runs.values import Terms
from app.tools.loaders import CALL_COLUMNS, ToolCallsOfMessage
from app.tools.models import ToolCall

SPEAKERS = {
    MessageRole.SYSTEM: Speaker.SYSTEM,
    MessageRole.USER: Speaker.USER,
    MessageRole.ASSISTANT: Speaker.ASSISTANT,
    MessageRole.TOOL: Speaker.TOOL,
}

NO_RESULT = "There is no result: the call was not carried out."
"""What a model is told of a call that nothing came of."""


def part_of(message: ChatMessage) -> ConversationPart:
    """A message of a person as a model is told of it."""
    return ConversationPart(SPEAKERS[MessageRole(message.role)], message.content, message.context)


@dataclass(frozen=True, slots=True)
class Question:
    """What a run asks its model in one turn."""

    message_id: MessageId
    """The message that the answer becomes."""
    generation: int
    """How many workers had taken the run when it was read."""
    view: View
    terms: Terms
    refused: WindowExceeded | None = None
    """Why it cannot be asked."""

    def request_of(self, run: Run) -> ModelRequest:
        """The question as the port takes it; WindowExceeded where it cannot be asked."""
        if self.refused is not None:
            raise self.refused
        return ModelRequest(
            run.model.partition(":")[2],
            self.view.conversation,
            run.temperature,
            run.max_output_tokens,
            tuple(tool.specification for tool in self.terms.tools),
            self.terms.output,
            CorrelationId(run.correlation_id),
        )


class _Told(NamedTuple):
    """A part of the conversation, and the message that it is of."""

    message_id: UUID
    part: ConversationPart


async def load_question(
    scope: ReadScope, loaders: Loaders, run: Run, terms: Terms, windows: ContextWindows
) -> Question:
    """What leads to the message that a run is to write, as far as its model can have it in view, with tool calls.

    Two statements, and a third where messages in view have calls: the path without its texts; then the texts of what
    may fit. Messages of which nothing is left, or nothing has come yet, are passed over.
    """
    message_id = MessageId(run.message_id)
    window = windows.of(run.model, run.max_output_tokens)
    path = await repository.path_before(scope, loaders.actor.tenant_id, message_id)
    in_reach, beyond = _in_reach(path, MessageId(run.prompt_message_id), window)
    said = await repository.spoken(scope, loaders.actor.tenant_id, [message.id for message in in_reach])
    calling = [message for message in said if message.tool_call_count]
    calls = await loaders.of(ToolCallsOfMessage).load_many(
        [(MessageId(message.id), CALL_COLUMNS.whole) for message in calling]
    )
    told = list(_told(said, dict(zip((message.id for message in calling), calls, strict=True))))
    question_at = _place_of(told, path, MessageId(run.prompt_message_id))
    return await _asked(run, [found.part for found in told], window, question_at, terms, beyond)


def _in_reach(
    path: Sequence[PathMessage], question: MessageId, window: ContextWindow
) -> tuple[list[PathMessage], list[PathMessage]]:
    """The messages of a path whose texts may be in view, and those whose texts cannot."""
    there = [message for message in path if _may_be_told(message)]
    asked = next((place for place, message in enumerate(path) if message.id == question), len(path))
    question_at = sum(_may_be_told(message) for message in path[:asked])

    def cost(place: int) -> int:
        return least_tokens(there[place].content_bytes + there[place].beside_bytes)

    speakers = [SPEAKERS[MessageRole(message.role)] for message in there]
    chosen = set(choose(speakers, question_at, window.budget_tokens, cost).places)
    return (
        [message for place, message in enumerate(there) if place in chosen],
        [message for place, message in enumerate(there) if place not in chosen],
    )


def _may_be_told(message: PathMessage) -> bool:
    if message.role == MessageRole.TOOL:
        return not message.deleted
    return message.content_bytes > 0 or message.tool_call_count > 0


def _place_of(told: Sequence[_Told], path: Sequence[PathMessage], question: MessageId) -> int:
    """Where the question stands, or, where nothing is left of it, what follows it."""
    behind: set[UUID] = set()
    for message in reversed(path):
        behind.add(message.id)
        if message.id == question:
            break
    return next((place for place, found in enumerate(told) if found.message_id in behind), len(told))


async def _asked(
    run: Run,
    parts: Sequence[ConversationPart],
    window: ContextWindow,
    question_at: int,
    terms: Terms,
    beyond: Sequence[PathMessage],
) -> Question:
    """The question, with what of it is in view; `beyond` are messages before that, whose texts were not loaded."""
    offered = tuple(tool.specification for tool in terms.tools)
    far = sum(about_tokens(message.content_bytes + message.beside_bytes) for message in beyond)

    def seen() -> View:
        return fit(parts, window, question_at, offered, terms.output, whole=not beyond)

    refused: WindowExceeded | None = None
    try:
        long = bytes_of(parts, offered, terms.output) > LONGEST_AT_ONCE
        view = await asyncio.to_thread(seen) if long else seen()
    except WindowExceeded as too_long:
        view, refused = nothing_in_view(parts, window), too_long
    return Question(MessageId(run.message_id), run.generation, view.with_left_out(len(beyond), far), terms, refused)


def _told(path: Sequence[Spoken], calls_of: Mapping[UUID, Sequence[ToolCall]]) -> Iterator[_Told]:
    # Providers refuse the result of a call that nobody asked for, and calls without their results right behind them.
    calling, unanswered = UUID(int=0), dict[str, ToolCall]()
    for message in path:
        if message.role == MessageRole.TOOL:
            if not message.deleted and unanswered.pop(message.tool_call_id or "", None) is not None:
                result = ConversationPart(Speaker.TOOL, message.content, message.context, (), message.tool_call_id)
                yield _Told(message.id, result)
            continue
        yield from _no_results(calling, unanswered)
        calling, unanswered = message.id, {_id_of(call): call for call in calls_of.get(message.id, ())}
        if message.content or unanswered:
            calls = tuple(ToolCallRequested(key, call.name, call.arguments) for key, call in unanswered.items())
            speaker = SPEAKERS[MessageRole(message.role)]
            yield _Told(message.id, ConversationPart(speaker, message.content, message.context, calls))
    yield from _no_results(calling, unanswered)


def _no_results(calling: UUID, unanswered: Mapping[str, ToolCall]) -> Iterator[_Told]:
    """What is known of calls of which no message tells."""
    for key, call in unanswered.items():
        told = call.result or call.error or NO_RESULT
        yield _Told(calling, ConversationPart(Speaker.TOOL, told, tool_call_id=key))


def _id_of(call: ToolCall) -> str:
    return call.call_id or str(call.id)
