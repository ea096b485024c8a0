"""The table of messages."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, Double, ForeignKeyConstraint, Index, Integer, SmallInteger, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Json, bounded, bounded_json
from app.messages.values import ContextItems, Intent, PipelineReport

_EMPTY = text("'{}'::jsonb")


class ChatMessage(Base):
    """One turn, numbered without gaps in its session. A deleted one stays as a tombstone: its number and its place."""

    __tablename__ = "chat_messages"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "session_id"], ["chat_sessions.tenant_id", "chat_sessions.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["tenant_id", "parent_message_id"], ["chat_messages.tenant_id", "chat_messages.id"], ondelete="RESTRICT"
        ),
        Index("uq_chat_messages_sequence", "tenant_id", "session_id", "sequence_number", unique=True),
        Index(None, "tenant_id", "created_at"),
        Index(None, "tenant_id", "parent_message_id", "sequence_number"),
        # The first messages of a session, which have no parent to be found by.
        Index(
            "ix_chat_messages_roots",
            "tenant_id",
            "session_id",
            "sequence_number",
            postgresql_where=text("parent_message_id is null"),
        ),
        # For upkeep, which is every tenant's.
        Index(
            "ix_chat_messages_unfinished", "updated_at", postgresql_where=text("status in ('pending', 'processing')")
        ),
        CheckConstraint("sequence_number >= 1", name="sequence_number"),
        CheckConstraint("role in ('system', 'user', 'assistant', 'tool')", name="role"),
        CheckConstraint("status in ('pending', 'processing', 'completed', 'failed', 'cancelled')", name="status"),
        *bounded(content=1_000_000, tool_call_id=255, error_code=255, error_message=4_000),
        *bounded(intent_name=255, model=255, generation_source=255),
        *bounded_json("context", "streaming", "pipeline_facts", "custom_metadata"),
        CheckConstraint("cardinality(intent_keywords) <= 2000", name="intent_keywords_count"),
        CheckConstraint("token_count >= 0 and processing_time_ms >= 0", name="counts"),
        CheckConstraint("tool_call_count between 0 and 128", name="tool_call_count"),
        CheckConstraint("attachment_count between 0 and 32", name="attachment_count"),
        CheckConstraint("intent_confidence > 0 and intent_confidence <= 1", name="intent_confidence"),
        CheckConstraint("deleted_at is null or content = ''", name="tombstone"),
    )
    node_type = "ChatMessage"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID]
    sequence_number: Mapped[int] = mapped_column(Integer)
    parent_message_id: Mapped[UUID | None]
    role: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="completed")
    content: Mapped[str]
    token_count: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    token_count_estimated: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    tool_call_id: Mapped[str | None]
    """Of a tool's message: the id that the model gave to the call it answers."""
    tool_call_count: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    attachment_count: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    error_code: Mapped[str | None]
    error_message: Mapped[str | None]
    intent_name: Mapped[str | None]
    intent_confidence: Mapped[float | None] = mapped_column(Double)
    intent_keywords: Mapped[list[str] | None]
    model: Mapped[str | None]
    temperature: Mapped[float | None] = mapped_column(Double)
    generation_source: Mapped[str | None]
    processing_time_ms: Mapped[int | None] = mapped_column(Integer)
    context: Mapped[Json] = mapped_column(server_default=_EMPTY)
    """Context items by kind, as the graph names them; kinds without items are absent."""
    streaming: Mapped[Json] = mapped_column(server_default=_EMPTY)
    pipeline_facts: Mapped[Json] = mapped_column(server_default=_EMPTY)
    custom_metadata: Mapped[Json] = mapped_column(server_default=_EMPTY)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    deleted_at: Mapped[datetime | None]

    @property
    def intent(self) -> Intent | None:
        """What the user wanted, as far as it was recognised."""
        if self.intent_name is None:
            return None
        return Intent(self.intent_name, self.intent_confidence or 0.0, tuple(self.intent_keywords or ()))

    @property
    def context_items(self) -> ContextItems:
        """What it was written with in view."""
        return ContextItems.from_json(self.context)

    @property
    def generation(self) -> "ChatMessage":
        """The same row: how it came about is told by its own columns."""
        return self

    @property
    def source(self) -> str | None:
        """What produced it."""
        return self.generation_source

    @property
    def pipeline(self) -> PipelineReport:
        """What the pipeline found out beside the columns."""
        return PipelineReport.from_json(self.pipeline_facts, self.created_at)
