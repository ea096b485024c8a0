"""The table of events."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.ids import global_id
from app.db.base import Base, Json
from app.events.values import OF_PROJECTS


class Event(Base):
    """One thing that happened to a stream (a session, a project). Never updated, and outlives the stream."""

    __tablename__ = "events"
    __table_args__ = (
        Index(None, "tenant_id", "owner_id", "at", "stream_id", "seq"),
        Index(None, "tenant_id", "at", "stream_id", "seq"),
        Index(None, "tenant_id", "correlation_id", "at"),
    )
    node_type = "AuditEvent"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    stream_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    payload: Mapped[Json] = mapped_column(server_default=text("'{}'::jsonb"))
    actor: Mapped[str]
    owner_id: Mapped[str]
    """The user the stream belongs to: events outlive the session, and must still be shown to nobody else. Of a project,
    SHARED."""
    correlation_id: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=func.now())

    @property
    def global_id(self) -> str:
        """Relay's id: an event is named by its stream and number."""
        return global_id(self.node_type, f"{self.stream_id}:{self.seq}")

    @property
    def session_global_id(self) -> str | None:
        """Relay's id of the session it happened to; None where it was a project."""
        return None if self.of_project else global_id("ChatSession", self.stream_id)

    @property
    def project_global_id(self) -> str | None:
        """Relay's id of the project it happened to; None where it was a session."""
        return global_id("Project", self.stream_id) if self.of_project else None

    @property
    def of_project(self) -> bool:
        """Whether it happened to a project, and not to a session."""
        return self.kind.startswith(OF_PROJECTS)
