"""Keeps the books of a session as the statements of the rooms do: what each step stores, counts and tells.

Whatever a statement changes beside its row (numbers, counters, the active leaf, how long an answer took, events) is
done here a second time, for these rows come by the thousand and not one by one. A test takes the same steps through the
rooms' own services, and compares every column.
"""

from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from random import Random
from typing import assert_never
from uuid import UUID

from app.attachments.content_types import content_type_of
from app.core.actor import TenantId
from app.core.ids import global_id
from app.events.values import EventKind
from app.llm.port import Usage
from app.messages.pipeline import VERSION
from app.messages.values import MessageRole, MessageStatus
from app.runs.values import RunStatus
from app.seeding.calls import Calls
from app.seeding.diary import Diary, message_name
from app.seeding.measures import Measures
from app.seeding.rows import (
    AgentStateRow,
    AttachmentRow,
    LineRow,
    MessageRow,
    MetadataRow,
    Rows,
    RunRow,
    SessionRow,
    SpentRow,
    TallyRow,
)
from app.seeding.values import (
    Answered,
    AnyStep,
    Attached,
    Closed,
    Deleted,
    Executed,
    Filed,
    Kept,
    Reported,
    Said,
    Story,
    ToolAnswered,
)
from app.sessions.values import SessionStatus, TallyKind

CLAIM_MS = 12
"""Between a run's being asked for and a worker's taking it."""

_ENDED = {
    RunStatus.COMPLETED: (EventKind.RUN_COMPLETED, MessageStatus.COMPLETED),
    RunStatus.FAILED: (EventKind.RUN_FAILED, MessageStatus.FAILED),
    RunStatus.CANCELLED: (EventKind.RUN_CANCELLED, MessageStatus.CANCELLED),
}


