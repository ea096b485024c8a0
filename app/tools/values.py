"""Ids and bounds of tool calls and executions, and how an execution goes from state to state."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from json import dumps
from typing import Any, NamedTuple, NewType
from uuid import UUID, uuid5

from app.core.actor import Actor
from app.core.errors import ValidationError
from app.core.text import require_length, require_range
from app.messages.values import MessageId

ToolCallId = NewType("ToolCallId", UUID)
ToolExecutionId = NewType("ToolExecutionId", UUID)

LONGEST_ARGUMENTS = 8_000
LONGEST_RESULT = 8_000
"""S1-12. Longer arguments are refused; of a longer result the beginning is kept, and that it is one (C9)."""
LONGEST_NAME = 255
LONGEST_ERROR = 4_000
MOST_CALLS = 128
"""Of one message: as many as the large providers allow."""

LONGEST_INPUT = 100_000
"""Of an execution: what an application makes of a call's arguments may be longer than they are."""
LONGEST_OUTPUT = 1_000_000
"""Of an execution; the call keeps the beginning (C9)."""
LONGEST_COMMENT = 4_000
APPROVAL_LASTS = timedelta(days=7)
"""How long an approval is waited for, where nothing else is said: a person may be away for a few days."""


_INBOXES = UUID("0192f1b0-6d3a-7c4e-9f51-2a7d0c8be614")
"""The namespace of inbox ids: any UUID, and never another."""

LONGEST_APPROVAL_SECONDS = 31_536_000
"""A year: what nobody has decided by then, nobody will."""


class Inbox(NamedTuple):
    """Whom approvals are asked of: one user of a tenant, over all their sessions."""

    tenant_id: str
    user_id: str

    @classmethod
    def of(cls, actor: Actor) -> "Inbox":
        """The actor's own."""
        return cls(actor.tenant_id, actor.user_id)

    @property
    def id(self) -> UUID:
        """The id under which those who follow it are told of a new one; unique over all tenants and kinds of stream."""
        return uuid5(_INBOXES, dumps(self))


class ExecutionInput(NamedTuple):
    """What who executes needs to know."""

    tool_name: str
    input: str


class ExecutionStatus(StrEnum):
    """How far an execution is (S1-15)."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    AWAITING_APPROVAL = "awaiting_approval"

    @property
    def ended(self) -> bool:
        """Whether nothing follows."""
        return not TRANSITIONS[self]


TRANSITIONS: Mapping[ExecutionStatus, frozenset[ExecutionStatus]] = {
    # Approved; denied, expired, or called off with its run.
    ExecutionStatus.AWAITING_APPROVAL: frozenset({ExecutionStatus.PENDING, ExecutionStatus.CANCELLED}),
    # Who executes in an instant need not say first that it begins.
    ExecutionStatus.PENDING: frozenset(
        {ExecutionStatus.RUNNING, ExecutionStatus.COMPLETED, ExecutionStatus.FAILED, ExecutionStatus.CANCELLED}
    ),
    ExecutionStatus.RUNNING: frozenset({ExecutionStatus.COMPLETED, ExecutionStatus.FAILED, ExecutionStatus.CANCELLED}),
    ExecutionStatus.COMPLETED: frozenset(),
    ExecutionStatus.FAILED: frozenset(),
    ExecutionStatus.CANCELLED: frozenset(),
}
"""What each status may be followed by."""

ENDED = frozenset(status for status in ExecutionStatus if status.ended)
WORKED = frozenset({ExecutionStatus.PENDING, ExecutionStatus.RUNNING})
"""In the hands of who executes. One that awaits approval is not: it is decided, expires, or is called off."""


def updatable_to(status: ExecutionStatus | None) -> frozenset[ExecutionStatus]:
    """The statuses from which who executes may bring an execution to `status`; None leaves the status as it is.

    Saying again what is so is no transition: of what goes on, never of what has ended.
    """
    if status is None:
        return WORKED
    return frozenset(before for before in WORKED if status is before or status in TRANSITIONS[before])


@dataclass(frozen=True, slots=True)
class NewToolCall:
    """A call that is about to be added to an assistant's message."""

    id: ToolCallId
    message_id: MessageId
    name: str
    arguments: str
    call_id: str | None = None
    result: str | None = None
    success: bool | None = None
    error: str | None = None
    executed_at: datetime | None = None
    duration_ms: int | None = None
    is_preview: bool = False
    """Of a result that was cut elsewhere: it is less than what the tool answered."""

    def check(self) -> None:
        """Raise ValidationError, naming the field, for what cannot be stored."""
        require_length(self.name, "name", at_least=1, at_most=LONGEST_NAME)
        if len(self.arguments) > LONGEST_ARGUMENTS:
            raise ValidationError(
                f"arguments has {len(self.arguments):,} characters; at most {LONGEST_ARGUMENTS:,} are stored",
                field="arguments",
                hint="keep large content in messages, and refer to it",
            )
        if self.call_id is not None:
            require_length(self.call_id, "callId", at_least=1, at_most=LONGEST_NAME)
        if self.error is not None:
            require_length(self.error, "error", at_most=LONGEST_ERROR)
        require_range(self.duration_ms, "durationMs", at_least=0, at_most=2**31 - 1)

    @property
    def preview(self) -> str | None:
        """What is kept of the result."""
        return self.result and self.result[:LONGEST_RESULT]

    @property
    def result_truncated(self) -> bool:
        """Whether the preview is less than the result."""
        return self.result is not None and (self.is_preview or len(self.result) > LONGEST_RESULT)


