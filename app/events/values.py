"""Kinds of events and what the log is filtered by."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from app.core.errors import ValidationError


class EventKind(StrEnum):
    """What happened. Stored as text; a kind is never renamed."""

    SESSION_CREATED = "session.created"
    SESSION_FORKED = "session.forked"
    SESSION_UPDATED = "session.updated"
    SESSION_METADATA_SET = "session.metadata_set"
    SESSION_AGENT_STATE_SET = "session.agent_state_set"
    SESSION_LEAF_SET = "session.leaf_set"
    SESSION_DELETED = "session.deleted"
    MESSAGE_APPENDED = "message.appended"
    MESSAGE_UPDATED = "message.updated"
    MESSAGE_DELETED = "message.deleted"
    TOOL_CALL_ADDED = "tool_call.added"
    ATTACHMENT_ADDED = "attachment.added"
    ATTACHMENT_DELETED = "attachment.deleted"
    TOOL_EXECUTION_ADDED = "tool_execution.added"
    TOOL_EXECUTION_UPDATED = "tool_execution.updated"
    TOOL_EXECUTION_DECIDED = "tool_execution.decided"
    TOOL_EXECUTION_EXPIRED = "tool_execution.expired"
    RUN_QUEUED = "run.queued"
    RUN_STARTED = "run.started"
    RUN_REQUIRES_ACTION = "run.requires_action"
    RUN_CONTINUED = "run.continued"
    RUN_COMPLETED = "run.completed"
    RUN_FAILED = "run.failed"
    RUN_CANCELLED = "run.cancelled"
    RUN_INTERRUPTED = "run.interrupted"
    PROMPT_EXECUTED = "prompt.executed"
    PROJECT_CREATED = "project.created"
    PROJECT_UPDATED = "project.updated"
    PROJECT_DELETED = "project.deleted"
    STAGE_REQUESTED = "stage.requested"
    STAGE_GENERATING = "stage.generating"
    STAGE_AWAITING_REVIEW = "stage.awaiting_review"
    STAGE_APPROVED = "stage.approved"
    STAGE_REJECTED = "stage.rejected"
    STAGE_FAILED = "stage.failed"
    STAGE_STALE = "stage.stale"


OF_PROJECTS = ("project.", "stage.")
"""How the kinds begin that happen to projects; all others happen to sessions."""

ENDS = frozenset({EventKind.SESSION_DELETED, EventKind.PROJECT_DELETED})
"""After which nothing happens in a stream."""

SHARED = ""
"""In the place of a stream's owner, as of all projects: everybody in the tenant may read it. No user is named so."""


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events: every condition that is not None must hold. Times are half-open: from <= at < to."""

    session_id: UUID | None = None
    project_id: UUID | None = None
    """Of a project: those of all the tenant, else it is the actor's own that are meant."""
    kind: EventKind | None = None
    actor: str | None = None
    correlation_id: str | None = None
    at_from: datetime | None = None
    at_to: datetime | None = None

    def check(self) -> None:
        """Raise ValidationError for what cannot be asked at a time."""
        if self.session_id is not None and self.project_id is not None:
            raise ValidationError(
                "an event happens to a session or to a project",
                field="filter.projectId",
                hint="send only one of sessionId and projectId",
            )

    def given(self) -> dict[str, object]:
        """The conditions there are."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name)) is not None}
