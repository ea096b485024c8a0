"""Ids, words and bounds of sessions."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType
from uuid import UUID

from app.core.errors import ValidationError
from app.core.text import require_count, require_json_size, require_length, require_range

SessionId = NewType("SessionId", UUID)
AgentStateId = NewType("AgentStateId", UUID)

DEFAULT_TITLE = "New conversation"
LONGEST_TITLE = 255
LONGEST_DESCRIPTION = 4_000
LONGEST_NAME = 255
"""Of an agent's id, a model and a provider."""
MOST_AGENTS = 100
"""That keep a state in one session: they are listed whole."""
LARGEST_STATE_BYTES = 64 * 1024
"""Of the JSON of one state: all of a session, read at once, are then some six megabytes."""
LONGEST_SUMMARY = 20_000
MOST_TAGS = 50
LONGEST_TAG = 100


class SessionStatus(StrEnum):
    """S1-2. A closed set; any status may follow any other."""

    ACTIVE = "active"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    ARCHIVED = "archived"


class SessionOrder(StrEnum):
    """How a list of sessions is ordered; the id settles ties."""

    UPDATED_AT_DESC = "updated_at_desc"
    UPDATED_AT_ASC = "updated_at_asc"
    CREATED_AT_DESC = "created_at_desc"
    CREATED_AT_ASC = "created_at_asc"


class TallyKind(StrEnum):
    """What a session counts the uses of, name by name."""

    TOOL = "tool"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Which sessions of the actor, or for an admin of any user: every condition that is not None must hold."""

    user_id: str | None = None
    status: tuple[SessionStatus, ...] | None = None
    agent_id: str | None = None
    tags: tuple[str, ...] | None = None
    updated_from: datetime | None = None
    updated_to: datetime | None = None
    project_id: UUID | None = None
    """The project whose stages were generated in them. A list without it has conversations only."""

    def given(self) -> dict[str, object]:
        """The conditions there are, beside whose sessions are meant."""
        conditions: dict[str, object] = {
            "status": None if self.status is None else list(self.status), "agent_id": self.agent_id,
            "tags": None if self.tags is None else list(self.tags), "updated_from": self.updated_from,
            "updated_to": self.updated_to, "project_id": self.project_id,
        }  # fmt: skip
        return {name: value for name, value in conditions.items() if value is not None}


@dataclass(frozen=True, slots=True)
class NewMetadata:
    """What a session is filed under."""

    tags: tuple[str, ...] = ()
    custom_data: dict[str, Any] = field(default_factory=dict)
    summary: str | None = None

    def check(self) -> None:
        """Raise ValidationError for what cannot be stored."""
        check_metadata({"tags": self.tags, "summary": self.summary, "custom_data": self.custom_data})


@dataclass(frozen=True, slots=True)
class NewAgentState:
    """A state that an agent is about to keep."""

    id: AgentStateId
    """Of the row, where this is the agent's first in the session."""
    session_id: SessionId
    agent_id: str
    state: dict[str, Any]
    expected_version: int | None = None
    """The version it replaces, 0 where there is to be none yet; None replaces whatever there is."""

    def check(self) -> None:
        """Raise ValidationError for what cannot be stored."""
        require_length(self.agent_id, "agentId", at_least=1, at_most=LONGEST_NAME)
        require_json_size(self.state, "state", at_most=LARGEST_STATE_BYTES)
        require_range(self.expected_version, "expectedVersion", at_least=0, at_most=2**31 - 1)


@dataclass(frozen=True, slots=True)
class PastAgentState:
    """A state that an agent kept in a session elsewhere. Of its times, None is now."""

    new: NewAgentState
    version: int
    created_at: datetime | None = None
    updated_at: datetime | None = None

    def check(self) -> None:
        """Raise ValidationError for what cannot be stored."""
        self.new.check()
        require_range(self.version, "version", at_least=1, at_most=2**31 - 1)


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session that is about to be created."""

    id: SessionId
    title: str = DEFAULT_TITLE
    description: str | None = None
    agent_id: str | None = None
    model: str | None = None
    provider: str | None = None
    status: SessionStatus = SessionStatus.ACTIVE
    metadata: NewMetadata = field(default_factory=NewMetadata)
    project_id: UUID | None = None
    """The project whose stage is generated in it."""

    def check(self) -> None:
        """Raise ValidationError for what cannot be stored."""
        check_fields({name: getattr(self, name) for name in ("title", *_LONGEST)})
        self.metadata.check()


@dataclass(frozen=True, slots=True)
class Counters:
    """What a session counts of messages that it has from the beginning."""

    user_messages: int = 0
    assistant_messages: int = 0
    system_messages: int = 0
    tool_messages: int = 0
    tool_calls: int = 0
    tool_executions: int = 0
    total_tokens_used: int = 0
    total_duration_ms: int = 0
    awaiting_answer_since: datetime | None = None
    answered: int = 0
    answer_ms: int = 0

    @property
    def messages(self) -> int:
        """Of all roles."""
        return self.user_messages + self.assistant_messages + self.system_messages + self.tool_messages


@dataclass(frozen=True, slots=True)
class Fork:
    """A session that begins where another has come to, which is the actor's and locked."""

    id: SessionId
    origin_id: SessionId
    title: str
    counted: Counters
    origin_leaf_id: UUID | None
    """The last message that is copied; None where there is none."""
    leaf_id: UUID | None
    """Its copy."""
    leaf_parent_id: UUID | None

    def check(self) -> None:
        """Raise ValidationError for what cannot be stored."""
        check_fields({"title": self.title})


_LONGEST = {
    "description": LONGEST_DESCRIPTION, "agent_id": LONGEST_NAME, "model": LONGEST_NAME, "provider": LONGEST_NAME,
}  # fmt: skip


def check_fields(changes: dict[str, Any]) -> None:
    """Raise ValidationError for a column of `chat_sessions` that cannot be stored."""
    if "title" in changes:
        require_length(changes["title"] or "", "title", at_least=1, at_most=LONGEST_TITLE)
    if "status" in changes and changes["status"] is None:
        raise ValidationError("status must not be null", field="status", hint="leave it out to keep it")
    for name, longest in _LONGEST.items():
        if changes.get(name) is not None:
            require_length(changes[name], "agentId" if name == "agent_id" else name, at_least=1, at_most=longest)


def check_metadata(changes: dict[str, Any]) -> None:
    """Raise ValidationError for a column of `session_metadata` that cannot be stored."""
    tags = changes.get("tags") or ()
    require_count(len(tags), "tags", at_most=MOST_TAGS)
    for index, tag in enumerate(tags):
        require_length(tag, f"tags[{index}]", at_least=1, at_most=LONGEST_TAG)
    require_json_size(changes.get("custom_data"), "customData")
    if changes.get("summary") is not None:
        require_length(changes["summary"], "summary", at_most=LONGEST_SUMMARY)
