"""Sessions to export, what is written of them, and importing that."""

import json
from pathlib import Path
from typing import Any

from app.core.actor import Actor
from app.core.ids import new_id
from app.db.database import Database
from app.exchange.export import exported
from app.exchange.formats.names import ExportFormat, ImportFormat
from app.exchange.loaders import SessionReading
from app.messages.pipeline import MessagePipeline
from app.messages.values import Draft, MessageId
from app.sessions import service as sessions
from app.sessions.values import NewSession, SessionId
from app.tools import service as tools
from app.tools.values import NewToolCall, ToolCallId
from tests.exchange import conversations


async def written(database: Database, actor: Actor, session: SessionId, format_: ExportFormat) -> bytes:
    """A session as a format has it."""
    reading = await SessionReading.of(database, actor, session)
    return b"".join([piece async for piece in exported(reading, format_)])


async def a_session(database: Database, actor: Actor, **members: Any) -> SessionId:
    """A new session."""
    new = NewSession(SessionId(new_id()), **members)
    async with database.single_statement() as uow:
        await sessions.create(uow, actor, new, None)
    return new.id


async def say(
    database: Database, pipeline: MessagePipeline, actor: Actor, draft: Draft, calls: list[dict[str, Any]] | None = None
) -> MessageId:
    """A message, with its calls."""
    message = MessageId((await pipeline.persist(database, actor, draft, None)).message.id)
    for call in calls or []:
        async with database.single_statement() as uow:
            await tools.add(uow, actor, NewToolCall(ToolCallId(new_id()), message, **call), None)
    return message


async def imported(
    database: Database, pipeline: MessagePipeline, folder: Path, text: bytes, user: str = "bob", **members: Any
) -> Any:
    """What became of a file that is imported."""
    file = folder / "export.jsonl"
    file.write_bytes(text)
    return await conversations.imported(
        database, pipeline, file, user=user, **{"format_": ImportFormat.JSONL, **members}
    )


def spoiled(text: bytes, line: int, **members: Any) -> bytes:
    """The lines with members of one changed; without members the line is left out."""
    lines = text.splitlines(keepends=True)
    lines[line] = json.dumps({**json.loads(lines[line]), **members}).encode() + b"\n" if members else b""
    return b"".join(lines)
