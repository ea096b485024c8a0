"""The lossless format: what a line of it holds, and how lines become a conversation again.

A session is a line that begins it, what agents keep in it, its messages in their order, what hangs on each right behind
it (calls, their executions, attachments), and a line that ends it. Every line is an object whose first member is its
`type`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.core.errors import ValidationError
from app.exchange.values import ANY_ID, Counted, ReadCall, ReadMessage
from app.messages.models import ChatMessage
from app.messages.values import ContextItems, Generation, Intent, MessageRole, MessageStatus
from app.sessions.models import AgentState, ChatSession, SessionMetadata
from app.sessions.values import AgentStateId, NewAgentState, PastAgentState, SessionId
from app.tools.models import ToolCall

VERSION = 2
"""Raised when an older release could not understand the lines; what it does not know it refuses. Older ones are read.

1 knew no executions, attachments and states of agents, and no message that answers one with a higher number."""

SESSION, AGENT_STATE, MESSAGE, END = "session", "agentState", "message", "end"
CALL, EXECUTION, ATTACHMENT = "toolCall", "toolExecution", "attachment"

TYPES = (SESSION, AGENT_STATE, MESSAGE, CALL, EXECUTION, ATTACHMENT, END)
"""In the order in which they may follow each other."""

EXPORTED = {
    "chat_sessions": SESSION, "session_metadata": SESSION, "agent_states": AGENT_STATE, "chat_messages": MESSAGE,
    "tool_calls": CALL, "tool_executions": EXECUTION, "message_attachments": ATTACHMENT,
}  # fmt: skip
"""In which line the rows of a table are."""

NOT_EXPORTED = {
    "session_tallies": "counted again by the statements that store calls and answers",
    "runs": "what they cost is a matter of the ledger where they ran; what they wrote is messages",
    "run_turns": "parts of a run, as the ledger has them",
    "workflow_stages": "are a project's, and say what came of its runs beside what was said",
    "stories": "parts of a stage",
    "prompt_executions": "name versions of the library they were asked from, and runs; what was asked is messages",
}
"""Tables whose rows hang on a session and stay behind, and why."""

Record = dict[str, Any]


def call_record(call: ToolCall, number: int) -> Record:
    """The line of a call of the message `number`."""
    return {
        "type": CALL, "message": number, "position": call.position, "id": call.global_id, "callId": call.call_id,
        "name": call.name, "arguments": call.arguments, "result": call.result, "resultTruncated": call.result_truncated,
        "success": call.success, "error": call.error, "executedAt": call.executed_at, "durationMs": call.duration_ms,
        "createdAt": call.created_at,
    }  # fmt: skip


def called(message: ReadMessage, record: Record) -> ReadMessage:
    """A message with one more call; ValidationError."""
    call = ReadCall(
        given(record, "name", str), given(record, "arguments", str), given_or_none(record, "callId", str),
        given_or_none(record, "result", str), bool(record.get("resultTruncated")),
        given_or_none(record, "success", bool), given_or_none(record, "error", str), moment(record, "executedAt"),
        given_or_none(record, "durationMs", int), moment(record, "createdAt"),
    )  # fmt: skip
    return replace(message, calls=(*message.calls, call))


def agent_state_record(state: AgentState) -> Record:
    """The line of what an agent keeps in a session."""
    return {
        "type": AGENT_STATE, "agentId": state.agent_id, "version": state.version, "state": state.state,
        "createdAt": state.created_at, "updatedAt": state.updated_at,
    }  # fmt: skip


def read_agent_state(record: Record) -> PastAgentState:
    """The state of a line; ValidationError."""
    new = NewAgentState(
        AgentStateId(ANY_ID), SessionId(ANY_ID), given(record, "agentId", str), given(record, "state", dict)
    )
    version = given_or_none(record, "version", int)
    state = PastAgentState(
        new, 1 if version is None else version, moment(record, "createdAt"), moment(record, "updatedAt")
    )
    state.check()
    return state


def session_record(session: ChatSession, filed: SessionMetadata | None, active_leaf: int | None) -> Record:
    """The line that begins a session."""
    return {
        "type": SESSION, "version": VERSION, "id": session.global_id, "tenantId": session.tenant_id,
        "userId": session.user_id, "title": session.title, "description": session.description,
        "status": session.status, "agentId": session.agent_id, "model": session.model, "provider": session.provider,
        "tags": filed.tags if filed else [], "customData": filed.custom_data if filed else {},
        "summary": filed.summary if filed else None, "activeLeaf": active_leaf,
        "createdAt": session.created_at, "updatedAt": session.updated_at,
    }  # fmt: skip


def message_record(message: ChatMessage, parent: int | None) -> Record:
    """The line of a message; `parent` is the number of the one it answers."""
    intent = message.intent
    return {
        "type": MESSAGE, "sequenceNumber": message.sequence_number, "id": message.global_id, "parent": parent,
        "role": message.role, "status": message.status, "content": message.content,
        "toolCallId": message.tool_call_id, "tokenCount": message.token_count,
        "tokenCountEstimated": message.token_count_estimated, "errorCode": message.error_code,
        "errorMessage": message.error_message,
        "intent": intent and {"name": intent.name, "confidence": intent.confidence, "keywords": intent.keywords},
        "model": message.model, "temperature": message.temperature, "source": message.generation_source,
        "processingTimeMs": message.processing_time_ms, "contextItems": message.context,
        "streaming": message.streaming, "pipeline": message.pipeline_facts, "metadata": message.custom_metadata,
        "createdAt": message.created_at, "updatedAt": message.updated_at, "deletedAt": message.deleted_at,
    }  # fmt: skip


def end_record(session: ChatSession, messages: int) -> Record:
    """The line that ends a session: without it, something is missing."""
    return {"type": END, "session": session.global_id, "messages": messages}


@dataclass(frozen=True, slots=True)
class Numbered:
    """A message of a file, with its number and that of the one it answers."""

    number: int
    parent: int | None
    message: ReadMessage


def read_message(record: Record) -> Numbered:
    """The message of a line; ValidationError."""
    number, parent = given(record, "sequenceNumber", int), given_or_none(record, "parent", int)
    generation = Generation(
        given_or_none(record, "model", str), given_or_none(record, "temperature", float, int),
        given_or_none(record, "source", str), given_or_none(record, "processingTimeMs", int),
        intent=_intent(record), streaming=given_or_none(record, "streaming", dict) or {},
        error_code=given_or_none(record, "errorCode", str), error_message=given_or_none(record, "errorMessage", str),
    )  # fmt: skip
    message = ReadMessage(
        MessageRole(one_of(record, "role", list(MessageRole))),
        given(record, "content", str),
        given_or_none(record, "metadata", dict) or {},
        given_or_none(record, "toolCallId", str),
        name=given(record, "id", str),
        status=MessageStatus(one_of(record, "status", list(MessageStatus), MessageStatus.COMPLETED)),
        context_items=ContextItems.from_json(_lists(given_or_none(record, "contextItems", dict) or {})),
        generation=generation,
        counted=_counted(record, generation.intent),
        created_at=moment(record, "createdAt"),
        updated_at=moment(record, "updatedAt"),
        deleted_at=moment(record, "deletedAt"),
    )  # fmt: skip
    return Numbered(number, parent, message)


def _counted(record: Record, intent: Intent | None) -> Counted | None:
    """What had been found out; None for a message that some other program wrote without."""
    tokens = given_or_none(record, "tokenCount", int)
    if tokens is None:
        return None
    is_estimate = bool(given_or_none(record, "tokenCountEstimated", bool))
    return Counted(tokens, is_estimate, intent, given_or_none(record, "pipeline", dict) or {})


def _intent(record: Record) -> Intent | None:
    found = given_or_none(record, "intent", dict)
    if found is None:
        return None
    keywords = given(found, "keywords", list)
    if not all(isinstance(keyword, str) for keyword in keywords):
        raise ValidationError("intent.keywords must be strings")
    return Intent(given(found, "name", str), given(found, "confidence", float, int), tuple(keywords))


def _lists(kinds: Record) -> Record:
    if not all(isinstance(items, list) for items in kinds.values()):
        raise ValidationError("contextItems must be lists")
    return kinds


def given(record: Record, name: str, *kinds: type) -> Any:
    """A member that must be there, of one of these types; ValidationError."""
    found = record.get(name)
    # A truth value is a whole number to Python.
    if not isinstance(found, kinds) or (isinstance(found, bool) and bool not in kinds):
        raise ValidationError(f"{name} must be {_SAID[kinds[0]]}")
    return found


def given_or_none(record: Record, name: str, *kinds: type) -> Any:
    """The same for one that may be missing or null."""
    return None if record.get(name) is None else given(record, name, *kinds)


_SAID = {
    str: "a string", int: "a whole number", float: "a number", bool: "true or false", list: "a list", dict: "an object",
}  # fmt: skip


def one_of(record: Record, name: str, words: Iterable[str], default: str | None = None) -> str:
    """A member that is one of some words; ValidationError."""
    found = record.get(name, default)
    if not isinstance(found, str) or found not in words:
        raise ValidationError(f"{name} must be {', '.join(words)}")
    return found


def moment(record: Record, name: str) -> datetime | None:
    """A member that is a time with its zone, or missing; ValidationError."""
    found = given_or_none(record, name, str)
    if found is None:
        return None
    try:
        read = datetime.fromisoformat(found)
    except ValueError:
        read = None
    if read is None or read.tzinfo is None or not 1900 <= read.year <= 9000:
        raise ValidationError(f"{name} must be a time with its zone, as in 2026-01-31T12:00:00+00:00")
    return read
