"""One line of OpenAI's chat format: understood, and checked whole before anything of it is stored."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Any

import orjson

from app.core.errors import ValidationError
from app.core.text import require_count, require_length, require_storable
from app.exchange.files.lines import Line, parsed
from app.exchange.values import ANY_ID, Conversation, ReadCall, ReadMessage
from app.messages.values import MessageId, MessageRole
from app.tools.values import LONGEST_NAME, MOST_CALLS, ToolCallId

LONGEST_TITLE = 80
"""A line of a list of sessions; more is cut there anyway."""
UNTITLED = "Imported conversation"
BETWEEN_PARTS = "\n"
"""Parts of a content are blocks of their own: glued together, their last and first words would become one."""


def read_conversation(line: Line) -> Conversation:
    """The conversation of a line; ValidationError says what in it cannot be taken, naming the place."""
    found = parsed(line)
    for name, value in found.items() if isinstance(found, dict) else [("messages", found)]:
        require_storable(name, "it (a key)")
        require_storable(value, name)
    match found:
        case {"messages": list(messages)}:
            custom_data = {name: value for name, value in found.items() if name != "messages"}
        case list(messages):
            custom_data = {}
        case {"messages": _}:
            raise ValidationError("messages must be a list")
        case _:
            raise ValidationError("it must be an object with messages, or a list of messages")
    if not messages:
        raise ValidationError("it has no messages")
    read = _with_results([_message(message, index) for index, message in enumerate(messages)])
    digest = sha256(orjson.dumps(found, option=orjson.OPT_SORT_KEYS)).digest()
    conversation = Conversation(title_of(read), tuple(read), custom_data, digest)
    conversation.check()
    return conversation


def _message(found: Any, index: int) -> ReadMessage:
    place = f"messages[{index}]"
    if not isinstance(found, dict):
        raise ValidationError(f"{place} must be an object")
    rest = dict(found)
    role = _role(rest.pop("role", None), f"{place}.role")
    content = _content(rest.pop("content", None), f"{place}.content")
    calls = _calls(rest.pop("tool_calls", None), role, f"{place}.tool_calls")
    answered = None
    if role is MessageRole.TOOL:
        answered = _text_or_none(rest.pop("tool_call_id", None), f"{place}.tool_call_id")
        if answered is not None:
            require_length(answered, f"{place}.tool_call_id", at_least=1, at_most=LONGEST_NAME)
    parent = index - 1 if index else None
    message = ReadMessage(role, content, rest, answered, calls, f"{index + 1}", parent)
    check_message(message, place, "tool_calls")
    return message


def check_message(message: ReadMessage, place: str, calls: str) -> None:
    """Raise ValidationError for what the rooms that store it would refuse; `calls` is what the file calls these."""
    part = place
    try:
        message.check()
        for position, call in enumerate(message.calls):
            part = f"{place}.{calls}[{position}]"
            call.to_add(ToolCallId(ANY_ID), MessageId(ANY_ID)).check()
    except ValidationError as error:
        raise ValidationError(f"{part}.{error.message}") from None


def _role(found: Any, place: str) -> MessageRole:
    if not isinstance(found, str) or found not in set(MessageRole):
        raise ValidationError(f"{place} must be {', '.join(MessageRole)}, not {_shown(found)}")
    return MessageRole(found)


def _content(found: Any, place: str) -> str:
    if isinstance(found, list):
        return BETWEEN_PARTS.join(_part(part, f"{place}[{index}]") for index, part in enumerate(found))
    return _text_or_none(found, place) or ""


def _part(found: Any, place: str) -> str:
    match found:
        case {"type": "text", "text": str(text)}:
            return text
        case {"type": "text"}:
            raise ValidationError(f"{place}.text must be a string")
        case {"type": kind}:
            raise ValidationError(f"{place} is a part of type {_shown(kind)}: only text can be taken")
        case _:
            raise ValidationError(f"{place} must be an object with type and text")


def _calls(found: Any, role: MessageRole, place: str) -> tuple[ReadCall, ...]:
    if found is None or found == []:
        return ()
    if role is not MessageRole.ASSISTANT:
        raise ValidationError(f"{place}: only an assistant's message calls tools")
    if not isinstance(found, list):
        raise ValidationError(f"{place} must be a list")
    require_count(len(found), place, at_most=MOST_CALLS)
    calls = tuple(_call(call, f"{place}[{position}]") for position, call in enumerate(found))
    ids = [call.call_id for call in calls if call.call_id is not None]
    if len(set(ids)) < len(ids):
        raise ValidationError(f"{place}: two calls of one message have the same id")
    return calls


def _call(found: Any, place: str) -> ReadCall:
    match found:
        case {"type": kind} if kind != "function":
            raise ValidationError(f"{place} is a call of type {_shown(kind)}: only function can be taken")
        case {"function": {"name": str(name), "arguments": str(arguments)}}:
            return ReadCall(name, arguments, _text_or_none(found.get("id"), f"{place}.id"))
        case _:
            raise ValidationError(f"{place} must be an object with a function: its name and arguments, both strings")


def _text_or_none(found: Any, place: str) -> str | None:
    if found is not None and not isinstance(found, str):
        raise ValidationError(f"{place} must be a string, not {_shown(found)}")
    return found


def _with_results(messages: list[ReadMessage]) -> list[ReadMessage]:
    """Every call with the content of the tool's message that answers it.

    Models use an id again later in a conversation: a tool's message answers the nearest call before it that has the id
    and no answer yet. One that answers no call stays a message like any other.
    """
    unanswered: dict[str, list[tuple[int, int]]] = defaultdict(list)
    results: dict[tuple[int, int], str] = {}
    for index, message in enumerate(messages):
        if message.tool_call_id is not None and unanswered[message.tool_call_id]:
            results[unanswered[message.tool_call_id].pop()] = message.content
        for position, call in enumerate(message.calls):
            if call.call_id is not None:
                unanswered[call.call_id].append((index, position))
    return [
        replace(message, calls=tuple(_answered(message.calls, index, results))) if message.calls else message
        for index, message in enumerate(messages)
    ]


def _answered(calls: tuple[ReadCall, ...], index: int, results: dict[tuple[int, int], str]) -> Iterator[ReadCall]:
    for position, call in enumerate(calls):
        result = results.get((index, position))
        yield replace(call, result=result, success=None if result is None else True)


def title_of(messages: list[ReadMessage]) -> str:
    """The beginning of what the user said first, cut between words."""
    said = next((message.content for message in messages if message.role is MessageRole.USER), UNTITLED)
    line = " ".join(said.split())
    if len(line) <= LONGEST_TITLE:
        return line
    # A text without spaces, as in Chinese, is cut where it stands.
    end = line.rfind(" ", 1, LONGEST_TITLE)
    return line[: end if end > 0 else LONGEST_TITLE - 1] + "…"


def _shown(found: Any) -> str:
    """A value in a reason: short, and fit for one line of a terminal."""
    text = json.dumps(found)
    return text if len(text) <= 40 else text[:39] + "…"
