"""Ids, bounds and what is handed from stage to stage of an execution."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NewType
from uuid import UUID

from app.core.errors import ValidationError
from app.core.text import require_json_size, require_length
from app.idempotency.values import ClientKey
from app.messages.values import ContextItems, MessageId
from app.prompts.models import PromptTemplateVersion
from app.prompts.values import Choice, TemplateId, VersionId
from app.runs.values import OnBusy, Prepared, RunId, RunStatus, Wanted
from app.sessions.models import ChatSession
from app.sessions.values import SessionId
from app.toolbox.values import GivenTool

PromptExecutionId = NewType("PromptExecutionId", UUID)

GeneratedPromptId = NewType("GeneratedPromptId", UUID)

GENERATED_PROMPT = "PromptGeneration"
"""The type of generated prompts in the graph: those of a project, which are made and approved elsewhere."""

LONGEST_FILE_ID = 255
"""Characters of the id of a context file that is kept elsewhere (S0-13)."""


@dataclass(frozen=True, slots=True)
class ExecutePromptRequest:
    """What is asked: a version of a template with values for its variables, a generated prompt, or a text."""

    session_id: SessionId | None
    """None starts a new session."""
    choice: Choice | None = None
    """Which version of which template; None where the prompt is something else."""
    content: str | None = None
    variables: dict[str, Any] = field(default_factory=dict)
    context_file_id: str | None = None
    """An attachment's global id, or a name of the application for a file that is kept elsewhere."""
    wanted: Wanted = field(default_factory=Wanted)
    tools: tuple[GivenTool, ...] = ()
    on_busy: OnBusy = OnBusy.REJECT
    key: ClientKey | None = None
    project_id: UUID | None = None
    """Of a new session: the project whose stage is generated in it."""
    title: str | None = None
    """Of a new session; None makes one of the prompt."""
    generated_id: GeneratedPromptId | None = None
    """The generated prompt that is asked."""

    def check(self) -> None:
        """Raise ValidationError, naming the field, for what is no prompt."""
        if self.choice is None and self.content is None and self.generated_id is None:
            raise ValidationError(
                "there is no prompt",
                field="content",
                hint="send content, templateId, templateName, enabled: true, or promptGenerationId",
            )
        if self.choice is not None and self.content is not None:
            raise ValidationError(
                "content and a prompt template exclude each other", field="content", hint="send one of them"
            )
        if self.generated_id is not None and (self.choice is not None or self.content is not None):
            other = "content" if self.content is not None else "a prompt template"
            raise ValidationError(
                f"{other} and a generated prompt exclude each other",
                field="promptGenerationId",
                hint="send one of them",
            )
        if self.variables and self.choice is None:
            raise ValidationError(
                "only a prompt template has variables", field="variables", hint="leave them out, or name a template"
            )
        require_json_size(self.variables, "variables")
        if self.context_file_id is not None:
            require_length(self.context_file_id, "contextFileId", at_least=1, at_most=LONGEST_FILE_ID)


@dataclass(frozen=True, slots=True)
class PreparedPrompt:
    """What comes of the first stage: all that is known before a model is chosen to answer."""

    text: str
    """What the model is asked: the template with the values in it."""
    model: str
    """As `provider:model`: what was asked for, else the session's, else the server's."""
    session: ChatSession | None = None
    """As it was when it was looked at; it is looked at again, and locked, when the prompt is stored."""
    version: PromptTemplateVersion | None = None
    context_items: ContextItems = field(default_factory=ContextItems)
    """The text of the context file, where it is kept here."""


@dataclass(frozen=True, slots=True)
class LlmExecutionResult:
    """What comes of the second stage: the run that a model is to answer the prompt by, and what is known of it.

    The model itself is asked once the third stage has committed, by a worker that holds no transaction (C22).
    """

    prompt: PreparedPrompt
    answer: Prepared
    """The run: its id, model, tools and the message that it answers."""
    status: RunStatus = RunStatus.QUEUED

    @property
    def run_id(self) -> RunId:
        """The id that the run will have."""
        return self.answer.run_id


@dataclass(frozen=True, slots=True)
class NewExecution:
    """An execution that is about to be stored."""

    id: PromptExecutionId
    session_id: SessionId
    run_id: RunId
    user_message_id: MessageId
    template_id: TemplateId | None = None
    version_id: VersionId | None = None
    label: str | None = None
    chosen_version: int | None = None
    variables: dict[str, Any] = field(default_factory=dict)
    context_file_id: str | None = None
    generated_id: GeneratedPromptId | None = None

    @classmethod
    def of(cls, id_: PromptExecutionId, request: ExecutePromptRequest, result: LlmExecutionResult) -> "NewExecution":
        """What is kept of a prompt whose run is decided."""
        version, choice, answer = result.prompt.version, request.choice, result.answer
        return cls(
            id_,
            answer.session_id,
            answer.run_id,
            answer.question.id,
            TemplateId(version.template_id) if version else None,
            VersionId(version.id) if version else None,
            choice.label if choice else None,
            choice.version if choice else None,
            request.variables,
            request.context_file_id,
            request.generated_id,
        )


@dataclass(frozen=True, slots=True)
class Conversation:
    """The session that a prompt goes into, which this transaction has locked or created."""

    session: ChatSession
    created: bool


@dataclass(frozen=True, slots=True)
class SavedExecution:
    """An execution as it is stored."""

    id: PromptExecutionId
    session_id: SessionId
    run_id: RunId
    created_at: datetime


@dataclass(frozen=True, slots=True)
class PersistenceMetadata:
    """What the database did."""

    session_created: bool
    session_updated_at: datetime | None
    """None where nothing was changed, for the same request had been here before."""
    waiting: bool
    """Whether another run of the session has its turn."""
    deduplicated: bool
    attempts: int
    """How often the transaction was run: conflicts are rolled back, and tried again."""
    processing_time_ms: float


@dataclass(frozen=True, slots=True)
class PromptPersistenceResult:
    """What comes of the third stage (S0-3)."""

    execution: SavedExecution
    session_id: SessionId
    """The session, existing or new."""
    metadata: PersistenceMetadata


@dataclass(frozen=True, slots=True)
class StillRunning:
    """A warning: the wait is over, and the answer is not."""

    waited_seconds: float
    code: str = "STILL_RUNNING"

    @property
    def message(self) -> str:
        """What to do."""
        return (
            f"the answer was not finished within {self.waited_seconds:g} s and goes on: follow the run, or send the "
            "same again with the same clientKey"
        )


@dataclass(frozen=True, slots=True)
class NoLongerFollowed:
    """A warning: the prompt was stored, and then its answer could not be waited for."""

    reason: str
    code: str = "NOT_WAITED_FOR"

    @property
    def message(self) -> str:
        """Why."""
        return f"the prompt was taken on, but its answer could not be waited for: {self.reason}"


@dataclass(frozen=True, slots=True)
class ExecutionStatistics:
    """What all executions of a version, or of a template, add up to: figures, and no content."""

    count: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    interrupted: int = 0
    running: int = 0
    p50_ms: int | None = None
    p95_ms: int | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal | None = None
    cost_unknown: int = 0

    @property
    def success_rate(self) -> float | None:
        """The share of those that have ended."""
        ended = self.count - self.running
        return self.completed / ended if ended else None

    @property
    def total_tokens(self) -> int:
        """Read and written."""
        return self.input_tokens + self.output_tokens
