"""Ids, words and bounds of messages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NewType
from uuid import UUID

from app.core.errors import ValidationError
from app.core.text import require_count, require_json_size, require_length, require_range
from app.sessions.values import SessionId

MessageId = NewType("MessageId", UUID)

Copies = Mapping[MessageId, MessageId]
"""Of messages that are copied the ids of their copies, along the path from a first message on."""

LONGEST_CONTENT = 1_000_000
"""Characters of one message: a long book. More belongs into an attachment."""
LONGEST_NAME = 255
LONGEST_ERROR = 4_000
MOST_CONTEXT_ITEMS = 100
"""Of each kind, per message."""


class MessageRole(StrEnum):
    """Who speaks (S1-5)."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class MessageStatus(StrEnum):
    """How far a message is (S1-8)."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


TRANSITIONS: dict[MessageStatus, frozenset[MessageStatus]] = {
    MessageStatus.PENDING: frozenset(MessageStatus),
    MessageStatus.PROCESSING: frozenset(MessageStatus) - {MessageStatus.PENDING},
    MessageStatus.COMPLETED: frozenset({MessageStatus.COMPLETED}),
    MessageStatus.FAILED: frozenset({MessageStatus.FAILED}),
    MessageStatus.CANCELLED: frozenset({MessageStatus.CANCELLED}),
}
"""Which status may follow which: an ended message stays as it ended."""

UNFINISHED = (MessageStatus.PENDING, MessageStatus.PROCESSING)
"""What a message that is yet to be written, or is being written, can be."""


@dataclass(frozen=True, slots=True)
class Intent:
    """What the user wants, as far as keywords tell."""

    name: str
    confidence: float
    """0 < confidence <= 1, to three digits."""
    keywords: tuple[str, ...]
    """The words that told, as the user wrote them in lower case, in order, each once."""


@dataclass(frozen=True, slots=True)
class ContextItems:
    """What the message was written with in view (S3-3); free objects of four kinds."""

    document_chunks: list[dict[str, Any]] = field(default_factory=list)
    insights: list[dict[str, Any]] = field(default_factory=list)
    jtbds: list[dict[str, Any]] = field(default_factory=list)
    metrics: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, list[dict[str, Any]]]:
        """The kinds that have items, by their names in the graph."""
        kinds = {
            "documentChunks": self.document_chunks, "insights": self.insights, "jtbds": self.jtbds,
            "metrics": self.metrics,
        }  # fmt: skip
        return {name: items for name, items in kinds.items() if items}

    @classmethod
    def from_json(cls, kinds: dict[str, Any]) -> "ContextItems":
        """The inverse of `as_json`."""
        return cls(*(kinds.get(name, []) for name in ("documentChunks", "insights", "jtbds", "metrics")))


@dataclass(frozen=True, slots=True)
class Generation:
    """How an assistant's message came about (S3-6, S3-7), as the application reports it."""

    model: str | None = None
    temperature: float | None = None
    source: str | None = None
    processing_time_ms: int | None = None
    tokens_used: int | None = None
    intent: Intent | None = None
    streaming: dict[str, Any] = field(default_factory=dict)
    error_code: str | None = None
    error_message: str | None = None
    model_place: str = "modelUsed"
    """What the input calls the model."""

    def check(self) -> None:
        """Raise ValidationError, naming the field, for what cannot be stored."""
        for name, text in (
            (self.model_place, self.model),
            ("generationSource", self.source),
            ("errorCode", self.error_code),
        ):
            if text is not None:
                require_length(text, name, at_least=1, at_most=LONGEST_NAME)
        if self.error_message is not None:
            require_length(self.error_message, "errorMessage", at_most=LONGEST_ERROR)
        for name, number in (("processingTimeMs", self.processing_time_ms), ("tokensUsed", self.tokens_used)):
            require_range(number, name, at_least=0, at_most=2**31 - 1)
        require_range(self.temperature, "temperature", at_least=0, at_most=10)
        if self.intent is not None:
            require_length(self.intent.name, "intent.name", at_least=1, at_most=LONGEST_NAME)
            require_range(self.intent.confidence, "intent.confidence", at_least=0.001, at_most=1)
            require_count(len(self.intent.keywords), "intent.keywords", at_most=100)
            for index, keyword in enumerate(self.intent.keywords):
                require_length(keyword, f"intent.keywords[{index}]", at_least=1, at_most=LONGEST_NAME)
        require_json_size(self.streaming, "streaming")


