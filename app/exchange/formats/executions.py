"""The line of an execution, and how a call that is imported comes to what was done about it."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from app.core.errors import ValidationError
from app.exchange.formats.records import EXECUTION, Record, given, given_or_none, moment, one_of
from app.exchange.values import ANY_ID, ReadCall, ReadMessage
from app.messages.values import MessageId
from app.tools.loaders import ExecutionTexts
from app.tools.models import ToolExecution
from app.tools.service import CALLED_OFF
from app.tools.values import ExecutionStatus, PastExecution, ToolCallId, ToolExecutionId


def execution_record(number: int, position: int, execution: ToolExecution, texts: ExecutionTexts) -> Record:
    """The line of an execution: of the call at `position` of the message `number`."""
    return {
        "type": EXECUTION, "message": number, "call": position, "id": execution.global_id,
        "toolName": execution.tool_name, "status": execution.status, "input": texts.input, "output": texts.output,
        "error": execution.error, "requiredApproval": execution.required_approval, "approved": execution.approved,
        "approvedBy": execution.approved_by, "approvedAt": execution.approved_at,
        "decisionComment": execution.decision_comment, "approvalExpiresAt": execution.approval_expires_at,
        "agentId": execution.agent_id, "startedAt": execution.started_at, "completedAt": execution.completed_at,
        "durationMs": execution.duration_ms, "createdAt": execution.created_at, "updatedAt": execution.updated_at,
    }  # fmt: skip


def executed(message: ReadMessage, record: Record) -> ReadMessage:
    """A message with the execution of one of its calls; ValidationError."""
    position = given(record, "call", int)
    if not 1 <= position <= len(message.calls) or message.calls[position - 1].execution is not None:
        raise ValidationError("call must be the position of a call before it, which has no other execution")
    call = message.calls[position - 1]
    status = ExecutionStatus(one_of(record, "status", list(ExecutionStatus)))
    execution = _execution(record, call, status)
    call = replace(call, execution=execution) if status.ended else _called_off(call, execution)
    assert call.execution is not None  # noqa: S101 - both give one
    call.execution.check()
    return replace(message, calls=(*message.calls[: position - 1], call, *message.calls[position:]))


def _execution(record: Record, call: ReadCall, status: ExecutionStatus) -> PastExecution:
    found = given_or_none(record, "input", str)
    return PastExecution(
        ToolExecutionId(ANY_ID), MessageId(ANY_ID), ToolCallId(ANY_ID),
        given_or_none(record, "toolName", str) or call.name, call.arguments if found is None else found, status,
        output=given_or_none(record, "output", str), error=given_or_none(record, "error", str),
        required_approval=bool(given_or_none(record, "requiredApproval", bool)),
        approved=given_or_none(record, "approved", bool), approved_by=given_or_none(record, "approvedBy", str),
        approved_at=moment(record, "approvedAt"), decision_comment=given_or_none(record, "decisionComment", str),
        approval_expires_at=moment(record, "approvalExpiresAt"), agent_id=given_or_none(record, "agentId", str),
        started_at=moment(record, "startedAt"), completed_at=moment(record, "completedAt"),
        duration_ms=given_or_none(record, "durationMs", int), created_at=moment(record, "createdAt"),
        updated_at=moment(record, "updatedAt"),
    )  # fmt: skip


def _called_off(call: ReadCall, execution: PastExecution) -> ReadCall:
    """A call whose execution had not ended: nobody here works on it or waits for it, and nobody is to be asked."""
    at = execution.updated_at
    ended: dict[str, Any] = {"error": CALLED_OFF, "duration_ms": _took(execution.started_at, at)}
    execution = replace(execution, status=ExecutionStatus.CANCELLED, completed_at=at, **ended)
    return replace(call, execution=execution, success=False, executed_at=at, **ended)


def _took(started: datetime | None, ended: datetime | None) -> int:
    if started is None or ended is None:
        return 0
    return min(max(0, int((ended - started).total_seconds() * 1000)), 2**31 - 1)
