"""The tables of runs."""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, Double, ForeignKeyConstraint, Index, Integer, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Json, bounded, bounded_json
from app.llm.port import Usage
from app.llm.window import WindowUse
from app.runs.values import Failure

_LIVE = "status in ('queued', 'running', 'requires_action')"
_ACTIVE = f"{_LIVE} and not waiting"


class Run(Base):
    """One attempt of a model to answer. It belongs to this row, never to a request or a process.

    It writes one assistant message in each of its turns: a turn that ends with calls of tools is followed by another,
    once there are results.

    Never updated after `finished_at`, save that `compacted_at` is set when the pieces of its answer are given up.
    """

    __tablename__ = "runs"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "session_id"], ["chat_sessions.tenant_id", "chat_sessions.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["tenant_id", "message_id"], ["chat_messages.tenant_id", "chat_messages.id"], ondelete="CASCADE"
        ),
        Index("uq_runs_active", "tenant_id", "session_id", unique=True, postgresql_where=text(_ACTIVE)),
        Index("uq_runs_message_id", "tenant_id", "message_id", unique=True),
        Index(None, "tenant_id", "session_id", "sequence_number"),
        # For upkeep, which is every tenant's.
        Index("ix_runs_live", "created_at", postgresql_where=text(_LIVE)),
        Index(
            "ix_runs_compactable",
            "finished_at",
            postgresql_where=text("finished_at is not null and compacted_at is null"),
        ),
        CheckConstraint(
            "status in ('queued', 'running', 'requires_action', 'completed', 'failed', 'cancelled', 'interrupted')",
            name="status",
        ),
        CheckConstraint(f"(finished_at is null) = ({_LIVE})", name="finished_at"),
        CheckConstraint("not waiting or status in ('queued', 'cancelled')", name="waiting"),
        CheckConstraint("generation >= 0 and last_seq >= 0", name="counters"),
        CheckConstraint("turns between 1 and 25 and turn_seq >= 0 and turn_generation >= 0", name="turns"),
        CheckConstraint(
            "window_budget_tokens > 0 and window_messages >= 0 and left_out_messages >= 0 and left_out_tokens >= 0",
            name="window",
        ),
        *bounded(model=255, error_code=255, error_message=4_000, stop_reason=50, on_end=50),
        *bounded_json("error_facts", "tools", "output"),
        # Every flush locks the row: room for its versions beside it keeps the indexes out of that.
        {"postgresql_with": {"fillfactor": "70"}},
    )
    node_type = "Run"
    written_id: ClassVar[UUID]
    """No column: which of its messages a row was asked for by."""

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID]
    user_id: Mapped[str]
    """Who asked: the owner of the session, on whose behalf the worker acts."""
    message_id: Mapped[UUID]
    """The assistant message that it writes, in the turn it is at."""
    prompt_message_id: Mapped[UUID]
    """The message that it answers."""
    sequence_number: Mapped[int] = mapped_column(Integer)
    """That of its first message: runs of a session have the session's turn in this order."""
    retry_of_id: Mapped[UUID | None]
    status: Mapped[str] = mapped_column(server_default="queued")
    waiting: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    """Whether another run of the session has its turn."""
    generation: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    """Counts the workers that took it: only the latest may write."""
    model: Mapped[str]
    temperature: Mapped[float | None] = mapped_column(Double)
    max_output_tokens: Mapped[int | None] = mapped_column(Integer)
    tools: Mapped[list[Json]] = mapped_column(server_default=text("'[]'::jsonb"))
    """What it offers to the model, as `OfferedTool.as_json`. Rows come without it: it may be long."""
    output: Mapped[Json | None]
    """What its answer is to be, as `OutputSchema` has it; None for text. Rows come without it, as without the tools."""
    on_end: Mapped[str | None]
    """The kind of the job that is added when it ends."""
    turns: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    """How many it has begun."""
    turn_seq: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    """The number of the last line before the turn it is at: what its message says is behind that."""
    turn_generation: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    """How many workers had taken it before that turn."""
    prompt_tokens: Mapped[int | None]
    """What it has in view in the turn it is at: counted here, for the case that the provider never says."""
    window_budget_tokens: Mapped[int | None] = mapped_column(Integer)
    """How much it could have in view in that turn; None before a worker took it."""
    window_messages: Mapped[int | None] = mapped_column(Integer)
    left_out_messages: Mapped[int | None] = mapped_column(Integer)
    left_out_tokens: Mapped[int | None] = mapped_column(Integer)
    correlation_id: Mapped[str]
    """The request that asked."""
    last_seq: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    """The number of its last line, once it has ended."""
    stop_reason: Mapped[str | None]
    error_code: Mapped[str | None]
    error_message: Mapped[str | None]
    error_facts: Mapped[Json | None]
    input_tokens: Mapped[int | None]
    cached_input_tokens: Mapped[int | None]
    cache_write_tokens: Mapped[int | None]
    output_tokens: Mapped[int | None]
    reasoning_tokens: Mapped[int | None]
    usage_estimated: Mapped[bool | None] = mapped_column(Boolean)
    cost: Mapped[Decimal | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    compacted_at: Mapped[datetime | None]

    @property
    def usage(self) -> Usage | None:
        """What the turns that ended used; None before the first has."""
        if self.input_tokens is None:
            return None
        return Usage(
            self.input_tokens, self.cached_input_tokens or 0, self.cache_write_tokens or 0, self.output_tokens or 0,
            self.reasoning_tokens or 0,
        )  # fmt: skip

    @property
    def attempts(self) -> int:
        """How many workers took it."""
        return self.generation

    @property
    def context_window(self) -> WindowUse | None:
        """What its model has in view in the turn it is at, and what was left out; None before a worker took it."""
        if self.window_budget_tokens is None:
            return None
        return WindowUse(
            self.window_budget_tokens, self.prompt_tokens or 0, self.window_messages or 0, self.left_out_messages or 0,
            self.left_out_tokens or 0,
        )  # fmt: skip

    @property
    def error(self) -> Failure | None:
        """Why it failed or was interrupted."""
        return Failure.stored(self.error_code, self.error_message, self.error_facts)


class RunTurn(Base):
    """A turn that a run has left behind, with the message it wrote then. Never changed."""

    __tablename__ = "run_turns"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "run_id"], ["runs.tenant_id", "runs.id"], ondelete="CASCADE"),
        Index(None, "tenant_id", "run_id"),
        CheckConstraint("0 <= first_seq and first_seq <= last_seq", name="lines"),
    )

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    message_id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID]
    first_seq: Mapped[int] = mapped_column(Integer)
    """The number of its first line in the run's log."""
    last_seq: Mapped[int] = mapped_column(Integer)
    """That of the line which begins the next turn."""


