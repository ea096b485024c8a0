"""What the model is asked: the path of the conversation that leads to the question, as the port takes it."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from app.db.scopes import ReadScope
from app.graph.loading import Loaders
from app.llm.port import ConversationPart, ModelRequest, Speaker, ToolCallRequested
from app.messages.models import ChatMessage
from app.messages.service import path_to
from app.messages.values import MessageId, MessageRole
from app.runs.accounts import CHARACTERS_PER_TOKEN
from app.runs.models import Run
from app.tools.loaders import ToolCallsOfMessage
from app.tools.models import ToolCall

_SPEAKERS = {
    MessageRole.SYSTEM: Speaker.SYSTEM,
    MessageRole.USER: Speaker.USER,
    MessageRole.ASSISTANT: Speaker.ASSISTANT,
    MessageRole.TOOL: Speaker.TOOL,
}


async def load_conversation(scope: ReadScope, loaders: Loaders, run: Run) -> tuple[ConversationPart, ...]:
    """The messages that lead to the run's question, oldest first, with their tool calls; two statements.

    Messages of which nothing is left, or nothing has come yet, are left out.
    """
    path = await path_to(scope, loaders.actor, MessageId(run.prompt_message_id))
    calling = [message for message in path if message.tool_call_count]
    calls = await loaders.of(ToolCallsOfMessage).load_many([MessageId(message.id) for message in calling])
    calls_of = dict(zip((message.id for message in calling), calls, strict=True))
    return tuple(_parts(path, calls_of))


def request_of(run: Run, conversation: tuple[ConversationPart, ...]) -> ModelRequest:
    """What the model is asked."""
    return ModelRequest(run.model.partition(":")[2], conversation, run.temperature, run.max_output_tokens)


def estimated_tokens(conversation: Iterable[ConversationPart]) -> int:
    """About what the model reads: kept for the case that the provider never says."""
    return sum(len(part.text) for part in conversation) // CHARACTERS_PER_TOKEN


def _parts(path: Sequence[ChatMessage], calls_of: Mapping[UUID, Sequence[ToolCall]]) -> Iterable[ConversationPart]:
    asked: set[str] = set()
    for message in path:
        calls = tuple(
            ToolCallRequested(call.call_id or str(call.id), call.name, call.arguments)
            for call in calls_of.get(message.id, ())
        )
        asked.update(call.call_id for call in calls)
        # Providers refuse the result of a call that nobody asked for.
        orphan = message.role == MessageRole.TOOL and message.tool_call_id not in asked
        if (message.content or calls) and not orphan:
            yield ConversationPart(
                _SPEAKERS[MessageRole(message.role)], message.content, message.context, calls, message.tool_call_id
            )