@dataclass(frozen=True, slots=True)
class Draft:
    """A message as it came in, before anything was found out about it."""

    session_id: SessionId
    role: MessageRole
    content: str
    parent_message_id: MessageId | None = None
    status: MessageStatus = MessageStatus.COMPLETED
    context_items: ContextItems = field(default_factory=ContextItems)
    metadata: dict[str, Any] = field(default_factory=dict)
    generation: Generation = field(default_factory=Generation)
    tool_call_id: str | None = None
    calls_tools: bool = False
    """The turn is tool calls, which follow: its content may be empty."""
    beside: MessageId | None = None
    """A message of the same role and session that this one is another version of: it answers what that one answers."""
    beside_place: str = "messageId"
    """What the input calls that one."""

    def check(self) -> None:
        """Raise ValidationError, naming the field, for what cannot be stored."""
        if self.beside is not None and self.parent_message_id is not None:
            raise ValidationError(
                f"{self.beside_place} says already what the message answers",
                field=self.beside_place,
                hint=f"leave out {self.beside_place} or parentMessageId",
            )
        # Only people always say something: a model may call tools, fail before its first word, or have yet to speak.
        speaks = self.role in (MessageRole.USER, MessageRole.SYSTEM) or not (
            self.role is MessageRole.TOOL or self.calls_tools or self.status is not MessageStatus.COMPLETED
        )
        require_length(self.content, "content", at_least=int(speaks), at_most=LONGEST_CONTENT)
        if self.tool_call_id is not None:
            require_length(self.tool_call_id, "toolCallId", at_least=1, at_most=LONGEST_NAME)
        for name, items in self.context_items.as_json().items():
            require_count(len(items), f"contextItems.{name}", at_most=MOST_CONTEXT_ITEMS)
        require_json_size(self.context_items.as_json(), "contextItems")
        require_json_size(self.metadata, "metadata")
        self.generation.check()


@dataclass(frozen=True, slots=True)
class Edit:
    """Another version of a message, which stays."""

    message_id: MessageId
    content: str
    context_items: ContextItems = field(default_factory=ContextItems)
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Completion:
    """How an answer ends that was stored before it was all there (S3-8, S3-9)."""

    message_id: MessageId
    status: MessageStatus
    """COMPLETED, FAILED or CANCELLED."""
    content: str | None = None
    """All of it; None keeps what was stored, which only an answer that failed or was cancelled may."""
    calls_tools: bool = False
    """The turn is tool calls: its content may be empty."""
    tokens_used: int | None = None
    """By the provider's count; None has them counted."""
    cost: Decimal | None = None
    """In US dollars, where the price is known; it is added to the session's."""
    processing_time_ms: int | None = None
    streaming: dict[str, Any] = field(default_factory=dict)
    error_code: str | None = None
    error_message: str | None = None
    metadata: dict[str, Any] | None = None
    """Takes the place of the message's; None keeps it."""

    def check(self) -> None:
        """Raise ValidationError, naming the field, for what cannot be stored."""
        if self.status is MessageStatus.COMPLETED and self.content is None:
            raise ValidationError(
                "a completed answer has its content", field="content", hint="send all of it, or an errorCode"
            )
        if self.content is not None:
            speaks = self.status is MessageStatus.COMPLETED and not self.calls_tools
            require_length(self.content, "content", at_least=int(speaks), at_most=LONGEST_CONTENT)
        require_json_size(self.metadata, "metadata")
        Generation(
            processing_time_ms=self.processing_time_ms,
            tokens_used=self.tokens_used,
            streaming=self.streaming,
            error_code=self.error_code,
            error_message=self.error_message,
        ).check()


@dataclass(frozen=True, slots=True)
class PipelineWarning:
    """Something beside the storing that failed; the message is stored all the same (S3-14)."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class PipelineReport:
    """What the pipeline did with a message (S3-5)."""

    version: str
    persisted_at: datetime
    processing_time_ms: float
    warnings: tuple[PipelineWarning, ...] = ()

    @classmethod
    def from_json(cls, facts: dict[str, Any], persisted_at: datetime) -> "PipelineReport":
        """As stored with a message."""
        warnings = tuple(PipelineWarning(found["code"], found["message"]) for found in facts.get("warnings", ()))
        return cls(facts.get("version", ""), persisted_at, facts.get("processingTimeMs", 0.0), warnings)


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message that is ready to be stored: the draft, and what was found out about it."""

    id: MessageId
    draft: Draft
    token_count: int
    token_count_estimated: bool
    intent: Intent | None
    pipeline_facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PastMessage:
    """A message that was written elsewhere, with what is known of it: no parent means that it has none."""

    new: NewMessage
    created_at: datetime | None = None
    """None for now, as is a time that is yet to come."""
    updated_at: datetime | None = None
    deleted_at: datetime | None = None
    """Of a tombstone, whose content is empty."""
    moves_leaf: bool = True
    """Whether the session goes on from it."""
