"""Small conversations, and what a database holds of those that were imported."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import asyncpg

from app.core.actor import CorrelationId, TenantId, UserId
from app.db.database import Database
from app.exchange.files.lines import Line
from app.exchange.files.sources import parts_of
from app.exchange.formats.names import ImportFormat
from app.exchange.formats.openai_jsonl import read_conversation
from app.exchange.runner import import_parts
from app.exchange.values import Conversation, Ownership, Totals
from app.messages.pipeline import MessagePipeline

_EVERYTHING = """
SELECT s.tenant_id, s.user_id, s.title, d.custom_data::text, s.last_sequence, s.last_event, s.total_tokens_used,
       s.user_messages, s.assistant_messages, s.system_messages, s.tool_messages, s.tool_calls,
       m.sequence_number, p.sequence_number AS parent, m.role, m.status, m.content, m.tool_call_id, m.tool_call_count,
       m.token_count, m.intent_name, m.custom_metadata::text,
       (SELECT json_agg(json_build_array(c.position, c.call_id, c.name, c.arguments, c.result, c.result_truncated,
               c.success) ORDER BY c.position)::text
          FROM tool_calls c WHERE c.tenant_id = m.tenant_id AND c.message_id = m.id) AS calls,
       (SELECT string_agg(e.kind, ' ' ORDER BY e.seq) FROM events e
         WHERE e.tenant_id = s.tenant_id AND e.stream_id = s.id) AS events
FROM chat_sessions s
JOIN session_metadata d ON d.tenant_id = s.tenant_id AND d.session_id = s.id
LEFT JOIN chat_messages m ON m.tenant_id = s.tenant_id AND m.session_id = s.id
LEFT JOIN chat_messages p ON p.tenant_id = m.tenant_id AND p.id = m.parent_message_id
ORDER BY s.user_id, d.custom_data::text, s.title, s.id, m.sequence_number
"""


def says(role: str, content: object, **members: object) -> dict[str, Any]:
    """A message."""
    return {"role": role, "content": content, **members}


def calls(*ids: str, content: object = None, arguments: str = "{}") -> dict[str, Any]:
    """An assistant's message that calls the tool `look` once for each id."""
    function = {"name": "look", "arguments": arguments}
    return says("assistant", content, tool_calls=[{"id": one, "type": "function", "function": function} for one in ids])


def answers(call_id: str, content: object) -> dict[str, Any]:
    """A tool's message."""
    return says("tool", content, tool_call_id=call_id, name="look")


HELLO: dict[str, Any] = {"topic": "greeting", "messages": [says("user", "hello"), says("assistant", "hi")]}
LOOKED_UP: dict[str, Any] = {
    "topic": "weather",
    "messages": [says("user", "rain?"), calls("a"), answers("a", "sun"), says("assistant", "no")],
}


def line(found: object) -> bytes:
    """A line of a file, without its end."""
    return json.dumps(found).encode()


def read(found: object) -> Conversation:
    """What is understood of a line."""
    text = line(found)
    return read_conversation(Line(1, text, is_whole=True, is_too_long=False, end_offset=len(text)))


def written(folder: Path, lines: Iterable[object]) -> Path:
    """A file with these lines: bytes as they are, anything else as JSON."""
    file = folder / "conversations.jsonl"
    file.write_bytes(b"".join((one if isinstance(one, bytes) else line(one)) + b"\n" for one in lines))
    return file


async def imported(
    database: Database,
    pipeline: MessagePipeline,
    file: Path,
    *,
    user: str = "alice",
    user_field: str | None = None,
    format_: ImportFormat = ImportFormat.OPENAI_JSONL,
) -> Totals:
    """What became of a file."""
    owners = Ownership(TenantId("default"), UserId(user), user_field, CorrelationId("import"))
    return await import_parts(database, pipeline, parts_of([file], format_), owners, format_)


async def everything(dsn: str) -> list[tuple[Any, ...]]:
    """All that is stored, save ids and times, in an order of its own."""
    connection = await asyncpg.connect(dsn)
    try:
        return [tuple(row) for row in await connection.fetch(_EVERYTHING)]
    finally:
        await connection.close()


async def count(dsn: str, table: str) -> int:
    """The rows of a table."""
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval(f"SELECT count(*) FROM {table}"))
    finally:
        await connection.close()
