"""What hangs on messages and sessions goes along: executions, attachments, what agents keep, and trees that grew."""

import json
from base64 import b64decode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from app.attachments import service as attachments
from app.attachments.values import AttachmentId, NewAttachment
from app.core.actor import Actor
from app.core.ids import new_id
from app.db.database import Database
from app.exchange.display import refusals, summary
from app.exchange.export import exported
from app.exchange.formats.names import ExportFormat
from app.exchange.formats.records import EXPORTED, NOT_EXPORTED
from app.exchange.loaders import SessionReading
from app.exchange.values import Stored
from app.messages import service as messages
from app.messages.pipeline import MessagePipeline
from app.messages.values import Draft, MessageId, MessageRole
from app.sessions import service as sessions
from app.sessions.errors import SessionNotFound
from app.sessions.values import AgentStateId, NewAgentState, SessionId
from app.tables import metadata
from app.tools import service as tools
from app.tools.values import (
    Decision,
    ExecutionStatus,
    NewToolCall,
    NewToolExecution,
    ToolCallId,
    ToolExecutionId,
)
from tests.attachments.files import PNG
from tests.exchange.exported import a_session, imported, say, spoiled, written
from tests.worlds import rows

LARGE = bytes(range(256)) * 3_000
"""Three slices, none of which ends with a group of three bytes."""

_EXECUTIONS = """
SELECT c.position, c.success, c.error AS told, e.tool_name, e.input, e.output, e.status, e.error, e.required_approval,
       e.approved, e.approved_by, e.approved_at, e.decision_comment, e.approval_expires_at, e.agent_id, e.started_at,
       e.completed_at, e.duration_ms, e.created_at, e.updated_at
FROM tool_executions e JOIN tool_calls c ON c.id = e.tool_call_id WHERE e.user_id = $1 ORDER BY c.position
"""
_ATTACHMENTS = """
SELECT m.sequence_number, m.attachment_count, a.file_name, a.content_type, a.size, a.sha256, a.data, a.uploaded_at
FROM message_attachments a JOIN chat_messages m ON m.id = a.message_id JOIN chat_sessions s ON s.id = m.session_id
WHERE s.user_id = $1 ORDER BY m.sequence_number, a.uploaded_at, a.id
"""
_STATES = """
SELECT s.agent_states, s.updated_at AS changed, a.agent_id, a.state::text, a.version, a.created_at, a.updated_at
FROM agent_states a JOIN chat_sessions s ON s.id = a.session_id WHERE s.user_id = $1 ORDER BY a.agent_id
"""
_TREE = """
SELECT m.content, p.content AS parent, l.content AS leaf
FROM chat_messages m JOIN chat_sessions s ON s.id = m.session_id
LEFT JOIN chat_messages p ON p.id = m.parent_message_id LEFT JOIN chat_messages l ON l.id = s.active_leaf_id
WHERE s.user_id = $1 ORDER BY m.content
"""


async def attach(database: Database, actor: Actor, message: MessageId, name: str, content: bytes) -> AttachmentId:
    new = NewAttachment(
        AttachmentId(new_id()), message, name, "application/octet-stream", sha256(content).digest(), content
    )
    async with database.single_statement() as uow:
        await attachments.add(uow, actor, new, None)
    return new.id


async def called(database: Database, actor: Actor, message: MessageId, **members: Any) -> ToolExecutionId:
    call = NewToolCall(ToolCallId(new_id()), message, "look_up", "{}")
    async with database.single_statement() as uow:
        await tools.add(uow, actor, call, None)
    new = NewToolExecution(ToolExecutionId(new_id()), call.id, **members)
    async with database.single_statement() as uow:
        await tools.execute(uow, actor, new, None)
    return new.id


async def ended(database: Database, actor: Actor, execution: ToolExecutionId, **changes: Any) -> None:
    async with database.single_statement() as uow:
        await tools.update(uow, actor, execution, changes, None)


@pytest.fixture
async def session(database: Database, pipeline: MessagePipeline, actor: Actor) -> SessionId:
    """A question, and an answer that may have called tools and files."""
    found = await a_session(database, actor, title="Trains")
    await say(database, pipeline, actor, Draft(found, MessageRole.USER, "When is the train?"))
    return found


