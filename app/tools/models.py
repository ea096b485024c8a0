"""The tables of tool calls and their executions."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, ForeignKeyConstraint, Index, Integer, SmallInteger, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, bounded

_AWAITING = "status = 'awaiting_approval'"
_EXPIRING = f"{_AWAITING} and approval_expires_at is not null"
_ENDED = "'completed', 'failed', 'cancelled'"


class ToolCall(Base):
    """One call that a model asked for in an assistant message, with a preview of what came of it."""

    __tablename__ = "tool_calls"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "message_id"], ["chat_messages.tenant_id", "chat_messages.id"], ondelete="CASCADE"
        ),
        Index("uq_tool_calls_position", "tenant_id", "message_id", "position", unique=True),
        Index("uq_tool_calls_call_id", "tenant_id", "message_id", "call_id", unique=True),
        Index(None, "tenant_id", "name"),
        CheckConstraint("char_length(name) between 1 and 255", name="name_length"),
        *bounded(call_id=255, arguments=8_000, result=8_000, error=4_000),
    )
    node_type = "ToolCall"
    session_id: ClassVar[UUID]
    """No column: the statement that adds a call gives it, so that those who follow the session can be told."""

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    message_id: Mapped[UUID]
    position: Mapped[int] = mapped_column(SmallInteger)
    """1, 2, 3 … in the message, in the order they were added."""
    call_id: Mapped[str | None]
    """The id that the model gave to the call; a tool's message names it as its `tool_call_id`."""
    name: Mapped[str]
    arguments: Mapped[str]
    result: Mapped[str | None]
    result_truncated: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    success: Mapped[bool | None] = mapped_column(Boolean)
    error: Mapped[str | None]
    executed_at: Mapped[datetime | None]
    duration_ms: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ToolExecution(Base):
    """What was done about one tool call, with a person's decision where it needed one. An ended one never changes.

    Rows come without `input` and `output`, which may be long, save where it is said: they have loaders of their own.
    """

    __tablename__ = "tool_executions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "session_id"], ["chat_sessions.tenant_id", "chat_sessions.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["tenant_id", "tool_call_id"], ["tool_calls.tenant_id", "tool_calls.id"], ondelete="CASCADE"
        ),
        Index("uq_tool_executions_tool_call_id", "tenant_id", "tool_call_id", unique=True),
        Index(None, "tenant_id", "session_id", "created_at", "id"),
        Index(None, "tenant_id", "tool_name"),
        Index(None, "tenant_id", "status"),
        Index(None, "tenant_id", "started_at"),
        # What a user is asked for, over all sessions, oldest first.
        Index("ix_tool_executions_inbox", "tenant_id", "user_id", "created_at", "id", postgresql_where=text(_AWAITING)),
        # For upkeep, which is every tenant's. IS NOT NULL, which is so, keeps it out of what is asked of one inbox.
        Index("ix_tool_executions_expiring", "approval_expires_at", postgresql_where=text(_EXPIRING)),
        CheckConstraint(
            "status in ('pending', 'running', 'completed', 'failed', 'cancelled', 'awaiting_approval')", name="status"
        ),
        CheckConstraint("(completed_at is null) = (status not in (" + _ENDED + "))", name="completed_at"),
        CheckConstraint("completed_at is null or started_at <= completed_at", name="started_at"),
        CheckConstraint("(approved is null) = (approved_by is null)", name="approved_by"),
        CheckConstraint("(approved is null) = (approved_at is null)", name="approved_at"),
        CheckConstraint("approved is null or required_approval", name="required_approval"),
        CheckConstraint(
            "status <> 'awaiting_approval' or (required_approval and approved is null "
            "and approval_expires_at is not null)",
            name="awaiting_approval",
        ),
        CheckConstraint("duration_ms >= 0", name="duration_ms"),
        *bounded(tool_name=255, input=100_000, output=1_000_000, error=4_000, decision_comment=4_000, agent_id=255),
    )
    node_type = "ToolExecution"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID]
    user_id: Mapped[str]
    """The owner of the session, who is asked for approval; never changes."""
    message_id: Mapped[UUID]
    tool_call_id: Mapped[UUID]
    run_id: Mapped[UUID | None]
    """The run that waits for it. No foreign key: runs rank above."""
    tool_name: Mapped[str]
    input: Mapped[str]
    output: Mapped[str | None]
    status: Mapped[str] = mapped_column(server_default="pending")
    error: Mapped[str | None]
    required_approval: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    approved: Mapped[bool | None] = mapped_column(Boolean)
    """None while nobody has decided, and for ever where it expired or needed no approval."""
    approved_by: Mapped[str | None]
    """Who decided, also against it."""
    approved_at: Mapped[datetime | None]
    decision_comment: Mapped[str | None]
    approval_expires_at: Mapped[datetime | None]
    agent_id: Mapped[str | None]
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    duration_ms: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
