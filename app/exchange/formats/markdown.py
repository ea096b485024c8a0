"""A session to be read by people: Markdown with a heading for each message."""

import re
from collections.abc import Iterator

from app.attachments.models import MessageAttachment
from app.exchange.loaders import WholeMessage
from app.messages.models import ChatMessage
from app.sessions.models import ChatSession
from app.tools.models import ToolCall

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")
_RUNS = re.compile(r"`+")


def heading(session: ChatSession) -> str:
    """The beginning of a session's text."""
    begun = f"{session.created_at:%Y-%m-%d %H:%M} UTC"
    return f"# {_one_line(session.title)}\n\n*{begun}, {session.message_count:,} messages*\n"


def written(whole: WholeMessage) -> str:
    """A message under its role, with its calls as blocks of code."""
    message = whole.message
    parts = [f"\n## {_speaker(message)}\n"]
    if message.deleted_at is not None:
        parts.append("*deleted*\n")
    elif message.content.strip():
        parts.append(f"{closed(message.content).strip()}\n")
    if message.error_message:
        parts.append(f"*{message.status}: {_one_line(message.error_message)}*\n")
    parts += [part for call in whole.calls for part in _call(call)]
    if whole.attachments:
        parts.append("Attachments:\n\n" + "".join(_attachment(file) for file in whole.attachments))
    return "\n".join(parts)


def _speaker(message: ChatMessage) -> str:
    model = f"{_one_line(message.model)}, " if message.model else ""
    return f"{message.role.capitalize()} ({model}{message.created_at:%Y-%m-%d %H:%M})"


def _attachment(file: MessageAttachment) -> str:
    return f"- {_name(file.file_name)} ({file.content_type}, {file.size:,} bytes)\n"


def _call(call: ToolCall) -> Iterator[str]:
    yield f"Tool call {_name(call.name)}:\n"
    yield fenced(call.arguments, "json")
    if call.error:
        yield f"Error:\n\n{fenced(call.error)}"
    if call.result is not None:
        cut = " (the beginning)" if call.result_truncated else ""
        yield f"Result{cut}:\n\n{fenced(call.result)}"


def _name(text: str) -> str:
    return f"`{_one_line(text).replace('`', '')}`"


def fenced(text: str, language: str = "") -> str:
    """A block of code, with a fence that is longer than any row of backticks in it."""
    longest = max((len(run) for run in _RUNS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}\n"


def closed(text: str) -> str:
    """Markdown of others, with the fence closed that it left open: else it would swallow all that follows."""
    fence = ""
    for line in text.splitlines():
        found = _FENCE.match(line)
        if found is None:
            continue
        row, rest = found.groups()
        if not fence:
            # A row of backticks with another behind it is code within a line.
            fence = row if row[0] == "~" or "`" not in rest else ""
        elif row[0] == fence[0] and len(row) >= len(fence) and not rest.strip():
            fence = ""
    return f"{text}\n{fence}" if fence else text


def _one_line(text: str) -> str:
    return " ".join(text.split())