class Books:
    """Of one session. Rows are added to `rows`; that of the session comes when its books are closed."""

    def __init__(self, tenant: TenantId, story: Story, chance: Random, measures: Measures, rows: Rows) -> None:
        self._tenant, self._story, self._chance, self._measures, self._rows = tenant, story, chance, measures, rows
        self._diary = Diary(tenant, story, chance, rows)
        self._calls = Calls(self._diary)
        self._session = global_id("ChatSession", story.session_id)
        self._status = SessionStatus.ACTIVE
        self._tags = story.tags
        self._summary: str | None = None
        self._messages: list[MessageRow] = []
        self._runs: dict[int, UUID] = {}
        """By the numbers of the messages that they wrote."""
        self._states: dict[str, AgentStateRow] = {}
        self._files: dict[UUID, list[AttachmentRow]] = {}
        """By their messages."""
        self._models: Counter[str] = Counter()
        """How many answers name them."""
        self._leaf_parent: UUID | None = None
        self._roles = dict.fromkeys(MessageRole, 0)
        self._tokens = self._duration_ms = self._answered = self._answer_ms = 0
        self._cost = Decimal(0)
        self._awaiting: datetime | None = None
        self._diary.tell(EventKind.SESSION_CREATED, {"sessionId": self._session, "title": story.title})

    def close(self) -> None:
        """Take all steps, and add the rows of the session itself."""
        for step in self._story.steps:
            self._diary.wait(step.after_ms)
            self._take(step)
        story, tenant = self._story, self._tenant
        leaf = self._messages[-1].id if self._messages else None
        self._rows[SessionRow].append(
            SessionRow(
                tenant, story.session_id, story.user, story.title, story.description, self._status, story.agent_id,
                story.model.name, story.model.provider, story.began_at, self._diary.at, len(self._messages),
                self._diary.events, leaf, self._leaf_parent, self._roles[MessageRole.USER],
                self._roles[MessageRole.ASSISTANT], self._roles[MessageRole.SYSTEM], self._roles[MessageRole.TOOL],
                self._calls.count, self._calls.executions, len(self._states), self._tokens, self._cost,
                self._duration_ms, self._awaiting, self._answered, self._answer_ms,
            )
        )  # fmt: skip
        self._rows[MetadataRow].append(
            MetadataRow(tenant, story.session_id, list(self._tags), story.custom_data, self._summary)
        )
        self._rows[MessageRow].extend(self._messages)
        self._rows[AgentStateRow].extend(self._states.values())
        self._calls.close()
        self._rows[AttachmentRow].extend(file for files in self._files.values() for file in files)
        for kind, used in ((TallyKind.TOOL, self._calls.tools), (TallyKind.MODEL, self._models)):
            self._rows[TallyRow].extend(
                TallyRow(tenant, story.session_id, kind, name, times) for name, times in used.items()
            )

    def _take(self, step: AnyStep) -> None:
        match step:
            case Said():
                self._said(step)
            case Answered():
                self._ran(step)
            case Reported():
                self._reported(step)
            case Executed():
                self._calls.executed(step)
            case Attached():
                self._attached(step)
            case ToolAnswered():
                self._tool_answered(step)
            case Deleted():
                self._deleted(step)
            case Filed():
                self._filed(step)
            case Closed():
                self._closed(step)
            case Kept():
                self._kept(step)
            case _:
                assert_never(step)

    def _said(self, step: Said) -> None:
        tokens = self._measures.tokens(step.content)
        intent = self._measures.intent(step.content) if step.role is MessageRole.USER else None
        parent = self._messages[step.parent - 1].id if step.parent else None
        row = self._message(step.role, step.content, tokens.tokens, tokens.estimated, parent)
        if intent is not None:
            row = row._replace(
                intent_name=intent.name, intent_confidence=intent.confidence, intent_keywords=list(intent.keywords)
            )
        self._append(row, step.role)
        if step.role is MessageRole.USER:
            self._awaiting = self._diary.at

    def _reported(self, step: Reported) -> None:
        tokens = self._measures.tokens(step.content, step.model)
        row = self._message(MessageRole.ASSISTANT, step.content, tokens.tokens, tokens.estimated, None)
        row = row._replace(model=step.model, processing_time_ms=step.duration_ms, tool_call_count=len(step.calls))
        self._append(row, MessageRole.ASSISTANT)
        self._models[step.model] += 1
        self._duration_ms += step.duration_ms
        self._count_answer(self._diary.at)
        for position, call in enumerate(step.calls, 1):
            self._calls.called(call, position, row.id)

    def _attached(self, step: Attached) -> None:
        message, data = self._messages[step.number - 1], step.content.encode()
        row = AttachmentRow(
            self._tenant, self._diary.new_id(), message.id, step.file_name, content_type_of(data), len(data),
            sha256(data).digest(), data, self._diary.at,
        )  # fmt: skip
        self._files.setdefault(message.id, []).append(row)
        self._messages[step.number - 1] = message._replace(attachment_count=message.attachment_count + 1)
        named = {"messageId": message_name(message.id), "attachmentId": global_id("MessageAttachment", row.id)}
        told = {**named, "contentType": row.content_type, "size": row.size}
        self._diary.tell(EventKind.ATTACHMENT_ADDED, told)

    def _tool_answered(self, step: ToolAnswered) -> None:
        tokens = self._measures.tokens(step.content)
        row = self._message(MessageRole.TOOL, step.content, tokens.tokens, tokens.estimated, None)
        self._append(row._replace(tool_call_id=step.call_id), MessageRole.TOOL)

    def _ran(self, step: Answered) -> None:
        prompt = self._messages[step.prompt - 1]
        expected = self._message(MessageRole.ASSISTANT, "", 0, False, prompt.id)._replace(
            status=MessageStatus.PENDING, pipeline_facts={}
        )
        message_name = self._append(expected, MessageRole.ASSISTANT, MessageStatus.PENDING)
        number, run_id = len(self._messages), self._diary.new_id()
        named = {"runId": global_id("Run", run_id), "messageId": message_name}
        self._diary.wait(1)
        queued_at = self._diary.at
        self._diary.tell(EventKind.RUN_QUEUED, {**named, "model": step.model})
        self._diary.wait(CLAIM_MS)
        started_at = self._diary.at
        self._diary.tell(EventKind.RUN_STARTED, {**named, "attempt": 1, "turn": 1})
        self._diary.wait(step.duration_ms)
        kind, status = _ENDED[step.status]
        usage, estimated, cost = self._spent(step)
        told: dict[str, object] = {**named, "status": step.status.name, "tokens": usage.total}
        if step.failure is not None:
            told["errorCode"] = step.failure.code
        self._diary.tell(kind, told)
        processing_ms = step.duration_ms if step.reports else None
        failure = step.failure
        self._messages[-1] = expected._replace(
            status=status, content=step.content, model=step.model, token_count=usage.total,
            token_count_estimated=estimated, error_code=failure.code if failure else None,
            error_message=failure.message if failure else None, processing_time_ms=processing_ms,
            streaming=step.streaming, updated_at=self._diary.at,
        )  # fmt: skip
        self._models[step.model] += 1
        self._tokens += usage.total
        self._cost += cost or 0
        self._duration_ms += processing_ms or 0
        if status is MessageStatus.COMPLETED:
            self._count_answer(queued_at)
        self._ended(step, number, run_id, usage, estimated, cost, queued_at, started_at)

    def _ended(
        self,
        step: Answered,
        number: int,
        run_id: UUID,
        usage: Usage,
        estimated: bool,
        cost: Decimal | None,
        queued_at: datetime,
        started_at: datetime,
    ) -> None:
        """The rows of a run that has ended."""
        tenant, story, failure, at = self._tenant, self._story, step.failure, self._diary.at
        amounts = (usage.input, usage.cached_input, usage.cache_write, usage.output, usage.reasoning)
        stop_reason = "stop" if step.status is RunStatus.COMPLETED else None
        code, message = (failure.code, failure.message) if failure else (None, None)
        retried = self._runs.get(step.retry_of) if step.retry_of else None
        self._runs[number], seen = run_id, step.in_view
        self._rows[RunRow].append(
            RunRow(
                tenant, run_id, story.session_id, story.user, self._messages[number - 1].id,
                self._messages[step.prompt - 1].id, number, retried, step.status, 1, step.model, seen.used_tokens,
                seen.budget_tokens, seen.messages, seen.left_out_messages, seen.left_out_tokens,
                story.correlation, step.chunks + 1, stop_reason, code, message,
                failure.facts() if failure else None, *amounts, estimated, cost,
                queued_at, started_at, at, at,
            )
        )  # fmt: skip
        self._rows[LineRow].append(LineRow(tenant, run_id, step.chunks + 1, step.status, {}))
        self._rows[SpentRow].append(
            SpentRow(
                tenant, run_id, story.session_id, story.user, step.model, step.status, *amounts, estimated, cost, at
            )
        )

    def _spent(self, step: Answered) -> tuple[Usage, bool, Decimal | None]:
        """As accounts see it: by the provider's count, else estimated where an answer had begun."""
        if step.usage is not None:
            return step.usage, False, self._measures.cost(step.model, step.usage)
        if not step.content:
            return Usage(), False, Decimal(0)
        model = step.model.partition(":")[2]
        usage = Usage(input=step.prompt_tokens, output=self._measures.tokens(step.content, model).tokens)
        return usage, True, self._measures.cost(step.model, usage)

    def _deleted(self, step: Deleted) -> None:
        gone = self._messages[step.number - 1]
        self._messages[step.number - 1] = gone._replace(
            content="", error_message=None, intent_name=None, intent_confidence=None, intent_keywords=None,
            streaming={}, tool_call_count=0, attachment_count=0, updated_at=self._diary.at, deleted_at=self._diary.at,
        )  # fmt: skip
        self._files.pop(gone.id, None)
        self._diary.tell(EventKind.MESSAGE_DELETED, {"messageId": message_name(gone.id)})

    def _filed(self, step: Filed) -> None:
        self._tags, self._summary = step.tags, step.summary
        self._diary.tell(EventKind.SESSION_METADATA_SET, {"sessionId": self._session, "changed": ["summary", "tags"]})

    def _closed(self, step: Closed) -> None:
        self._status = step.status
        self._diary.tell(EventKind.SESSION_UPDATED, {"sessionId": self._session, "changed": ["status"]})

    def _kept(self, step: Kept) -> None:
        before, at = self._states.get(step.agent_id), self._diary.at
        if before is None:
            row = AgentStateRow(
                self._tenant, self._story.session_id, step.agent_id, self._diary.new_id(), step.state, 1, at, at
            )
        else:
            row = before._replace(state=step.state, version=before.version + 1, updated_at=at)
        self._states[step.agent_id] = row
        told = {"agentId": step.agent_id, "version": row.version}
        self._diary.tell(EventKind.SESSION_AGENT_STATE_SET, {"sessionId": self._session, **told})

    def _message(
        self, role: MessageRole, content: str, tokens: int, estimated: bool, parent: UUID | None
    ) -> MessageRow:
        """A message at the end of the session, that answers `parent`, or the active leaf."""
        facts = {"version": VERSION, "processingTimeMs": self._chance.randrange(80, 900) / 1000}
        leaf = self._messages[-1].id if self._messages else None
        return MessageRow(
            self._tenant, self._diary.new_id(), self._story.session_id, len(self._messages) + 1, parent or leaf, role,
            MessageStatus.COMPLETED, content, tokens, estimated, self._diary.at, self._diary.at, pipeline_facts=facts,
        )  # fmt: skip

    def _append(self, row: MessageRow, role: MessageRole, status: MessageStatus = MessageStatus.COMPLETED) -> str:
        """Count and tell of a new message; its name in the graph."""
        self._messages.append(row)
        self._roles[role] += 1
        self._tokens += row.token_count
        self._leaf_parent = row.parent_message_id
        named = message_name(row.id)
        told = {"messageId": named, "role": role.name, "status": status.name, "sequenceNumber": row.sequence_number}
        self._diary.tell(EventKind.MESSAGE_APPENDED, told)
        return named

    def _count_answer(self, begun_at: datetime) -> None:
        """The first completed answer after a question, if it was begun after it (S1-27)."""
        if self._awaiting is not None and self._awaiting <= begun_at:
            self._answered += 1
            self._answer_ms += (self._diary.at - self._awaiting) // timedelta(milliseconds=1)
            self._awaiting = None
