"""What a seeded world is made of: its plan, its stories, and the steps that a story takes."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.actor import TenantId, UserId
from app.core.clock import Stopwatch
from app.core.errors import ValidationError
from app.core.text import require_range
from app.identity.values import PRINTABLE_NAME
from app.llm.port import Usage
from app.llm.window import ContextWindows, WindowUse
from app.messages.values import MessageRole
from app.runs.values import Failure, RunStatus
from app.sessions.values import SessionStatus

MOST_USERS = 10_000
MOST_SESSIONS = 10_000_000
MOST_DAYS = 3_650
MOST_PROJECTS = 100_000
MOST_MESSAGES = 200
"""On average, in one session."""


@dataclass(frozen=True, slots=True)
class SeedPlan:
    """What is to be there: the same plan gives the same rows, ids and all."""

    tenant: TenantId
    seed: int
    users: int
    sessions: int
    days: int
    messages: int
    """In a session, on average."""
    now: datetime
    """Nothing happens later."""
    projects: int = 0
    """No part of the shape: each is told on its own, and more may be added."""

    def check(self) -> None:
        """Raise ValidationError for what nobody can have."""
        for name, value, most in (
            ("users", self.users, MOST_USERS),
            ("sessions", self.sessions, MOST_SESSIONS),
            ("days", self.days, MOST_DAYS),
            ("messages", self.messages, MOST_MESSAGES),
        ):
            require_range(value, f"--{name}", at_least=1, at_most=most)
        require_range(self.projects, "--projects", at_least=0, at_most=MOST_PROJECTS)
        if not PRINTABLE_NAME.fullmatch(self.tenant):
            raise ValidationError("--tenant must be a name of 1 to 128 characters without spaces and @")

    @property
    def shape(self) -> dict[str, int]:
        """What two runs of one seed must agree on."""
        return {"users": self.users, "sessions": self.sessions, "days": self.days, "messages": self.messages}


@dataclass(frozen=True, slots=True)
class Model:
    """A model that answers, and how long it takes."""

    provider: str
    name: str
    ms_per_token: float
    reasons: float = 0.0
    """Tokens of reasoning for one that is shown."""

    @property
    def id(self) -> str:
        """As runs name it."""
        return f"{self.provider}:{self.name}"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens in a session, as an application or a worker would have it stored."""

    after_ms: int
    """Since the thing before."""


@dataclass(frozen=True, slots=True)
class Said(Step):
    """A message of the person, or the application's instructions."""

    content: str
    role: MessageRole = MessageRole.USER
    parent: int | None = None
    """The number of the message it answers; None: the latest."""


@dataclass(frozen=True, slots=True)
class Answered(Step):
    """A run: asked for, taken by a worker, written and ended."""

    prompt: int
    """The number of the message that it answers."""
    model: str
    content: str
    chunks: int
    """Pieces that it came in."""
    prompt_tokens: int
    usage: Usage | None
    """None where the provider did not say."""
    first_token_ms: int
    duration_ms: int
    status: RunStatus = RunStatus.COMPLETED
    failure: Failure | None = None
    retry_of: int | None = None
    """The number of the message that a failed run wrote."""

    @property
    def reports(self) -> bool:
        """Whether its worker brought it to its end: who cancels knows nothing of its time."""
        return self.status is not RunStatus.CANCELLED

    @property
    def in_view(self) -> WindowUse:
        """What its worker notes of its question: nothing was too long, and all before it led to it."""
        budget = ContextWindows().of(self.model, None).budget_tokens
        return WindowUse(budget, self.prompt_tokens, self.prompt, 0, 0)

    @property
    def streaming(self) -> dict[str, object]:
        """Facts about its streaming, as workers report them."""
        if not self.reports:
            return {}
        if not self.chunks:
            return {"chunkCount": 0}
        written_ms = self.duration_ms - self.first_token_ms
        return {"chunkCount": self.chunks, "firstTokenMs": self.first_token_ms, "durationMs": written_ms}


@dataclass(frozen=True, slots=True)
class Called:
    """A tool call that an application reports, with what came of it where it is not executed afterwards."""

    call_id: str
    name: str
    arguments: str
    result: str | None = None
    duration_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Reported(Step):
    """An answer that an application made itself, and its tool calls."""

    content: str
    model: str
    duration_ms: int
    calls: tuple[Called, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict(Step):
    """What a person says about an execution that they are asked for; the step before it is that they are asked."""

    approve: bool
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Executed(Step):
    """The execution of a call, to its end, or as far as a person lets it come."""

    call_id: str
    duration_ms: int
    output: str | None = None
    error: str | None = None
    """Why it failed."""
    asks: bool = False
    """Whether it needs approval."""
    verdict: Verdict | None = None
    """None while nobody has decided."""

    @property
    def denied(self) -> bool:
        """Whether a person was against it."""
        return self.verdict is not None and not self.verdict.approve

    @property
    def takes_ms(self) -> int:
        """From its request to its end."""
        decided_ms = self.verdict.after_ms if self.verdict else 0
        return decided_ms + (self.duration_ms if self.runs else 0)

    @property
    def runs(self) -> bool:
        """Whether the tool is called in the end."""
        return not self.asks or (self.verdict is not None and self.verdict.approve)


@dataclass(frozen=True, slots=True)
class Attached(Step):
    """A file is attached to a message."""

    number: int
    file_name: str
    content: str


@dataclass(frozen=True, slots=True)
class ToolAnswered(Step):
    """The message with which a tool answers a call."""

    content: str
    call_id: str


@dataclass(frozen=True, slots=True)
class Deleted(Step):
    """A message that its writer took back."""

    number: int


@dataclass(frozen=True, slots=True)
class Filed(Step):
    """The session is filed."""

    tags: tuple[str, ...]
    summary: str


@dataclass(frozen=True, slots=True)
class Closed(Step):
    """The session is set aside or ended."""

    status: SessionStatus


@dataclass(frozen=True, slots=True)
class Kept(Step):
    """An agent keeps its state."""

    agent_id: str
    state: dict[str, Any]


AnyStep = Said | Answered | Reported | Executed | Attached | ToolAnswered | Deleted | Filed | Closed | Kept


@dataclass(frozen=True, slots=True)
class Story:
    """One session, from its beginning to where it stands."""

    session_id: UUID
    user: UserId
    correlation: str
    title: str
    description: str | None
    agent_id: str | None
    model: Model
    tags: tuple[str, ...]
    custom_data: dict[str, Any]
    began_at: datetime
    steps: tuple[AnyStep, ...]


@dataclass(slots=True)
class Totals:
    """How far it is. Changed while the seeding runs."""

    wanted: int
    """Sessions."""
    sessions: int = 0
    known: int = 0
    """Sessions that an earlier run has stored."""
    messages: int = 0
    rows: int = 0
    projects: int = 0
    known_projects: int = 0
    templates: int = 0
    """Of the workflow's stages, new ones."""
    watch: Stopwatch = field(default_factory=Stopwatch)

    @property
    def elapsed_seconds(self) -> float:
        """Since it began."""
        return self.watch.elapsed_ms() / 1000

    @property
    def messages_per_second(self) -> float:
        """New ones."""
        return self.messages / max(self.elapsed_seconds, 0.001)
