"""Ids, words and bounds of runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple, NewType
from uuid import UUID

from app.core.actor import TenantId
from app.core.errors import AppError, ErrorCode
from app.jobs.values import JobKind
from app.llm.port import ConversationPart, OutputSchema, Speaker, Usage
from app.messages.values import ContextItems, Draft, MessageId, MessageRole, NewMessage
from app.runs.weighing import Weighed
from app.sessions.values import SessionId
from app.toolbox.values import GivenTool, OfferedTool

RunId = NewType("RunId", UUID)

LONGEST_MODEL = 255
HOTTEST = 2.0
"""Highest temperature: of the providers' ranges the widest."""
LONGEST_AUTOMATIC_TITLE = 80
"""Characters of a title that is made of the first message: one line of a list."""
MOST_WAITING = 100
"""Runs of one session that wait for their turn: a person does not ask more at once, a loop gone wrong does."""
MOST_TURNS = 25
"""Of one run: what takes a model more tools after tools is most likely a circle, and each turn is paid for."""


class RunStatus(StrEnum):
    """How far a run is (C26)."""

    QUEUED = "queued"
    RUNNING = "running"
    REQUIRES_ACTION = "requires_action"
    """The model called tools, and waits for what comes of them; nobody works it meanwhile."""
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"

    @property
    def ended(self) -> bool:
        """Whether nothing changes any more."""
        return self not in LIVE


LIVE = frozenset({RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.REQUIRES_ACTION})
"""What holds its session's turn, or waits for it."""


class OnBusy(StrEnum):
    """What a send does while the session has a run that is not finished."""

    REJECT = "reject"
    ENQUEUE = "enqueue"
    INTERRUPT = "interrupt"


class EntryKind(StrEnum):
    """What a line of a run's log says; the last line of an ended run is named as its status."""

    DELTA = "delta"
    TOOL_CALL = "tool_call"
    TURN = "turn"
    """The run goes on with another message: what follows belongs to that."""
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    GONE = "gone"
    """Never stored: the run was deleted with its session."""

    @property
    def last(self) -> bool:
        """Whether nothing follows it."""
        return self not in (EntryKind.DELTA, EntryKind.TOOL_CALL, EntryKind.TURN)


class RunEntry(NamedTuple):
    """A committed line of a run's log."""

    seq: int
    kind: str
    payload: dict[str, Any]


class RunRef(NamedTuple):
    """A run, with the tenant that every statement names."""

    tenant_id: TenantId
    id: RunId


class Claim(NamedTuple):
    """The right to write to a run: lost when somebody else ends it, or claims it after us."""

    run: RunRef
    generation: int


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run failed, fit to be shown."""

    code: ErrorCode
    message: str
    hint: str | None = None
    retryable: bool = False
    details: dict[str, Any] | None = None

    @classmethod
    def of(cls, error: AppError) -> "Failure":
        """The same as a request would be told."""
        return cls(error.code, error.message, error.hint, error.retryable, dict(error.details or {}) or None)

    @classmethod
    def stored(cls, code: str | None, message: str | None, facts: Mapping[str, Any] | None) -> "Failure | None":
        """From its columns, as `facts` made the third; None where there is no code."""
        if code is None:
            return None
        told = facts or {}
        return cls(ErrorCode(code), message or "", told.get("hint"), bool(told.get("retryable")), told.get("details"))

    @property
    def field(self) -> None:
        """It is about no input: those were checked when the run was accepted."""
        return

    def facts(self) -> dict[str, Any]:
        """What has no column of its own."""
        return {"hint": self.hint, "retryable": self.retryable, "details": self.details}


@dataclass(frozen=True, slots=True)
class Spending:
    """What a run used, and what that costs; `cost` is None where the price is not known."""

    usage: Usage
    cost: Decimal | None
    estimated: bool
    """Whether the provider did not say, and tokens were counted here."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ends, or a turn of it."""

    status: RunStatus
    failure: Failure | None = None
    usage: Usage | None = None
    """As the provider counted it; None where it did not say."""
    stop_reason: str | None = None
    processing_time_ms: int | None = None
    streaming: dict[str, Any] = field(default_factory=dict)
    """Facts about its streaming, by the names that applications report theirs by."""


class Terms(NamedTuple):
    """What a run was asked for with that its rows come without: it may be long, and its worker alone needs it."""

    tools: tuple[OfferedTool, ...] = ()
    output: OutputSchema | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """How an answer is to be made; what is None is left to the session, the server or the provider."""

    model: str | None = None
    """As `provider:model`."""
    temperature: float | None = None
    max_output_tokens: int | None = None
    tools: tuple[OfferedTool, ...] = ()
    output: OutputSchema | None = None
    """What the answer is to be, where that is not text."""
    on_end: JobKind | None = None
    """The job that is added in the transaction which ends the run, however it ends; its payload is `job_of(run)`."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A message of the person that is to be answered."""

    session_id: SessionId | None
    """None starts a new session."""
    content: str
    wanted: Wanted = field(default_factory=Wanted)
    parent_message_id: MessageId | None = None
    context_items: ContextItems = field(default_factory=ContextItems)
    metadata: dict[str, Any] = field(default_factory=dict)
    on_busy: OnBusy = OnBusy.REJECT
    tools: tuple[GivenTool, ...] = ()
    edited_message_id: MessageId | None = None
    """A question that this one is another version of, and stands beside."""
    project_id: UUID | None = None
    """Of a new session: the project whose stage is generated in it."""
    title: str | None = None
    """Of a new session; None makes one of the content."""

    @property
    def part(self) -> ConversationPart:
        """The message as a model is told of it."""
        return ConversationPart(Speaker.USER, self.content, self.context_items.as_json())

    def to_append(self, session_id: SessionId) -> Draft:
        """The message as its pipeline takes it."""
        return Draft(
            session_id, MessageRole.USER, self.content, self.parent_message_id, context_items=self.context_items,
            metadata=self.metadata, beside=self.edited_message_id, beside_place="editedMessageId",
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was asked, ready to be stored: checked, understood and counted, with the ids that it will have."""

    asked: Asked
    session_id: SessionId
    """Its session's; that of a new one where it named none."""
    question: NewMessage
    wanted: Wanted
    """As it was asked for, with the tools that are offered."""
    weighed: Weighed
    """What it takes of a model's window."""
    run_id: RunId


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run that is about to be stored."""

    id: RunId
    session_id: SessionId
    prompt_message_id: MessageId
    wanted: Wanted
    waiting: bool
    retry_of_id: RunId | None = None


def title_of(content: str) -> str:
    """A title for a session that begins with this: its first words."""
    line = " ".join(content.split())
    return line if len(line) <= LONGEST_AUTOMATIC_TITLE else line[: LONGEST_AUTOMATIC_TITLE - 1].rstrip() + "…"
