"""The tables of sessions."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Integer, SmallInteger, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.ids import global_id
from app.db.base import Base, Json, bounded, bounded_json

_ZERO = text("0")


class ChatSession(Base):
    """One conversation, with the counters of all that hangs on it.

    Private to its user; one in which a stage of a project was generated is read by the whole tenant. The counters are
    kept by the statements that append: they are lifetime spend and never decrease, and their row lock is what orders
    the writers of one session.
    """

    __tablename__ = "chat_sessions"
    __table_args__ = (
        # The second serves lookups by user alone too; both serve their order in either direction. What a project's
        # stages said is in no list of conversations: there may be a hundred times as much of it.
        Index(
            "ix_chat_sessions_conversations", "tenant_id", "user_id", "updated_at", "id",
            postgresql_where=text("project_id is null"),
        ),
        Index(None, "tenant_id", "user_id", "created_at", "id"),
        Index(
            "ix_chat_sessions_project", "tenant_id", "project_id", "id",
            postgresql_where=text("project_id is not null"),
        ),
        ForeignKeyConstraint(["tenant_id", "project_id"], ["projects.tenant_id", "projects.id"], ondelete="CASCADE"),
        Index(None, "tenant_id", "created_at"),
        CheckConstraint("char_length(title) between 1 and 255", name="title_length"),
        *bounded(description=4_000, agent_id=255, model=255, provider=255),
        CheckConstraint("status in ('active', 'paused', 'completed', 'failed', 'archived')", name="status"),
        CheckConstraint("last_sequence >= 0 and last_event >= 0", name="counters"),
        CheckConstraint("agent_states between 0 and 100", name="agent_states"),
    )  # fmt: skip
    node_type = "ChatSession"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[str]
    title: Mapped[str]
    description: Mapped[str | None]
    status: Mapped[str] = mapped_column(server_default="active")
    agent_id: Mapped[str | None]
    model: Mapped[str | None]
    provider: Mapped[str | None]
    project_id: Mapped[UUID | None]
    """The project whose stage was generated in it: then the whole tenant may read it."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())

    last_sequence: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    """The highest message number given out; also how many messages were ever stored."""
    last_event: Mapped[int] = mapped_column(server_default=_ZERO)
    """The highest event number given out."""
    active_leaf_id: Mapped[UUID | None]
    """The message the next one answers, where the writer names no other."""
    active_leaf_parent_id: Mapped[UUID | None]
    """The parent of that message: kept beside it, for a statement that appends to return without another look."""
    forked_from_session_id: Mapped[UUID | None]
    """The session whose path was copied to begin this one; it may be deleted since, hence no foreign key."""
    forked_from_message_id: Mapped[UUID | None]
    """The last message that was copied from there; None where there was nothing to copy."""

    user_messages: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    assistant_messages: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    system_messages: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    tool_messages: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    tool_calls: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    tool_executions: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    agent_states: Mapped[int] = mapped_column(SmallInteger, server_default=_ZERO)
    """How many agents keep a state in it."""
    total_tokens_used: Mapped[int] = mapped_column(server_default=_ZERO)
    estimated_cost: Mapped[Decimal] = mapped_column(server_default=_ZERO)
    total_duration_ms: Mapped[int] = mapped_column(server_default=_ZERO)
    """Sum of the processing times that were reported with assistant messages."""
    awaiting_answer_since: Mapped[datetime | None]
    """When the latest user message came that no completed assistant message has followed yet."""
    answered: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    """How many user messages were followed by a completed answer: the divisor of the average response time."""
    answer_ms: Mapped[int] = mapped_column(server_default=_ZERO)
    """Sum of the times between such pairs."""

    @property
    def message_count(self) -> int:
        """How many messages were ever stored, tombstones included."""
        return self.last_sequence

    @property
    def last_modified_at(self) -> datetime:
        """Another name of `updated_at`."""
        return self.updated_at


class SessionTally(Base):
    """How often a session used one thing: a tool, by the calls; a model, by the answers that name it.

    Counted by the statement that stores the call or the answer, under the lock of the session's row. Like the session's
    counters it is lifetime use: a deleted message takes nothing back.
    """

    __tablename__ = "session_tallies"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "session_id"], ["chat_sessions.tenant_id", "chat_sessions.id"], ondelete="CASCADE"
        ),
        CheckConstraint("kind in ('tool', 'model')", name="kind"),
        CheckConstraint("times >= 1", name="times"),
        *bounded(name=255),
    )

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    times: Mapped[int]


class SessionMetadata(Base):
    """What one session is filed under; made with the session, one row each."""

    __tablename__ = "session_metadata"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "session_id"], ["chat_sessions.tenant_id", "chat_sessions.id"], ondelete="CASCADE"
        ),
        Index("ix_session_metadata_tags", "tags", postgresql_using="gin"),
        CheckConstraint("cardinality(tags) <= 50", name="tags_count"),
        *bounded(summary=20_000),
        *bounded_json("custom_data"),
    )
    node_type = "SessionMetadata"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    tags: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    custom_data: Mapped[Json] = mapped_column(server_default=text("'{}'::jsonb"))
    summary: Mapped[str | None]

    @property
    def global_id(self) -> str:
        """Relay's id: a session has one row of metadata, so it is named by the session."""
        return global_id(self.node_type, self.session_id)


class AgentState(Base):
    """What one agent remembers of one session, replaced as a whole. It goes with the session, and not before."""

    __tablename__ = "agent_states"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "session_id"], ["chat_sessions.tenant_id", "chat_sessions.id"], ondelete="CASCADE"
        ),
        Index("uq_agent_states_id", "tenant_id", "id", unique=True),
        CheckConstraint("char_length(agent_id) between 1 and 255", name="agent_id_length"),
        CheckConstraint("version >= 1", name="version"),
        *bounded_json("state", at_most=1024 * 1024),
    )
    node_type = "AgentState"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    agent_id: Mapped[str] = mapped_column(primary_key=True)
    """As the application names it."""
    id: Mapped[UUID]
    state: Mapped[Json]
    version: Mapped[int] = mapped_column(Integer)
    """1, 2, 3 …: how often it was set."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
