"""Forks of a session, and what they have of it."""

from typing import Any

from app.core.ids import parse_global_id
from app.sessions.values import SessionId
from tests.client import GraphQLClient
from tests.conversations import rows
from tests.uploads import FileToSend
from tests.worlds import add_call, add_execution, add_file

FORK = """session { id title description status agentId model provider messageCount totalTokensUsed estimatedCost
  totalDurationMs metadata { tags customData summary } forkedFrom { session { id } message { id } } }"""

COPIED = [
    "role", "status", "content", "token_count", "token_count_estimated", "tool_call_id", "tool_call_count",
    "error_code", "intent_name", "intent_keywords", "model", "temperature", "generation_source", "processing_time_ms",
    "context::text", "streaming::text", "pipeline_facts::text", "custom_metadata::text", "created_at", "updated_at",
    "deleted_at",
]  # fmt: skip
CALL = ["position", "call_id", "name", "arguments", "result", "success", "error", "executed_at", "duration_ms"]


async def forked(client: GraphQLClient, session: str, **input_: Any) -> dict[str, Any]:
    """The payload of a fork."""
    return await client.mutate("forkSession", FORK, {"sessionId": session, **input_})


async def fork_of(client: GraphQLClient, session: str, **input_: Any) -> str:
    """The id of a fork."""
    payload = await forked(client, session, **input_)
    assert payload["success"], payload
    return str(payload["session"]["id"])


def key_of(session: str) -> SessionId:
    """The id of a session's row."""
    return SessionId(parse_global_id(session, "ChatSession"))


async def talk(client: GraphQLClient) -> tuple[str, list[str]]:
    """A session of two questions, answers with calls beside and below each other, and what it is filed under."""
    session = await client.create_session(
        title="Trip", description="by train", agentId="agent", model="echo", provider="local", tags=["a", "b"],
        customData={"n": 1}, summary="about trains",
    )  # fmt: skip
    first = (await client.say(session, "When?", metadata={"m": 1}))["message"]["id"]
    await client.reply(session, "beside")
    answer = await client.reply(session, "At five.", parentMessageId=first, processingTimeMs=40, modelUsed="gpt-4o")
    second = (await client.say(session, "And back?"))["message"]["id"]
    last = (await client.reply(session, "At six."))["message"]["id"]
    ids = [first, answer["message"]["id"], second, last]
    for message in (ids[1], ids[1], ids[3]):
        await add_call(client, message, result="found", success=True)
    await execute(client, await add_call(client, ids[3]), "completed")
    await add_execution(client, await add_call(client, ids[3]), requiredApproval=True)
    for message in (ids[0], ids[0], ids[2]):
        await add_file(client, message, FileToSend())
    return session, ids


async def messages_of(dsn: str, session: str) -> list[dict[str, Any]]:
    """What is copied of the messages that lead to the active leaf."""
    found = await rows(
        dsn,
        f"""WITH RECURSIVE path AS (
              SELECT m.* FROM chat_messages m JOIN chat_sessions s ON s.active_leaf_id = m.id WHERE s.id = $1
              UNION ALL SELECT m.* FROM chat_messages m JOIN path p ON p.parent_message_id = m.id)
            SELECT {", ".join(COPIED)} FROM path ORDER BY sequence_number""",
        key_of(session),
    )
    return [dict(row) for row in found]


async def calls_of(dsn: str, session: str) -> list[dict[str, Any]]:
    """What is copied of the calls of a session."""
    found = await rows(
        dsn,
        f"""SELECT m.content, {", ".join(f"c.{name}" for name in CALL)}, c.created_at FROM tool_calls c
            JOIN chat_messages m ON m.id = c.message_id WHERE m.session_id = $1
            ORDER BY m.sequence_number, c.position""",
        key_of(session),
    )
    return [dict(row) for row in found]


async def execute(client: GraphQLClient, call: str, output: str) -> None:
    """Report what came of a call."""
    execution = await add_execution(client, call, agentId="agent")
    ended = {"toolExecutionId": execution, "status": "COMPLETED", "output": output}
    assert (await client.mutate("updateToolExecution", "toolExecution { id }", ended))["success"]


async def executions_of(dsn: str, session: str) -> list[dict[str, Any]]:
    """What is copied of the executions of a session that have ended."""
    found = await rows(
        dsn,
        """SELECT e.tool_name, e.input, e.output, e.status, e.agent_id, e.started_at, e.completed_at, c.position
            FROM tool_executions e JOIN tool_calls c ON c.id = e.tool_call_id
            JOIN chat_messages m ON m.id = c.message_id AND m.id = e.message_id AND m.session_id = e.session_id
            WHERE e.session_id = $1 AND e.completed_at IS NOT NULL ORDER BY m.sequence_number, c.position""",
        key_of(session),
    )
    return [dict(row) for row in found]


async def files_of(dsn: str, session: str) -> list[dict[str, Any]]:
    """What is copied of the attachments of a session, with how many each message says it has."""
    found = await rows(
        dsn,
        """SELECT m.content, m.attachment_count, a.file_name, a.content_type, a.size, a.sha256, a.data, a.uploaded_at
            FROM message_attachments a JOIN chat_messages m ON m.id = a.message_id WHERE m.session_id = $1
            ORDER BY m.sequence_number, a.id""",
        key_of(session),
    )
    return [dict(row) for row in found]
