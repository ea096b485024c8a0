"""What the model is asked: the path of the conversation that leads to its answer, as the port takes it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.core.actor import CorrelationId
from app.db.scopes import ReadScope
from app.graph.loading import Loaders
from app.llm.port import ConversationPart, ModelRequest, Speaker, ToolCallRequested
from app.messages.models import ChatMessage
from app.messages.service import path_to
from app.messages.values import MessageId, MessageRole
from app.runs.accounts import CHARACTERS_PER_TOKEN
from app.runs.models import Run
from app.toolbox.values import OfferedTool
from app.tools.loaders import ToolCallsOfMessage
from app.tools.models import ToolCall

_SPEAKERS = {
    MessageRole.SYSTEM: Speaker.SYSTEM,
    MessageRole.USER: Speaker.USER,
    MessageRole.ASSISTANT: Speaker.ASSISTANT,
    MessageRole.TOOL: Speaker.TOOL,
}

NO_RESULT = "There is no result: the call was not carried out."
"""What a model is told of a call that nothing came of."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a run asks its model in one turn."""

    message_id: MessageId
    """The message that the answer becomes."""
    conversation: tuple[ConversationPart, ...]
    tools: tuple[OfferedTool, ...]

    def request_of(self, run: Run) -> ModelRequest:
        """The question as the port takes it."""
        return ModelRequest(
            run.model.partition(":")[2],
            self.conversation,
            run.temperature,
            run.max_output_tokens,
            tuple(tool.specification for tool in self.tools),
            CorrelationId(run.correlation_id),
        )


async def load_question(scope: ReadScope, loaders: Loaders, run: Run, tools: tuple[OfferedTool, ...]) -> Question:
    """The messages that lead to the one that a run is to write, oldest first, with their tool calls; two statements.

    Messages of which nothing is left, or nothing has come yet, are left out.
    """
    message_id = MessageId(run.message_id)
    path = (await path_to(scope, loaders.actor, message_id))[:-1]
    calling = [message for message in path if message.tool_call_count]
    calls = await loaders.of(ToolCallsOfMessage).load_many([MessageId(message.id) for message in calling])
    calls_of = dict(zip((message.id for message in calling), calls, strict=True))
    return Question(message_id, tuple(_parts(path, calls_of)), tools)


def estimated_tokens(conversation: Iterable[ConversationPart]) -> int:
    """About what the model reads: kept for the case that the provider never says."""
    return sum(len(part.text) for part in conversation) // CHARACTERS_PER_TOKEN


def _parts(path: Sequence[ChatMessage], calls_of: Mapping[UUID, Sequence[ToolCall]]) -> Iterator[ConversationPart]:
    # Providers refuse the result of a call that nobody asked for, and calls without their results right behind them.
    unanswered: dict[str, ToolCall] = {}
    for message in path:
        if message.role == MessageRole.TOOL:
            if message.deleted_at is None and unanswered.pop(message.tool_call_id or "", None) is not None:
                yield ConversationPart(Speaker.TOOL, message.content, message.context, (), message.tool_call_id)
            continue
        yield from _no_results(unanswered)
        unanswered = {_id_of(call): call for call in calls_of.get(message.id, ())}
        if message.content or unanswered:
            calls = tuple(ToolCallRequested(key, call.name, call.arguments) for key, call in unanswered.items())
            yield ConversationPart(_SPEAKERS[MessageRole(message.role)], message.content, message.context, calls)
    yield from _no_results(unanswered)


def _no_results(unanswered: Mapping[str, ToolCall]) -> Iterator[ConversationPart]:
    """What is known of calls of which no message tells."""
    for key, call in unanswered.items():
        yield ConversationPart(Speaker.TOOL, call.result or call.error or NO_RESULT, tool_call_id=key)


def _id_of(call: ToolCall) -> str:
    return call.call_id or str(call.id)
