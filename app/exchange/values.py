"""A conversation as it was read, where it goes, and what became of a file."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from app.attachments.values import MOST_ATTACHMENTS
from app.core.actor import Actor, CorrelationId, TenantId, UserId
from app.core.clock import Stopwatch
from app.core.errors import ValidationError
from app.core.text import require_count, require_json_size, require_range
from app.idempotency.values import ClientKey
from app.identity.service import local_actor
from app.identity.values import PRINTABLE_NAME
from app.messages.values import (
    ContextItems,
    Draft,
    Generation,
    Intent,
    MessageId,
    MessageRole,
    MessageStatus,
    NewMessage,
    PastMessage,
)
from app.sessions.values import MOST_AGENTS, NewMetadata, NewSession, PastAgentState, SessionId, SessionStatus
from app.tools.values import MOST_CALLS, NewToolCall, PastExecution, ToolCallId

MOST_REFUSALS_SHOWN = 20
"""A file in another format has one for every line: the first few tell what is wrong, the count how much."""

ANY_ID = UUID(int=0)
"""For checks of what has no id yet."""


@dataclass(frozen=True, slots=True)
class ReadCall:
    """A tool call as it was read, with what the tool answered later in the conversation."""

    name: str
    arguments: str
    call_id: str | None
    result: str | None = None
    """None while no message answers it; the answer may be an empty text."""
    is_preview: bool = False
    """Whether the result was cut where it comes from."""
    success: bool | None = None
    error: str | None = None
    executed_at: datetime | None = None
    duration_ms: int | None = None
    created_at: datetime | None = None
    execution: PastExecution | None = None
    """What was done about it; its ids are those of nothing yet."""

    def to_add(self, tool_call_id: ToolCallId, message_id: MessageId) -> NewToolCall:
        """The call of a stored message."""
        return NewToolCall(
            tool_call_id,
            message_id,
            self.name,
            self.arguments,
            self.call_id,
            self.result,
            self.success,
            self.error,
            self.executed_at,
            self.duration_ms,
            self.is_preview,
        )


@dataclass(frozen=True, slots=True)
class ReadAttachment:
    """A file of a message as it was read, checked; `content` reads it again, while the file it waits in is open."""

    name: str
    """What its conversation knows it by, in every file that has it."""
    file_name: str
    digest: bytes
    size: int
    uploaded_at: datetime | None
    content: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Counted:
    """What had been found out about a message where it comes from."""

    tokens: int
    estimated: bool
    intent: Intent | None
    pipeline_facts: dict[str, Any]

    def check(self) -> None:
        """Raise ValidationError for what cannot be stored."""
        require_range(self.tokens, "tokenCount", at_least=0, at_most=2**31 - 1)
        require_json_size(self.pipeline_facts, "pipeline")


@dataclass(frozen=True, slots=True)
class ReadMessage:
    """One message as it was read."""

    role: MessageRole
    content: str
    metadata: dict[str, Any]
    """Members that have no place of their own in a message: a speaker's name, a refusal."""
    tool_call_id: str | None = None
    calls: tuple[ReadCall, ...] = ()
    name: str = ""
    """What its conversation knows it by, in every file that has it."""
    parent: int | None = None
    """The index of the message that it answers, which stands before it."""
    is_active: bool = True
    """Whether the conversation goes on from it, or from one that leads on from it."""
    status: MessageStatus = MessageStatus.COMPLETED
    context_items: ContextItems = field(default_factory=ContextItems)
    generation: Generation = field(default_factory=Generation)
    counted: Counted | None = None
    """None where it is to be understood and counted here."""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    deleted_at: datetime | None = None
    attachments: tuple[ReadAttachment, ...] = ()

    def to_append(self, session_id: SessionId, parent_message_id: MessageId | None) -> Draft:
        """The next message of a stored session."""
        return Draft(
            session_id,
            self.role,
            self.content,
            parent_message_id,
            self.status,
            self.context_items,
            self.metadata,
            self.generation,
            self.tool_call_id,
            calls_tools=bool(self.calls),
        )

    def check(self) -> None:
        """Raise ValidationError for what the rooms that store it would refuse."""
        draft = self.to_append(SessionId(ANY_ID), None)
        if self.deleted_at is not None:
            if self.content or self.calls or self.attachments:
                raise ValidationError("content, calls and attachments of a deleted message must be empty")
            # A tombstone says nothing, whoever spoke.
            draft = replace(draft, role=MessageRole.TOOL)
        draft.check()
        if self.counted is not None:
            self.counted.check()
        if self.calls and self.role is not MessageRole.ASSISTANT:
            raise ValidationError("only an assistant's message calls tools")
        require_count(len(self.calls), "its calls", at_most=MOST_CALLS)
        require_count(len(self.attachments), "its attachments", at_most=MOST_ATTACHMENTS)
        ids = [call.call_id for call in self.calls if call.call_id is not None]
        if len(set(ids)) < len(ids):
            raise ValidationError("two calls of one message have the same id")

    def to_take_over(self, new: NewMessage) -> PastMessage:
        """The same with its place and its times, once it was understood."""
        return PastMessage(new, self.created_at, self.updated_at, self.deleted_at, self.is_active)


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation of a file: checked whole, so that what is in it can be stored."""

    title: str
    messages: tuple[ReadMessage, ...]
    """Parents before their children."""
    custom_data: dict[str, Any]
    digest: bytes
    """SHA-256 of what it is recognised by: of its id, or of all its JSON, whatever the order of members."""
    has_id: bool = False
    """Whether it is recognised by its id: what comes under the same id again belongs to the same session."""
    names: Mapping[str, Any] = field(default_factory=dict)
    """Members that may name its user, beside those of `custom_data`."""
    description: str | None = None
    status: SessionStatus = SessionStatus.ACTIVE
    agent_id: str | None = None
    model: str | None = None
    provider: str | None = None
    tags: tuple[str, ...] = ()
    summary: str | None = None
    agent_states: tuple[PastAgentState, ...] = ()
    """Their ids are those of nothing yet."""
    created_at: datetime | None = None
    updated_at: datetime | None = None

    def to_create(self, session_id: SessionId) -> NewSession:
        """The session it becomes."""
        filed = NewMetadata(self.tags, self.custom_data, self.summary)
        named = self.title, self.description, self.agent_id, self.model, self.provider
        return NewSession(session_id, *named, self.status, filed)

    def check(self) -> None:
        """Raise ValidationError for a session that cannot be stored."""
        require_count(len(self.agent_states), "its states of agents", at_most=MOST_AGENTS)
        self.to_create(SessionId(ANY_ID)).check()


@dataclass(frozen=True, slots=True)
class ConversationKeys:
    """The client keys of one conversation: the same in every run, whatever the file is called and where it lies.

    They are made of what it is recognised by. Where that is all it says, also of its occurrence (1, 2 …) among those of
    the file that say the same: a file that holds a conversation twice gives two sessions, however often it is imported.
    What was understood of it (a title, a link to a result) is no part of them: a later release that understands more
    adds nothing twice.
    """

    conversation: Conversation
    occurrence: int

    @property
    def session(self) -> ClientKey:
        """Of the session."""
        return self._key("session")

    def message(self, index: int) -> ClientKey:
        """Of the message at `index`, counted from 0."""
        return self._key(self.conversation.messages[index].name)

    def call(self, index: int, position: int) -> ClientKey:
        """Of the tool call at `position`, counted from 0, of the message at `index`."""
        return self._key(f"{self.conversation.messages[index].name}.{position + 1}")

    def execution(self, index: int, position: int) -> ClientKey:
        """Of the execution of that call."""
        return self._key(f"{self.conversation.messages[index].name}.{position + 1}.execution")

    def attachment(self, index: int, attachment: ReadAttachment) -> ClientKey:
        """Of an attachment of the message at `index`."""
        return self._key(f"{self.conversation.messages[index].name}.attachment.{attachment.name}")

    def agent_state(self, state: PastAgentState) -> ClientKey:
        """Of what an agent keeps in the session."""
        return self._key(f"agentState.{sha256(state.new.agent_id.encode()).hexdigest()[:32]}")

    def all(self) -> Iterator[ClientKey]:
        """Every key, in the order in which the steps are taken."""
        yield self.session
        for state in self.conversation.agent_states:
            yield self.agent_state(state)
        for index, message in enumerate(self.conversation.messages):
            yield self.message(index)
            for position, call in enumerate(message.calls):
                yield self.call(index, position)
                if call.execution is not None:
                    yield self.execution(index, position)
            for attachment in message.attachments:
                yield self.attachment(index, attachment)

    def _key(self, place: str) -> ClientKey:
        digest = self.conversation.digest
        return ClientKey(f"import:{digest.hex()}:{self.occurrence}:{place}", digest)


@dataclass(frozen=True, slots=True)
class Ownership:
    """To whom the conversations of a file belong."""

    tenant: TenantId
    user: UserId
    user_field: str | None
    correlation: CorrelationId
    """One for the whole run, so that the audit trail shows what it did."""

    def __post_init__(self) -> None:
        """ValidationError for names that nobody can have."""
        _require_name(self.tenant, "--tenant")
        _require_name(self.user, "--user")

    def actor_of(self, conversation: Conversation) -> Actor:
        """The owner of a conversation; ValidationError when it names nobody."""
        if self.user_field is None:
            return local_actor(self.user, self.tenant, self.correlation)
        members = {**conversation.custom_data, **conversation.names}
        if self.user_field not in members:
            raise ValidationError(f"it has no member {self.user_field}, which was to name its user")
        named = members[self.user_field]
        _require_name(named, self.user_field)
        return local_actor(UserId(named), self.tenant, self.correlation)


def _require_name(value: object, field_name: str) -> None:
    if not isinstance(value, str) or not PRINTABLE_NAME.fullmatch(value):
        raise ValidationError(f"{field_name} must be a name of 1 to 128 characters without spaces and @")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A conversation that was not taken; nothing of it was stored."""

    line: int
    """Its number in the file, by the format's unit."""
    reason: str
    file: str = ""
    """Where there are several."""