class RunEvent(Base):
    """One line of a run's log: a piece of its answer, a tool call, a new turn, its end. All but its end is given up."""

    __tablename__ = "run_events"
    __table_args__ = (
        # No foreign key: it would take a third of a flush. A trigger of `runs` deletes the lines of deleted runs, and a
        # line is only stored by who holds its run's row.
        CheckConstraint("seq >= 1", name="seq"),
        *bounded(kind=20),
        *bounded_json("payload"),
        {"info": {"goes_with": {"run_id": "runs.id"}}},
    )

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str]
    payload: Mapped[Json]


class UsageEntry(Base):
    """What one run used. Written with its end, never changed; it outlives run, message and session."""

    __tablename__ = "usage_ledger"
    __table_args__ = (
        Index(None, "tenant_id", "user_id", "at"),
        Index(None, "tenant_id", "at"),
        CheckConstraint(
            "input_tokens >= 0 and cached_input_tokens >= 0 and cache_write_tokens >= 0 and output_tokens >= 0 "
            "and reasoning_tokens >= 0 and cost >= 0",
            name="amounts",
        ),
        *bounded(model=255, status=20),
    )

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID]
    user_id: Mapped[str]
    model: Mapped[str]
    status: Mapped[str]
    input_tokens: Mapped[int]
    cached_input_tokens: Mapped[int]
    cache_write_tokens: Mapped[int]
    output_tokens: Mapped[int]
    reasoning_tokens: Mapped[int]
    estimated: Mapped[bool] = mapped_column(Boolean)
    cost: Mapped[Decimal | None]
    at: Mapped[datetime] = mapped_column(server_default=func.now())
