"""The table of tool calls."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, ForeignKeyConstraint, Index, Integer, SmallInteger, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, bounded


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
