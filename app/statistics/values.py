"""Words, bounds and figures of statistics."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from app.core.actor import TenantId, UserId
from app.messages.values import MessageRole, MessageStatus
from app.sessions.values import SessionId

MOST_NAMES = 100
"""Of one list of counts: those with the highest. Names are the application's own, and may be any number."""
MOST_USED_TOOLS = 10
MOST_BUCKETS = 1_000
"""Of one series: more points than a screen has columns to draw them."""
MOST_POINTS = 5_000
"""Of one series, over all its keys."""
MOST_HOURS = 8_784
"""A leap year."""
MOST_ACTIVE_SESSIONS = 100
"""Of one list of the sessions with the most messages."""
LONGEST_WRITE = timedelta(minutes=5)
"""Longer than any writing transaction lives between the time it notes for its events and its commit: a statement is
cancelled after the statement time-out (30 s), and a transaction that pauses is rolled back after seconds."""


class StatisticsScope(StrEnum):
    """Which messages of a session count (C27)."""

    ALL = "all"
    ACTIVE_PATH = "active_path"


class UsageBucket(StrEnum):
    """How long a point of a series lasts, by the calendar of its time zone."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class MessageGrouping(StrEnum):
    """What a series of messages is told apart by."""

    NONE = "none"
    MODEL = "model"
    ROLE = "role"
    INTENT = "intent"


class UsageGrouping(StrEnum):
    """What a series is told apart by."""

    NONE = "none"
    MODEL = "model"
    PROVIDER = "provider"


@dataclass(frozen=True, slots=True)
class KeyCount:
    """How often there is what `key` names (C24)."""

    key: str
    count: int


def counts(pairs: list[list[Any]]) -> tuple[KeyCount, ...]:
    """What a statement counted: pairs of a name and a number, in their order."""
    return tuple(KeyCount(str(name), int(count)) for name, count in pairs)


def ranked(numbers: dict[str, int]) -> tuple[KeyCount, ...]:
    """The names that were counted at all, the highest count first, then by name."""
    found = [KeyCount(name, count) for name, count in numbers.items() if count]
    return tuple(sorted(found, key=lambda each: (-each.count, each.key)))


@dataclass(frozen=True, slots=True)
class SessionStatistics:
    """What a session, or its active path, adds up to (S1-26)."""

    version: int
    """The number of the session's last event when this was true."""
    total_messages: int
    total_tokens: int
    estimated_cost: Decimal
    duration_ms: int
    tool_executions: int
    average_response_time_ms: float
    """S1-27; zero where nothing was answered."""
    messages_by_role: tuple[KeyCount, ...]
    tool_usage_count: tuple[KeyCount, ...]


class UserKey(NamedTuple):
    """A user, as a key."""

    tenant_id: TenantId
    user_id: UserId


class Recent(NamedTuple):
    """What tells one state of a user's sessions from another.

    Of the log of events since a moment the count and the last time; and the newest session, for the case that all are
    erased, with the log.
    """

    events: int
    last_at: datetime | None
    newest_session: UUID | None


@dataclass(frozen=True, slots=True)
class UserStatistics:
    """What the sessions of a user add up to (S1-28)."""

    since: datetime
    recent: Recent
    """What the log said since then, when the rest was true."""
    total_sessions: int
    total_messages: int
    total_tokens_used: int
    total_cost: Decimal
    first_session_date: datetime | None
    last_session_date: datetime | None
    model_usage: tuple[KeyCount, ...]
    most_used_tools: tuple[KeyCount, ...]


class Stretch(NamedTuple):
    """A stretch of time: to `until`, or now; from `since`, or so far back from there."""

    stretch: timedelta
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class PersistenceStatistics:
    """How messages were stored in a stretch of time (S3-10)."""

    session_id: SessionId | None
    """None of all that a user has."""
    since: datetime
    until: datetime
    total_messages: int
    total_tokens: int
    failed_messages: int
    processing_time_p50_ms: int | None
    processing_time_p95_ms: int | None
    pipeline_time_p50_ms: float | None
    pipeline_time_p95_ms: float | None
    messages_by_role: tuple[KeyCount, ...]
    messages_by_status: tuple[KeyCount, ...]
    intents: tuple[KeyCount, ...]
    warnings: tuple[KeyCount, ...]

    @property
    def error_rate(self) -> float:
        """The share of messages that failed; zero where there are none."""
        return self.failed_messages / self.total_messages if self.total_messages else 0.0


@dataclass(frozen=True, slots=True)
class UsagePoint:
    """What runs used in one bucket, of one key."""

    start: datetime
    end: datetime
    key: str | None
    runs: int = 0
    errors: int = 0
    input_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    estimated_runs: int = 0
    unpriced_runs: int = 0
    cost: Decimal | None = Decimal(0)
    """Of the runs whose price is known; None where it is known of none."""

    @property
    def total_tokens(self) -> int:
        """Of all kinds, which are disjoint."""
        return (
            self.input_tokens + self.cached_input_tokens + self.cache_write_tokens + self.output_tokens
            + self.reasoning_tokens
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class SessionActivity:
    """What was stored in one session in a stretch of time."""

    session_id: SessionId
    messages: int
    failed_messages: int
    tokens: int


@dataclass(frozen=True, slots=True)
class MessagePoint:
    """What was stored in one bucket, of one key."""

    start: datetime
    end: datetime
    key: str | None
    messages: int = 0
    failed_messages: int = 0
    tokens: int = 0
    processing_time_p50_ms: int | None = None
    processing_time_p95_ms: int | None = None


ROLE_NAMES = {role.value: role.name for role in MessageRole}
STATUS_NAMES = {status.value: status.name for status in MessageStatus}
"""By what rows hold, what the graph says."""