@dataclass(slots=True)
class Stored:
    """How many were stored by this run, and how many had been before."""

    new: int = 0
    known: int = 0

    def count(self, *, is_new: bool) -> None:
        """One more."""
        if is_new:
            self.new += 1
        else:
            self.known += 1


@dataclass(slots=True)
class Totals:
    """What became of a file so far. Changed while the import runs."""

    read_bytes: int = 0
    conversations: Stored = field(default_factory=Stored)
    completed: int = 0
    """Conversations that an earlier run had left unfinished."""
    messages: Stored = field(default_factory=Stored)
    calls: Stored = field(default_factory=Stored)
    executions: Stored = field(default_factory=Stored)
    attachments: Stored = field(default_factory=Stored)
    refused: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    """The first MOST_REFUSALS_SHOWN; not by line where conversations are stored side by side."""
    unit: str = "line"
    """What refusals are counted by."""
    watch: Stopwatch = field(default_factory=Stopwatch)

    def count_conversation(self, *, created: bool, added: bool) -> None:
        """One more: `created` by this run, or `added` to, or neither."""
        if added and not created:
            self.completed += 1
        else:
            self.conversations.count(is_new=created)

    def refuse(self, line: int, reason: str, file: str = "") -> None:
        """One more that was not taken."""
        self.refused += 1
        if len(self.refusals) < MOST_REFUSALS_SHOWN:
            self.refusals.append(Refusal(line, reason, file))

    @property
    def conversations_done(self) -> int:
        """All that are in the database, whenever they came."""
        return self.conversations.new + self.conversations.known + self.completed

    @property
    def elapsed_seconds(self) -> float:
        """Since the import began."""
        return self.watch.elapsed_ms() / 1000

    @property
    def messages_per_second(self) -> float:
        """New ones."""
        return self.messages.new / max(self.elapsed_seconds, 0.001)
