"""What is told of places in the tree of messages, and what a path of it comes to."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from app.core.paging import PageRequest
from app.messages.values import MessageId, MessageRole, MessageStatus
from app.sessions.models import ChatSession
from app.sessions.values import Counters, SessionId


class Place(NamedTuple):
    """Where a message hangs."""

    message_id: UUID
    session_id: UUID
    parent_id: UUID | None
    """None for the first messages of a session."""


class Siblings(NamedTuple):
    """A message among those that answer the same one, or among the first ones of its session; deleted ones count."""

    message_id: UUID
    position: int
    """1, 2, 3 … by sequence number."""
    total: int
    previous_id: UUID | None
    next_id: UUID | None


class PathRequest(NamedTuple):
    """A part of the path that leads to a leaf."""

    session_id: UUID
    leaf_id: UUID | None
    """None where the session has no messages."""
    page: PageRequest
    columns: frozenset[str]
    """Those on demand of its messages that are asked for."""


@dataclass(frozen=True, slots=True)
class ForkRequest:
    """A session to begin another from."""

    session_id: SessionId
    at_message_id: MessageId | None = None
    """The last message to copy; None for all that is shown."""
    title: str | None = None
    """None for the origin's."""


@dataclass(frozen=True, slots=True)
class ForkOrigin:
    """Where a session comes from."""

    session: ChatSession
    message_id: UUID | None


class PathStep(NamedTuple):
    """What a session counts of a message on a path."""

    id: UUID
    role: str
    status: str
    token_count: int
    processing_time_ms: int | None
    tool_call_count: int
    created_at: datetime
    updated_at: datetime

    @property
    def complete_at(self) -> datetime:
        """When all of it was there, as far as the message tells.

        One that took time was stored when it was begun, or else when it was complete, and was not changed after that:
        then it says so. A later change must not make it slower.
        """
        took = timedelta(milliseconds=self.processing_time_ms or 0)
        return min(self.updated_at, self.created_at + took)


def counted(path: Sequence[PathStep], executions: int = 0) -> Counters:
    """What a session counts that consists of a path, oldest first: the answers by the rule of S1-27."""
    roles = Counter(step.role for step in path)
    asked_at: datetime | None = None
    answers: list[int] = []
    for step in path:
        if step.role == MessageRole.USER:
            asked_at = step.created_at
        elif asked_at and step.role == MessageRole.ASSISTANT and step.status == MessageStatus.COMPLETED:
            answers.append(round((step.complete_at - asked_at) / timedelta(milliseconds=1)))
            asked_at = None
    return Counters(
        **{f"{role}_messages": roles[role] for role in MessageRole},
        tool_calls=sum(step.tool_call_count for step in path),
        tool_executions=executions,
        total_tokens_used=sum(step.token_count for step in path),
        total_duration_ms=sum(step.processing_time_ms or 0 for step in path),
        awaiting_answer_since=asked_at,
        answered=len(answers),
        answer_ms=sum(answers),
    )
