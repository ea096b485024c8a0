"""Which tools the last turn asks the local model to call."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from app.llm.port import ModelRequest, Speaker, ToolCallRequested, ToolSpecification

MOST_CALLS = 16
"""Of one turn: a turn is written by a person."""

LONGEST_ARGUMENT = 500
"""Characters of the turn that fill in a required argument."""

_COMMAND = re.compile(r"^/tool[ \t]+(\S+)[ \t]*(.*)$", re.MULTILINE)


def wished_calls(request: ModelRequest) -> tuple[ToolCallRequested, ...]:
    """A call for each line `/tool name {json}`; without one, a call of the first offered tool that the turn names.

    Only the last turn counts, only a user's, and only tools that the request offers. The JSON is passed on as it
    is written. A tool that is merely named gets its required arguments filled in from its schema: texts with the turn
    itself, anything else with the emptiest value.
    """
    last = request.conversation[-1] if request.conversation else None
    if last is None or last.speaker is not Speaker.USER or not request.tools:
        return ()
    offered = {tool.name: tool for tool in request.tools}
    wished = list(_commanded(last.text, offered)) or list(_named(last.text, offered))
    turn = len(request.conversation)
    return tuple(
        ToolCallRequested(_call_id(turn, number, name, arguments), name, arguments)
        for number, (name, arguments) in enumerate(wished[:MOST_CALLS])
    )


def _commanded(text: str, offered: Mapping[str, ToolSpecification]) -> Iterator[tuple[str, str]]:
    for command in _COMMAND.finditer(text):
        name, arguments = command[1], command[2].strip()
        if name in offered:
            yield name, arguments or _filled_in(offered[name], "")


def _named(text: str, offered: Mapping[str, ToolSpecification]) -> Iterator[tuple[str, str]]:
    for name, tool in offered.items():
        if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text):
            yield name, _filled_in(tool, text[:LONGEST_ARGUMENT])
            return


def _filled_in(tool: ToolSpecification, text: str) -> str:
    properties = tool.parameters.get("properties")
    required = tool.parameters.get("required")
    if not isinstance(properties, Mapping) or not isinstance(required, list):
        return "{}"
    return orjson.dumps({name: _emptiest(properties.get(name), text) for name in required}).decode()


def _emptiest(schema: Any, text: str) -> Any:
    known = schema if isinstance(schema, Mapping) else {}
    if known.get("enum"):
        return known["enum"][0]
    match known.get("type"):
        case "string":
            return text
        case "integer" | "number":
            return known.get("minimum", 0)
        case "boolean":
            return False
        case "array":
            return []
        case "object":
            return {}
        case _:
            return None


def _call_id(turn: int, number: int, name: str, arguments: str) -> str:
    # Of its place and content: the same conversation makes the same id, another turn another one.
    seed = f"{turn}:{number}:{name}:{arguments}".encode(errors="backslashreplace")
    return f"call_{hashlib.sha256(seed).hexdigest()[:24]}"
