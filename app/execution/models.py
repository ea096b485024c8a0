"""The table of executions of prompts."""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Integer, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Json, bounded, bounded_json

_OF_TEMPLATE = text("template_version_id is not null")


class PromptExecution(Base):
    """One prompt that a model was asked: which version of which template, with what values, and the run that answers.

    Never updated: how it went, what it used and what it cost are its run's. A run that answers the same question once
    more has an execution of its own, so that every answer names its version.
    """

    __tablename__ = "prompt_executions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "session_id"], ["chat_sessions.tenant_id", "chat_sessions.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(["tenant_id", "run_id"], ["runs.tenant_id", "runs.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["tenant_id", "user_message_id"], ["chat_messages.tenant_id", "chat_messages.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["tenant_id", "template_version_id"],
            ["prompt_template_versions.tenant_id", "prompt_template_versions.id"],
            ondelete="RESTRICT",
        ),
        UniqueConstraint("tenant_id", "run_id", name="uq_prompt_executions_run_id"),
        ForeignKeyConstraint(
            ["tenant_id", "prompt_generation_id"],
            ["workflow_stages.tenant_id", "workflow_stages.id"],
            ondelete="SET NULL (prompt_generation_id)",
        ),
        Index(None, "tenant_id", "session_id", "created_at", "id"),
        Index(
            "ix_prompt_executions_generated", "tenant_id", "prompt_generation_id", "created_at", "id",
            postgresql_where=text("prompt_generation_id is not null"),
        ),
        Index(None, "tenant_id", "user_message_id"),
        Index(
            "ix_prompt_executions_version", "tenant_id", "template_version_id", "created_at", "id",
            postgresql_where=_OF_TEMPLATE,
        ),
        # One's own among all of a version: others' may be a thousand times as many.
        Index(
            "ix_prompt_executions_version_user", "tenant_id", "template_version_id", "user_id", "created_at", "id",
            postgresql_where=_OF_TEMPLATE,
        ),
        # For what they add up to. Those that are not finished are found from the live runs, of which there are few.
        Index("ix_prompt_executions_template", "tenant_id", "template_id", postgresql_where=_OF_TEMPLATE),
        CheckConstraint("(template_id is null) = (template_version_id is null)", name="template"),
        CheckConstraint("template_id is not null or (label is null and chosen_version is null)", name="choice"),
        CheckConstraint("label is null or chosen_version is null", name="one_choice"),
        *bounded(label=64, context_file_id=255, correlation_id=255),
        *bounded_json("variables"),
    )  # fmt: skip
    node_type = "PromptExecution"
    status: ClassVar[str]
    """No column, as those below: the run's, which reads bring along."""
    cost: ClassVar[Decimal | None]
    started_at: ClassVar[datetime | None]
    finished_at: ClassVar[datetime | None]

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID]
    user_id: Mapped[str]
    """Who asked: the owner of the session."""
    run_id: Mapped[UUID]
    user_message_id: Mapped[UUID]
    """The prompt as it was asked: the message that the run answers."""
    template_id: Mapped[UUID | None]
    template_version_id: Mapped[UUID | None]
    prompt_generation_id: Mapped[UUID | None]
    """The generated prompt of a project that was executed (C2)."""
    label: Mapped[str | None]
    """The label by which the version was asked for."""
    chosen_version: Mapped[int | None] = mapped_column(Integer)
    """The number by which it was; where there is neither, the latest was meant."""
    variables: Mapped[Json] = mapped_column(server_default=text("'{}'::jsonb"))
    """As they were given."""
    context_file_id: Mapped[str | None]
    correlation_id: Mapped[str]
    """Of the request that asked."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    @property
    def duration_ms(self) -> int | None:
        """From when a worker took its run to the end of that; None before, and where none did."""
        if self.started_at is None or self.finished_at is None:
            return None
        return round((self.finished_at - self.started_at).total_seconds() * 1000)
