"""Keeps the books of a session's tool calls and their executions."""

from collections import Counter
from uuid import UUID

from app.core.ids import global_id
from app.events.values import EventKind
from app.seeding.diary import Diary, message_name
from app.seeding.rows import ExecutionRow, ToolCallRow
from app.seeding.values import Called, Executed, Verdict
from app.tools.service import DENIED
from app.tools.values import APPROVAL_LASTS, ExecutionStatus


class Calls:
    """Of one session. Rows of executions are added at once; those of calls, which are told of them, when it closes."""

    def __init__(self, diary: Diary) -> None:
        self._diary = diary
        self._calls: dict[str, ToolCallRow] = {}
        """By the ids that models gave them."""
        self.tools: Counter[str] = Counter()
        """How many calls name them."""
        self.executions = 0
        """How many of the calls are executed."""

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._calls)

    def close(self) -> None:
        """Add the rows of the calls, as they stand at the end."""
        self._diary.rows[ToolCallRow].extend(self._calls.values())

    def called(self, call: Called, position: int, message_id: UUID) -> None:
        """A call is added to a message."""
        success, executed_at = (None, None) if call.result is None else (True, self._diary.at)
        self._diary.wait(1)
        row = ToolCallRow(
            self._diary.tenant, self._diary.new_id(), message_id, position, call.call_id, call.name, call.arguments,
            call.result, success, None, executed_at, call.duration_ms, self._diary.at,
        )  # fmt: skip
        self._calls[call.call_id] = row
        self.tools[call.name] += 1
        named = {"messageId": message_name(message_id), "toolCallId": global_id("ToolCall", row.id)}
        self._diary.tell(EventKind.TOOL_CALL_ADDED, {**named, "name": call.name})

    def executed(self, step: Executed) -> None:
        """A call is executed, which it is told of when that has ended."""
        self.executions += 1
        call = self._calls[step.call_id]
        row = self._asked(call, asks=step.asks)
        named = global_id("ToolExecution", row.id)
        if step.verdict is not None:
            row = self._decided(row, named, step.verdict)
        if step.runs:
            row = self._worked(row, named, step)
        self._diary.rows[ExecutionRow].append(row)
        if row.completed_at is not None:
            self._calls[step.call_id] = call._replace(
                result=row.output, success=row.status == ExecutionStatus.COMPLETED, error=row.error,
                executed_at=row.completed_at, duration_ms=row.duration_ms,
            )  # fmt: skip

    def _asked(self, call: ToolCallRow, *, asks: bool) -> ExecutionRow:
        at, story = self._diary.at, self._diary.story
        status = ExecutionStatus.AWAITING_APPROVAL if asks else ExecutionStatus.PENDING
        row = ExecutionRow(
            self._diary.tenant, self._diary.new_id(), story.session_id, story.user, call.message_id, call.id, call.name,
            call.arguments, status, asks, at + APPROVAL_LASTS if asks else None, story.agent_id, at, at,
        )  # fmt: skip
        named = {"toolExecutionId": global_id("ToolExecution", row.id), "toolCallId": global_id("ToolCall", call.id)}
        self._diary.tell(EventKind.TOOL_EXECUTION_ADDED, {**named, "name": call.name, "status": status.name})
        return row

    def _decided(self, row: ExecutionRow, named: str, verdict: Verdict) -> ExecutionRow:
        self._diary.wait(verdict.after_ms)
        status = ExecutionStatus.PENDING if verdict.approve else ExecutionStatus.CANCELLED
        told = {"toolExecutionId": named, "status": status.name, "approved": verdict.approve}
        self._diary.tell(EventKind.TOOL_EXECUTION_DECIDED, told)
        row = row._replace(
            status=status, approved=verdict.approve, approved_by=self._diary.story.user, approved_at=self._diary.at,
            decision_comment=verdict.comment, updated_at=self._diary.at,
        )  # fmt: skip
        if verdict.approve:
            return row
        return row._replace(error=DENIED, started_at=self._diary.at, completed_at=self._diary.at, duration_ms=0)

    def _worked(self, row: ExecutionRow, named: str, step: Executed) -> ExecutionRow:
        """From its being taken to its end, which says what came of it."""
        started_at = self._diary.at
        begun = {"status": ExecutionStatus.RUNNING.name, "changed": ["status"]}
        self._diary.tell(EventKind.TOOL_EXECUTION_UPDATED, {"toolExecutionId": named, **begun})
        self._diary.wait(step.duration_ms)
        status, outcome = (
            (ExecutionStatus.COMPLETED, "output") if step.error is None else (ExecutionStatus.FAILED, "error")
        )
        ended = {"status": status.name, "changed": [outcome, "status"]}
        self._diary.tell(EventKind.TOOL_EXECUTION_UPDATED, {"toolExecutionId": named, **ended})
        return row._replace(
            status=status, output=step.output, error=step.error, started_at=started_at, completed_at=self._diary.at,
            duration_ms=step.duration_ms, updated_at=self._diary.at,
        )  # fmt: skip
