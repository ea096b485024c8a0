"""Messages in OpenAI's chat format, as the import of that format takes them."""

from collections.abc import Iterator
from typing import Any

from app.exchange.loaders import WholeMessage
from app.messages.values import MessageRole
from app.tools.models import ToolCall

KEPT = ("name", "refusal")
"""Of a message's metadata: members that the format knows."""


def messages_of(whole: WholeMessage, answered: set[str]) -> Iterator[dict[str, Any]]:
    """A message, and behind one that calls tools the results that no message of the path gives.

    Nothing for one that was deleted or says nothing: the format has no word for it. `answered` has the ids of calls
    that a tool's message answers.
    """
    message = whole.message
    calls = [(_id_of(whole, call), call) for call in whole.calls]
    is_silent = not message.content and not calls and message.role != MessageRole.TOOL
    if message.deleted_at is not None or is_silent:
        return
    found: dict[str, Any] = {"role": message.role, "content": message.content or (None if calls else "")}
    found |= {name: message.custom_metadata[name] for name in KEPT if name in message.custom_metadata}
    if message.tool_call_id is not None:
        found["tool_call_id"] = message.tool_call_id
    if calls:
        found["tool_calls"] = [_call(call_id, call) for call_id, call in calls]
    yield found
    for call_id, call in calls:
        if call.result is not None and call_id not in answered:
            yield {"role": "tool", "tool_call_id": call_id, "content": call.result}


def _call(call_id: str, call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call_id, "type": "function", "function": function}


def _id_of(whole: WholeMessage, call: ToolCall) -> str:
    """The id that the model gave to a call, else one of its place: the format demands one."""
    return call.call_id or f"call_{whole.message.sequence_number}_{call.position}"
