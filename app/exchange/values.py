"""A conversation as it was read, where it goes, and what became of a file."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from app.core.actor import Actor, CorrelationId, TenantId, UserId
from app.core.clock import Stopwatch
from app.core.errors import ValidationError
from app.idempotency.values import ClientKey
from app.identity.service import local_actor
from app.identity.values import PRINTABLE_NAME
from app.messages.values import Draft, MessageId, MessageRole
from app.sessions.values import NewMetadata, NewSession, SessionId
from app.tools.values import NewToolCall, ToolCallId

MOST_REFUSALS_SHOWN = 20
"""A file in another format has one for every line: the first few tell what is wrong, the count how much."""


class ImportFormat(StrEnum):
    """How a file is written."""

    OPENAI_JSONL = "openai-jsonl"


@dataclass(frozen=True, slots=True)
class ReadCall:
    """A tool call as it was read, with what the tool answered later in the conversation."""

    name: str
    arguments: str
    call_id: str | None
    result: str | None = None
    """None while no message answers it; the answer may be an empty text."""

    def to_add(self, tool_call_id: ToolCallId, message_id: MessageId) -> NewToolCall:
        """The call of a stored message."""
        return NewToolCall(
            tool_call_id,
            message_id,
            self.name,
            self.arguments,
            self.call_id,
            self.result,
            success=None if self.result is None else True,
        )


@dataclass(frozen=True, slots=True)
class ReadMessage:
    """One message as it was read."""

    role: MessageRole
    content: str
    metadata: dict[str, Any]
    """Members that have no place of their own in a message: a speaker's name, a refusal."""
    tool_call_id: str | None = None
    calls: tuple[ReadCall, ...] = ()

    def to_append(self, session_id: SessionId, parent_message_id: MessageId | None) -> Draft:
        """The next message of a stored session."""
        return Draft(
            session_id,
            self.role,
            self.content,
            parent_message_id,
            metadata=self.metadata,
            tool_call_id=self.tool_call_id,
            calls_tools=bool(self.calls),
        )


@dataclass(frozen=True, slots=True)
class Conversation:
    """One line of a file: checked whole, so that what is in it can be stored."""

    title: str
    messages: tuple[ReadMessage, ...]
    custom_data: dict[str, Any]
    digest: bytes
    """SHA-256 of its JSON, whatever the order of members and the spaces between them."""

    def to_create(self, session_id: SessionId) -> NewSession:
        """The session it becomes."""
        return NewSession(session_id, self.title, metadata=NewMetadata(custom_data=self.custom_data))


@dataclass(frozen=True, slots=True)
class ConversationKeys:
    """The client keys of one conversation: the same in every run, whatever the file is called and where it lies.

    They are made of what the line says, and of its occurrence (1, 2 …) among the lines of the file that say the same:
    a file that holds a conversation twice gives two sessions, however often it is imported. What was understood of the
    line (a title, a link to a result) is no part of them: a later release that understands more adds nothing twice.
    """

    conversation: Conversation
    occurrence: int

    @property
    def session(self) -> ClientKey:
        """Of the session."""
        return self._key("session")

    def message(self, index: int) -> ClientKey:
        """Of the message at `index`, counted from 0."""
        return self._key(f"{index + 1}")

    def call(self, index: int, position: int) -> ClientKey:
        """Of the tool call at `position`, counted from 0, of the message at `index`."""
        return self._key(f"{index + 1}.{position + 1}")

    def all(self) -> Iterator[ClientKey]:
        """Every key, in the order in which the steps are taken."""
        yield self.session
        for index, message in enumerate(self.conversation.messages):
            yield self.message(index)
            for position in range(len(message.calls)):
                yield self.call(index, position)

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
        if self.user_field not in conversation.custom_data:
            raise ValidationError(f"it has no member {self.user_field}, which was to name its user")
        named = conversation.custom_data[self.user_field]
        _require_name(named, self.user_field)
        return local_actor(UserId(named), self.tenant, self.correlation)


def _require_name(value: object, field_name: str) -> None:
    if not isinstance(value, str) or not PRINTABLE_NAME.fullmatch(value):
        raise ValidationError(f"{field_name} must be a name of 1 to 128 characters without spaces and @")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that was not taken; nothing of it was stored."""

    line: int
    reason: str


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
    refused: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    """The first MOST_REFUSALS_SHOWN; not by line where conversations are stored side by side."""
    watch: Stopwatch = field(default_factory=Stopwatch)

    def count_conversation(self, *, created: bool, added: bool) -> None:
        """One more: `created` by this run, or `added` to, or neither."""
        if added and not created:
            self.completed += 1
        else:
            self.conversations.count(is_new=created)

    def refuse(self, line: int, reason: str) -> None:
        """One more line that was not taken."""
        self.refused += 1
        if len(self.refusals) < MOST_REFUSALS_SHOWN:
            self.refusals.append(Refusal(line, reason))

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
