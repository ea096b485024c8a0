"""The rows of a seeded world as COPY takes them: one record per table, with the columns that are written.

A further table is one more record here, one more line in `TABLES`, and a place in `books` that makes its rows.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from app.attachments.models import MessageAttachment
from app.db.base import Base
from app.events.models import Event
from app.messages.models import ChatMessage
from app.runs.models import Run, RunEvent, UsageEntry
from app.sessions.models import AgentState, ChatSession, SessionMetadata, SessionTally
from app.tools.models import ToolCall, ToolExecution


class SessionRow(NamedTuple):
    """A session as it stands at its end."""

    tenant_id: str
    id: UUID
    user_id: str
    title: str
    description: str | None
    status: str
    agent_id: str | None
    model: str
    provider: str
    created_at: datetime
    updated_at: datetime
    last_sequence: int
    last_event: int
    active_leaf_id: UUID | None
    active_leaf_parent_id: UUID | None
    user_messages: int
    assistant_messages: int
    system_messages: int
    tool_messages: int
    tool_calls: int
    tool_executions: int
    agent_states: int
    total_tokens_used: int
    estimated_cost: Decimal
    total_duration_ms: int
    awaiting_answer_since: datetime | None
    answered: int
    answer_ms: int


class MetadataRow(NamedTuple):
    """What a session is filed under."""

    tenant_id: str
    session_id: UUID
    tags: list[str]
    custom_data: dict[str, Any]
    summary: str | None


class AgentStateRow(NamedTuple):
    """What an agent keeps."""

    tenant_id: str
    session_id: UUID
    agent_id: str
    id: UUID
    state: dict[str, Any]
    version: int
    created_at: datetime
    updated_at: datetime


class TallyRow(NamedTuple):
    """How often the session used a tool or a model."""

    tenant_id: str
    session_id: UUID
    kind: str
    name: str
    times: int


class MessageRow(NamedTuple):
    """A message. What has a default here is not told of every kind."""

    tenant_id: str
    id: UUID
    session_id: UUID
    sequence_number: int
    parent_message_id: UUID | None
    role: str
    status: str
    content: str
    token_count: int
    token_count_estimated: bool
    created_at: datetime
    updated_at: datetime
    tool_call_id: str | None = None
    tool_call_count: int = 0
    attachment_count: int = 0
    error_code: str | None = None
    error_message: str | None = None
    intent_name: str | None = None
    intent_confidence: float | None = None
    intent_keywords: list[str] | None = None
    model: str | None = None
    processing_time_ms: int | None = None
    streaming: dict[str, Any] = {}  # noqa: RUF012 - never changed
    pipeline_facts: dict[str, Any] = {}  # noqa: RUF012
    deleted_at: datetime | None = None


class ToolCallRow(NamedTuple):
    """A tool call."""

    tenant_id: str
    id: UUID
    message_id: UUID
    position: int
    call_id: str
    name: str
    arguments: str
    result: str | None
    success: bool | None
    error: str | None
    executed_at: datetime | None
    duration_ms: int | None
    created_at: datetime


class ExecutionRow(NamedTuple):
    """The execution of a tool call, as far as it has come. What has a default here is told later, or of a few."""

    tenant_id: str
    id: UUID
    session_id: UUID
    user_id: str
    message_id: UUID
    tool_call_id: UUID
    tool_name: str
    input: str
    status: str
    required_approval: bool
    approval_expires_at: datetime | None
    agent_id: str | None
    created_at: datetime
    updated_at: datetime
    output: str | None = None
    error: str | None = None
    approved: bool | None = None
    approved_by: str | None = None
    approved_at: datetime | None = None
    decision_comment: str | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    duration_ms: int | None = None


class AttachmentRow(NamedTuple):
    """A file of a message."""

    tenant_id: str
    id: UUID
    message_id: UUID
    file_name: str
    content_type: str
    size: int
    sha256: bytes
    data: bytes
    uploaded_at: datetime


class RunRow(NamedTuple):
    """A run that has ended; its pieces are given up."""

    tenant_id: str
    id: UUID
    session_id: UUID
    user_id: str
    message_id: UUID
    prompt_message_id: UUID
    sequence_number: int
    retry_of_id: UUID | None
    status: str
    generation: int
    model: str
    prompt_tokens: int
    window_budget_tokens: int
    window_messages: int
    left_out_messages: int
    left_out_tokens: int
    correlation_id: str
    last_seq: int
    stop_reason: str | None
    error_code: str | None
    error_message: str | None
    error_facts: dict[str, Any] | None
    input_tokens: int
    cached_input_tokens: int
    cache_write_tokens: int
    output_tokens: int
    reasoning_tokens: int
    usage_estimated: bool
    cost: Decimal | None
    created_at: datetime
    started_at: datetime
    finished_at: datetime
    compacted_at: datetime


class LineRow(NamedTuple):
    """The last line of a run's log."""

    tenant_id: str
    run_id: UUID
    seq: int
    kind: str
    payload: dict[str, Any]


class SpentRow(NamedTuple):
    """What a run used."""

    tenant_id: str
    run_id: UUID
    session_id: UUID
    user_id: str
    model: str
    status: str
    input_tokens: int
    cached_input_tokens: int
    cache_write_tokens: int
    output_tokens: int
    reasoning_tokens: int
    estimated: bool
    cost: Decimal | None
    at: datetime


class EventRow(NamedTuple):
    """One thing that happened."""

    tenant_id: str
    stream_id: UUID
    seq: int
    kind: str
    payload: dict[str, Any]
    actor: str
    owner_id: str
    correlation_id: str
    at: datetime


TABLES: dict[type[Any], type[Base]] = {
    SessionRow: ChatSession,
    MetadataRow: SessionMetadata,
    TallyRow: SessionTally,
    AgentStateRow: AgentState,
    MessageRow: ChatMessage,
    ToolCallRow: ToolCall,
    ExecutionRow: ToolExecution,
    AttachmentRow: MessageAttachment,
    RunRow: Run,
    LineRow: RunEvent,
    SpentRow: UsageEntry,
    EventRow: Event,
}
"""Where the rows go, in an order in which foreign keys hold."""

Rows = dict[type[Any], list[Any]]
"""Rows by their kind."""


def no_rows() -> Rows:
    """A place for rows of every table."""
    return {kind: [] for kind in TABLES}
