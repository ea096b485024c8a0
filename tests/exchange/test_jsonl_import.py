"""The lossless format as it is imported: whole or not at all, and only what is new."""

import re
from pathlib import Path
from typing import Any

import pytest

from app.core.actor import Actor
from app.db.database import Database
from app.exchange.display import refusals
from app.exchange.errors import UnusableFile
from app.exchange.files.sources import guessed
from app.exchange.formats.names import ExportFormat, ImportFormat
from app.exchange.values import Stored
from app.messages.pipeline import MessagePipeline
from app.messages.values import Draft, MessageRole
from app.sessions.values import SessionId
from tests.exchange.exported import imported, say, spoiled, written
from tests.worlds import rows

PAGE = (Path(__file__).parents[2] / "docs" / "export.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("line", "members", "reason"),
    [
        (0, {}, "it must begin with a line of type session"),
        (0, {"version": 3}, "version must be 1 to 2: another release of colloquy wrote it"),
        (0, {"activeLeaf": 9}, "activeLeaf must be the number of a message"),
        (0, {"title": 7}, "title must be a string"),
        (0, {"tags": [7]}, "tags must be strings"),
        (0, {"createdAt": "2026-01-31"}, "createdAt must be a time with its zone, as in 2026-01-31T12:00:00+00:00"),
        (1, {}, "in line 2: sequenceNumber must be 1, the next in the session"),
        (1, {"role": "robot"}, "in line 2: role must be system, user, assistant, tool"),
        (1, {"content": "a\x00"}, "in line 2: content contains the character U+0000, which cannot be stored"),
        (1, {"content": ""}, "message 1.content must not be empty"),
        (1, {"tokenCount": -1}, "message 1.tokenCount must be between 0 and 2,147,483,647, not -1"),
        (1, {"deletedAt": "2026-01-31T12:00:00Z"},
         "message 1.content, calls and attachments of a deleted message must be empty"),
        (1, {"updatedAt": "0001-01-01T00:00:00Z"},
         "in line 2: updatedAt must be a time with its zone, as in 2026-01-31T12:00:00+00:00"),
        (3, {"role": "user", "content": "x"}, "message 3.only an assistant's message calls tools"),
        (5, {"callId": "c1"}, "message 3.two calls of one message have the same id"),
        (1, {"tokenCount": True}, "in line 2: tokenCount must be a whole number"),
        (2, {"parent": 2}, "a message answers itself: parents go round in a circle"),
        (2, {"parent": 9}, "message 2.parent must be the number of a message"),
        (4, {"message": 1}, "in line 5: message must be the number of the message before it"),
        (4, {"type": "hologram"},
         "in line 5: type must be agentState, message, toolCall, toolExecution, attachment, end"),
        (4, {"arguments": "x" * 8_001},
         "message 3.toolCall[0].arguments has 8,001 characters; at most 8,000 are stored"),
        (7, {"messages": 5}, "in line 8: messages must be 4: some are missing"),
        (7, {}, "it ends without a line of type end, the file may have been cut off"),
    ],
)  # fmt: skip
async def test_a_session_that_cannot_be_taken_is_refused_whole(
    database: Database, pipeline: MessagePipeline, actor: Actor, session: SessionId, dsn: str, tmp_path: Path,
    line: int, members: dict[str, Any], reason: str,
) -> None:  # fmt: skip
    text = await written(database, actor, session, ExportFormat.JSONL)

    totals = await imported(database, pipeline, tmp_path, spoiled(text, line, **members) + text)

    assert list(refusals(totals)) == [f"line 1: {reason}"]
    assert totals.conversations == Stored(1)
    assert len(await rows(dsn, "SELECT 1 FROM chat_sessions")) == 2


async def test_two_messages_of_one_id_refuse_their_session(
    database: Database, pipeline: MessagePipeline, actor: Actor, session: SessionId, tmp_path: Path
) -> None:
    text = await written(database, actor, session, ExportFormat.JSONL)
    text = spoiled(spoiled(text, 1, id="same"), 2, id="same")

    totals = await imported(database, pipeline, tmp_path, text)

    assert list(refusals(totals)) == ["line 1: message 2.id is that of a message before it"]


async def test_a_later_export_adds_what_is_new(
    database: Database, pipeline: MessagePipeline, actor: Actor, session: SessionId, dsn: str, tmp_path: Path
) -> None:
    await imported(database, pipeline, tmp_path, await written(database, actor, session, ExportFormat.JSONL))
    await say(database, pipeline, actor, Draft(session, MessageRole.USER, "And back?"))

    totals = await imported(database, pipeline, tmp_path, await written(database, actor, session, ExportFormat.JSONL))

    assert (totals.completed, totals.messages, totals.calls) == (1, Stored(1, 4), Stored(0, 2))


async def test_sessions_go_back_to_their_users(
    database: Database, pipeline: MessagePipeline, actor: Actor, session: SessionId, dsn: str, tmp_path: Path
) -> None:
    text = await written(database, actor, session, ExportFormat.JSONL)

    totals = await imported(database, pipeline, tmp_path, text, user_field="userId")

    assert totals.conversations == Stored(1)
    assert [row["user_id"] for row in await rows(dsn, "SELECT user_id FROM chat_sessions")] == ["alice", "alice"]
    assert guessed([tmp_path / "export.jsonl"]) is ImportFormat.JSONL


async def test_the_example_on_the_page_about_the_export_is_taken(
    database: Database, pipeline: MessagePipeline, dsn: str, tmp_path: Path
) -> None:
    (shown,) = [block for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL) if '"type": "session"' in block]

    totals = await imported(database, pipeline, tmp_path, shown.encode(), user_field="userId")

    assert (totals.messages, totals.calls, totals.refused) == (Stored(2), Stored(1), 0)
    assert [row["user_id"] for row in await rows(dsn, "SELECT user_id FROM chat_sessions")] == ["amelia"]


async def test_a_file_of_another_format_is_refused_line_by_line(
    database: Database, pipeline: MessagePipeline, tmp_path: Path
) -> None:
    totals = await imported(database, pipeline, tmp_path, b'{"messages": []}\n[]\n')

    assert list(refusals(totals)) == ["line 1: it must be an object with a type"]
    with pytest.raises(UnusableFile):
        await imported(database, pipeline, tmp_path, b"{}", format_=ImportFormat.CHATGPT)