@dataclass(frozen=True, slots=True)
class NewToolExecution:
    """The execution of a call, about to be added to it."""

    id: ToolExecutionId
    tool_call_id: ToolCallId
    input: str | None = None
    """What the tool is given; None: the call's arguments."""
    agent_id: str | None = None
    status: ExecutionStatus = ExecutionStatus.PENDING
    """PENDING or RUNNING; one that needs approval begins with AWAITING_APPROVAL whatever stands here."""
    required_approval: bool = False
    run_id: UUID | None = None
    """The run that waits for it."""
    approval_lasts: timedelta = APPROVAL_LASTS
    """How long a decision is waited for, where one is needed."""

    @property
    def first_status(self) -> ExecutionStatus:
        """The status it begins with."""
        return ExecutionStatus.AWAITING_APPROVAL if self.required_approval else self.status

    def check(self) -> None:
        """Raise ValidationError, naming the field, for what cannot be stored."""
        if self.input is not None:
            require_length(self.input, "input", at_most=LONGEST_INPUT)
        if self.agent_id is not None:
            require_length(self.agent_id, "agentId", at_least=1, at_most=LONGEST_NAME)
        if self.status not in WORKED:
            raise ValidationError(
                f"an execution cannot begin as {self.status.name}",
                field="status",
                hint="begin with PENDING or RUNNING, or set requiredApproval; end it with updateToolExecution",
            )
        seconds = self.approval_lasts.total_seconds()
        require_range(seconds, "approvalExpiresInSeconds", at_least=1, at_most=LONGEST_APPROVAL_SECONDS)
        if self.required_approval and self.status is not ExecutionStatus.PENDING:
            raise ValidationError(
                "an execution that needs approval does not run before", field="status", hint="leave the status out"
            )


@dataclass(frozen=True, slots=True)
class PastExecution:
    """An execution that ended elsewhere, about to be added to its call. Of times that it comes without, None is now."""

    id: ToolExecutionId
    message_id: MessageId
    tool_call_id: ToolCallId
    tool_name: str
    input: str
    status: ExecutionStatus
    output: str | None = None
    error: str | None = None
    required_approval: bool = False
    approved: bool | None = None
    approved_by: str | None = None
    approved_at: datetime | None = None
    decision_comment: str | None = None
    approval_expires_at: datetime | None = None
    agent_id: str | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    duration_ms: int | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None

    def check(self) -> None:
        """Raise ValidationError, naming the field, for what cannot be stored."""
        if not self.status.ended:
            raise ValidationError(f"status {self.status.name} is not the last", field="status")
        for name, text, longest in (
            ("toolName", self.tool_name, LONGEST_NAME), ("input", self.input, LONGEST_INPUT),
            ("output", self.output, LONGEST_OUTPUT), ("error", self.error, LONGEST_ERROR),
            ("approvedBy", self.approved_by, LONGEST_NAME), ("agentId", self.agent_id, LONGEST_NAME),
            ("decisionComment", self.decision_comment, LONGEST_COMMENT),
        ):  # fmt: skip
            require_length(text or "", name, at_most=longest)
        require_range(self.duration_ms, "durationMs", at_least=0, at_most=2**31 - 1)
        decided = [found is not None for found in (self.approved, self.approved_by, self.approved_at)]
        if any(decided) and not (all(decided) and self.required_approval):
            raise ValidationError(
                "what was decided has approved, approvedBy and approvedAt, and required approval", field="approved"
            )


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person says about an execution that awaits approval."""

    execution_id: ToolExecutionId
    approve: bool
    comment: str | None = None
    expected_status: ExecutionStatus = ExecutionStatus.AWAITING_APPROVAL
    """The status that the person saw."""

    @property
    def status(self) -> ExecutionStatus:
        """What becomes of the execution."""
        return ExecutionStatus.PENDING if self.approve else ExecutionStatus.CANCELLED

    def check(self) -> None:
        """Raise ValidationError, naming the field, for what cannot be stored."""
        if self.comment is not None:
            require_length(self.comment, "comment", at_most=LONGEST_COMMENT)


def check_changes(changes: Mapping[str, Any]) -> None:
    """Raise ValidationError, naming the field, for changes of an execution that cannot be stored."""
    for name, longest in (("output", LONGEST_OUTPUT), ("error", LONGEST_ERROR)):
        if changes.get(name) is not None:
            require_length(changes[name], name, at_most=longest)