async def test_executions_go_along_and_those_that_had_not_ended_are_called_off(
    database: Database, pipeline: MessagePipeline, actor: Actor, session: SessionId, dsn: str, tmp_path: Path
) -> None:
    message = await say(database, pipeline, actor, Draft(session, MessageRole.ASSISTANT, "I look."))
    done = await called(database, actor, message, input="more", agent_id="planner")
    await ended(database, actor, done, status=ExecutionStatus.COMPLETED, output="9:05" * 3_000)
    denied = await called(database, actor, message, required_approval=True)
    async with database.single_statement() as uow:
        await tools.decide(uow, actor, Decision(denied, approve=False, comment="no"), None)
    await called(database, actor, message, status=ExecutionStatus.RUNNING)
    await called(database, actor, message, required_approval=True)

    text = await written(database, actor, session, ExportFormat.JSONL)
    first = await imported(database, pipeline, tmp_path, text)
    second = await imported(database, pipeline, tmp_path, text)

    assert first.refusals == []
    assert (first.executions, second.executions, second.calls) == (Stored(4), Stored(0, 4), Stored(0, 4))
    assert "executions: 4 new, 0 already there" in list(summary(first))
    before, after = [await rows(dsn, _EXECUTIONS, user) for user in ("alice", "bob")]
    assert after[:2] == before[:2]
    assert [row["status"] for row in before] == ["completed", "cancelled", "running", "awaiting_approval"]
    for was, is_ in zip(before[2:], after[2:], strict=True):
        assert (is_["status"], is_["error"], is_["told"], is_["success"]) == (
            "cancelled", "called off", "called off", False,
        )  # fmt: skip
        assert (is_["completed_at"], is_["created_at"]) == (was["updated_at"], was["created_at"])


async def test_attachments_go_along_by_slices_with_their_types_found_again(
    database: Database, pipeline: MessagePipeline, actor: Actor, session: SessionId, dsn: str, tmp_path: Path
) -> None:
    message = await say(database, pipeline, actor, Draft(session, MessageRole.USER, "Look:"))
    for name, content in (("a.png", PNG), ("large", LARGE), ("empty", b"")):
        await attach(database, actor, message, name, content)

    text = await written(database, actor, session, ExportFormat.JSONL)
    first = await imported(database, pipeline, tmp_path, text)
    second = await imported(database, pipeline, tmp_path, text)

    assert first.refusals == []
    assert (first.attachments, second.attachments) == (Stored(3), Stored(0, 3))
    before, after = [await rows(dsn, _ATTACHMENTS, user) for user in ("alice", "bob")]
    assert [row.pop("content_type") for row in before] == ["application/octet-stream"] * 3
    assert [row.pop("content_type") for row in after] == ["image/png", "application/octet-stream", "text/plain"]
    assert after == before
    assert {row["attachment_count"] for row in after} == {3}


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"data": "AAAA"}, "sha256 or size is not that of data: the file was changed or damaged"),
        ({"data": "?"}, "data must be base64"),
        ({"sha256": "00"}, "sha256 or size is not that of data: the file was changed or damaged"),
        ({"message": 1}, "message must be the number of the message before it"),
    ],
)
async def test_a_damaged_attachment_refuses_its_session(
    database: Database, pipeline: MessagePipeline, actor: Actor, session: SessionId, dsn: str, tmp_path: Path,
    members: dict[str, Any], reason: str,
) -> None:  # fmt: skip
    message = await say(database, pipeline, actor, Draft(session, MessageRole.USER, "Look:"))
    await attach(database, actor, message, "a.png", PNG)
    text = await written(database, actor, session, ExportFormat.JSONL)

    totals = await imported(database, pipeline, tmp_path, spoiled(text, 3, **members))

    assert list(refusals(totals)) == [f"line 1: in line 4: {reason}"]
    assert len(await rows(dsn, "SELECT 1 FROM chat_sessions")) == 1


async def test_an_attachment_that_is_deleted_while_it_is_written_is_left_out_by_the_import(
    database: Database, pipeline: MessagePipeline, actor: Actor, session: SessionId, dsn: str, tmp_path: Path
) -> None:
    message = await say(database, pipeline, actor, Draft(session, MessageRole.USER, "Look:"))
    first = await attach(database, actor, message, "large", LARGE)
    second = await attach(database, actor, message, "other", LARGE)
    pieces = exported(await SessionReading.of(database, actor, session), ExportFormat.JSONL)

    text = b""
    while b'"data":"' not in text:
        text += await anext(pieces)
    for gone in (first, second):
        async with database.single_statement() as uow:
            await attachments.delete(uow, actor, gone, None)
    text += b"".join([piece async for piece in pieces])

    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["type"] for line in lines] == ["session", "message", "message", "attachment", "end"]
    assert lines[3]["deleted"] is True
    assert LARGE.startswith(b64decode(lines[3]["data"]))
    totals = await imported(database, pipeline, tmp_path, text)
    assert (totals.refusals, totals.messages, totals.attachments) == ([], Stored(2), Stored(0))


