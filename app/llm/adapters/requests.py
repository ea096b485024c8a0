"""What is asked, in pydantic-ai's words."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, assert_never

from pydantic_ai import messages, settings
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.output import OutputObjectDefinition
from pydantic_ai.tools import ToolDefinition

from app.llm.port import ConversationPart, ModelRequest, Speaker
from app.llm.rendering import user_text

LONGEST_NAME = 64
"""Of a tool, as the large providers take it."""

EMPTY_RESULT = "(nothing)"
"""Anthropic takes no empty text."""

_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")


def messages_of(conversation: Sequence[ConversationPart]) -> list[messages.ModelMessage]:
    """The turns in order; a turn that holds nothing is left out, for providers refuse it."""
    names = {call.call_id: _name(call.name) for part in conversation for call in part.tool_calls}
    turns = groupby(conversation, key=lambda part: part.speaker is Speaker.TOOL)
    return [message for is_tool, parts in turns for message in (_results if is_tool else _said_by)(parts, names)]


def settings_of(request: ModelRequest, model: Model, headers: Iterable[str]) -> settings.ModelSettings:
    """How to answer; without a temperature where the model takes none: it is a wish, and no reason to refuse.

    The correlation id goes into `headers`, and nothing else of who asks goes with it.
    """
    chosen = settings.ModelSettings()
    if request.temperature is not None and _takes_temperature(model.profile):
        chosen["temperature"] = request.temperature
    if request.max_output_tokens is not None:
        chosen["max_tokens"] = request.max_output_tokens
    if request.correlation_id is not None:
        chosen["extra_headers"] = dict.fromkeys(headers, request.correlation_id)
    return chosen


def parameters_of(request: ModelRequest, model: Model) -> ModelRequestParameters:
    """The tools on offer, and what the answer is to be.

    Where the model can be held to a schema, its provider does that; else it is told of the schema in its instructions.
    Either way the answer comes as text.
    """
    tools = [
        ToolDefinition(
            name=tool.name, description=tool.description, parameters_json_schema=dict(tool.parameters), strict=False
        )
        for tool in request.tools
    ]
    if request.output is None:
        return ModelRequestParameters(function_tools=tools)
    output = OutputObjectDefinition(json_schema=dict(request.output.schema), name=request.output.name, strict=True)
    held = model.profile.get("supports_json_schema_output", False)
    return ModelRequestParameters(
        function_tools=tools, output_mode="native" if held else "prompted", output_object=output
    )


def _takes_temperature(profile: Mapping[str, Any]) -> bool:
    # As pydantic-ai 2.68 decides before it drops the setting; it warns, and a server has nobody to warn.
    if profile.get("anthropic_disallows_sampling_settings"):
        return False
    if not profile.get("openai_supports_reasoning"):
        return True
    efforts = profile.get("openai_reasoning_efforts")
    may_rest = profile.get("openai_supports_reasoning_effort_none", False) if efforts is None else "none" in efforts
    return bool(may_rest) and not profile.get("thinking_enabled_by_default", False)


def _results(parts: Iterable[ConversationPart], names: Mapping[str, str]) -> Iterator[messages.ModelMessage]:
    """The results of one turn's calls: together, as Anthropic wants them."""
    yield messages.ModelRequest(
        parts=[
            messages.ToolReturnPart(
                tool_name=names.get(part.tool_call_id or "", "tool"),
                content=part.text or EMPTY_RESULT,
                tool_call_id=part.tool_call_id or "",
            )
            for part in parts
        ]
    )


def _said_by(parts: Iterable[ConversationPart], _names: Mapping[str, str]) -> Iterator[messages.ModelMessage]:
    for part in parts:
        yield from _message(part)


def _name(name: str) -> str:
    # Of a call in the past: the model may have made the name up, and the provider refuses what it takes for none.
    return _NOT_IN_NAMES.sub("_", name)[:LONGEST_NAME] or "_"


def _message(part: ConversationPart) -> Iterator[messages.ModelMessage]:
    match part.speaker:
        case Speaker.SYSTEM:
            if text := user_text(part):
                yield messages.ModelRequest(parts=[messages.SystemPromptPart(content=text)])
        case Speaker.USER:
            if text := user_text(part):
                yield messages.ModelRequest(parts=[messages.UserPromptPart(content=text)])
        case Speaker.ASSISTANT:
            if said := list(_said(part)):
                yield messages.ModelResponse(parts=said)
        case Speaker.TOOL:
            raise ValueError("results of tools are put together")
        case _:
            assert_never(part.speaker)


def _said(part: ConversationPart) -> Iterator[messages.ModelResponsePart]:
    if part.text:
        yield messages.TextPart(content=part.text)
    for call in part.tool_calls:
        yield messages.ToolCallPart(tool_name=_name(call.name), args=call.arguments, tool_call_id=call.call_id)