async def test_a_session_that_is_deleted_before_its_attachments_does_not_look_whole(
    database: Database, pipeline: MessagePipeline, actor: Actor, session: SessionId
) -> None:
    message = await say(database, pipeline, actor, Draft(session, MessageRole.USER, "Look:"))
    await attach(database, actor, message, "a.png", PNG)
    pieces = exported(await SessionReading.of(database, actor, session), ExportFormat.JSONL)
    while b"Look:" not in await anext(pieces):
        pass
    async with database.single_statement() as uow:
        await sessions.delete(uow, actor, session, None)

    with pytest.raises(SessionNotFound):
        [piece async for piece in pieces]


async def test_states_of_agents_keep_their_versions_and_times(
    database: Database, pipeline: MessagePipeline, actor: Actor, session: SessionId, dsn: str, tmp_path: Path
) -> None:
    for agent, step in (("planner", 1), ("planner", 2), ("später", 1)):
        async with database.single_statement() as uow:
            new = NewAgentState(AgentStateId(new_id()), session, agent, {"step": step})
            await sessions.set_agent_state(uow, actor, new, None)
    text = await written(database, actor, session, ExportFormat.JSONL)

    first = await imported(database, pipeline, tmp_path, text)
    second = await imported(database, pipeline, tmp_path, text)

    assert (first.refusals, first.conversations, second.conversations) == ([], Stored(1), Stored(0, 1))
    before, after = [await rows(dsn, _STATES, user) for user in ("alice", "bob")]
    assert [(row["agent_id"], row["version"]) for row in after] == [("planner", 2), ("später", 1)]
    assert after == before


async def test_a_tree_whose_message_answers_a_later_one_stays_that_tree(
    database: Database, pipeline: MessagePipeline, actor: Actor, session: SessionId, dsn: str, tmp_path: Path
) -> None:
    waiting = await say(database, pipeline, actor, Draft(session, MessageRole.ASSISTANT, "I look."))
    await say(database, pipeline, actor, Draft(session, MessageRole.USER, "And back?", waiting))
    last = await say(database, pipeline, actor, Draft(session, MessageRole.ASSISTANT, "At 9:05.", waiting))
    reading = await SessionReading.of(database, actor, session)
    later = await say(database, pipeline, actor, Draft(session, MessageRole.ASSISTANT, "Platform 2.", last))
    async with database.unit_of_work() as uow:
        await messages.move_answers(uow, actor, session, waiting, later, last)

    text = await written(database, actor, session, ExportFormat.JSONL)
    totals = await imported(database, pipeline, tmp_path, text)

    assert totals.refusals == []
    assert await rows(dsn, _TREE, "bob") == await rows(dsn, _TREE, "alice")
    assert [line.get("parent") for line in map(json.loads, text.splitlines())] == [None, None, 1, 5, 2, 4, None]
    # Begun before the last was said: what answers it answers the nearest that is written.
    earlier = b"".join([piece async for piece in exported(reading, ExportFormat.JSONL)])
    assert [line.get("parent") for line in map(json.loads, earlier.splitlines())] == [None, None, 1, 4, 2, None]
    assert len(await reading.path()) == 3


async def test_markdown_names_attachments_under_their_message(
    database: Database, pipeline: MessagePipeline, actor: Actor, session: SessionId
) -> None:
    message = await say(database, pipeline, actor, Draft(session, MessageRole.USER, "Look:"))
    await attach(database, actor, message, "a `b`.png", PNG)
    await attach(database, actor, message, "large", LARGE)

    text = (await written(database, actor, session, ExportFormat.MARKDOWN)).decode()

    assert text.endswith(
        "\nLook:\n\nAttachments:\n\n- `a b.png` (application/octet-stream, 33 bytes)\n"
        "- `large` (application/octet-stream, 768,000 bytes)\n"
    )


def test_every_table_that_hangs_on_a_session_is_exported_or_says_why_not() -> None:
    hanging = {"chat_sessions"}
    while more := {
        table.name
        for table in metadata.tables.values()
        if table.name not in hanging and {key.column.table.name for key in table.foreign_keys} & hanging
    }:
        hanging |= more

    assert EXPORTED.keys() | NOT_EXPORTED.keys() == hanging
    assert not EXPORTED.keys() & NOT_EXPORTED.keys()
    assert all(NOT_EXPORTED.values())
