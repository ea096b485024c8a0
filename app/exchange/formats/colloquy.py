"""A session of the lossless format: its lines gathered, understood, and checked whole before anything is stored."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from heapq import heapify, heappop, heappush
from typing import IO

from app.core.errors import ValidationError
from app.core.text import require_storable
from app.exchange.files.lines import Line, lines_of, parsed
from app.exchange.formats import records
from app.exchange.formats.attachments import COPIES_IN_MEMORY, Spool, Spooled, read_attachment
from app.exchange.formats.executions import executed
from app.exchange.formats.openai_jsonl import check_message
from app.exchange.formats.records import (
    ATTACHMENT,
    CALL,
    END,
    EXECUTION,
    SESSION,
    TYPES,
    VERSION,
    Numbered,
    Record,
    called,
    given,
    given_or_none,
    moment,
    one_of,
    read_agent_state,
    read_message,
)
from app.exchange.values import Conversation, ReadMessage
from app.sessions.values import PastAgentState, SessionStatus

LONGEST_SESSION_BYTES = 256 * 1024 * 1024
"""Of its lines, save those of attachments, which are not in memory."""


@dataclass(slots=True)
class Gathered:
    """The lines of one session."""

    number: int
    """Of the first."""
    lines: list[Line | Spooled] = field(default_factory=list)
    text_bytes: int = 0
    """Of its lines, save those of attachments."""
    end_offset: int = 0
    """Bytes of the file up to its end."""
    spool: Spool = field(default_factory=Spool)
    """Where attachments wait. Whoever has the session closes it."""

    def add(self, line: Line) -> None:
        """One more line; beyond the bound none is kept but the first."""
        self.end_offset = line.end_offset
        if self.lines and _is(line, ATTACHMENT):
            if not self.is_too_long:
                self.lines.append(self.spool.keep(line))
            return
        self.text_bytes += len(line.text)
        if not self.is_too_long or not self.lines:
            self.lines.append(line)

    @property
    def is_too_long(self) -> bool:
        """Whether it has more than LONGEST_SESSION_BYTES."""
        return self.text_bytes > LONGEST_SESSION_BYTES

    @property
    def held_bytes(self) -> int:
        """What is in memory of it while it is stored."""
        return min(self.text_bytes, LONGEST_SESSION_BYTES) + COPIES_IN_MEMORY * self.spool.longest


def sessions_of(file: IO[bytes]) -> Iterator[Gathered]:
    """The lines of each session. A line begins one where it says so, or where the one before has ended."""
    session: Gathered | None = None
    try:
        for line in lines_of(file):
            if session is not None and _is(line, SESSION):
                done, session = session, None
                yield done
            session = session or Gathered(line.number)
            session.add(line)
            if _is(line, END):
                done, session = session, None
                yield done
    except BaseException:
        if session is not None:
            session.spool.close()
        raise
    if session is not None:
        yield session


def _is(line: Line, kind: str) -> bool:
    """Whether a line is of a type, by its beginning: that is where `type` stands."""
    return line.text[:64].replace(b" ", b"", 2).startswith(f'{{"type":"{kind}"'.encode())


def read_conversation(found: Gathered) -> Conversation:
    """The conversation of a session's lines; ValidationError says what cannot be taken, naming the line."""
    first, *others = found.lines
    if found.is_too_long:
        raise ValidationError(f"the session is longer than {LONGEST_SESSION_BYTES:,} bytes")
    head = _record(first)
    if head["type"] != SESSION:
        raise ValidationError("it must begin with a line of type session")
    version = given(head, "version", int)
    if not 1 <= version <= VERSION:
        raise ValidationError(f"version must be 1 to {VERSION}: another release of colloquy wrote it")
    reading = _Reading()
    for line in others:
        try:
            reading.take(_record(line), line)
        except ValidationError as error:
            number = line.line.number if isinstance(line, Spooled) else line.number
            raise ValidationError(f"in line {number}: {error.message}") from None
    if not reading.is_whole:
        raise ValidationError("it ends without a line of type end, the file may have been cut off")
    messages = _placed(reading.messages, given_or_none(head, "activeLeaf", int))
    return _conversation(head, messages, tuple(reading.states))


@dataclass(slots=True)
class _Reading:
    """What the lines of a session said so far."""

    states: list[PastAgentState] = field(default_factory=list)
    messages: list[Numbered] = field(default_factory=list)
    is_whole: bool = False

    def take(self, record: Record, line: Line | Spooled) -> None:
        """Add what a line says; ValidationError."""
        match record["type"]:
            case records.AGENT_STATE:
                self._add_state(record)
            case records.MESSAGE:
                self.messages.append(_next(record, len(self.messages) + 1))
            case records.END:
                if record.get("messages") != len(self.messages):
                    raise ValidationError(f"messages must be {len(self.messages)}: some are missing")
                self.is_whole = True
            case type_ if type_ in (CALL, EXECUTION, ATTACHMENT):
                if not self.messages or record.get("message") != self.messages[-1].number:
                    raise ValidationError("message must be the number of the message before it")
                last = self.messages[-1]
                self.messages[-1] = replace(last, message=_attached(last.message, record, line))
            case _:
                raise ValidationError(f"type must be {', '.join(TYPES[1:])}")

    def _add_state(self, record: Record) -> None:
        state = read_agent_state(record)
        if any(state.new.agent_id == other.new.agent_id for other in self.states):
            raise ValidationError("agentId must be that of no agent before it")
        self.states.append(state)


def _attached(message: ReadMessage, record: Record, line: Line | Spooled) -> ReadMessage:
    """A message with one more thing that hangs on it."""
    if record["type"] == CALL:
        return called(message, record)
    if record["type"] == EXECUTION:
        return executed(message, record)
    if not isinstance(line, Spooled):
        raise ValidationError("type must be the first member of the line")
    attachment = read_attachment(record, line)
    if attachment is None:
        return message
    if any(attachment.name == other.name for other in message.attachments):
        raise ValidationError("id is that of an attachment before it")
    return replace(message, attachments=(*message.attachments, attachment))


def _conversation(head: Record, messages: tuple[ReadMessage, ...], states: tuple[PastAgentState, ...]) -> Conversation:
    tags = given_or_none(head, "tags", list) or []
    if not all(isinstance(tag, str) for tag in tags):
        raise ValidationError("tags must be strings")
    conversation = Conversation(
        given(head, "title", str),
        messages,
        given_or_none(head, "customData", dict) or {},
        sha256(f"colloquy:{given(head, 'id', str)}".encode()).digest(),
        has_id=True,
        names={name: head[name] for name in ("userId", "tenantId") if name in head},
        description=given_or_none(head, "description", str),
        status=SessionStatus(one_of(head, "status", list(SessionStatus), SessionStatus.ACTIVE)),
        agent_id=given_or_none(head, "agentId", str),
        model=given_or_none(head, "model", str),
        provider=given_or_none(head, "provider", str),
        tags=tuple(tags),
        summary=given_or_none(head, "summary", str),
        agent_states=states,
        created_at=moment(head, "createdAt"),
        updated_at=moment(head, "updatedAt"),
    )
    conversation.check()
    return conversation


def _next(record: Record, number: int) -> Numbered:
    found = read_message(record)
    if found.number != number:
        raise ValidationError(f"sequenceNumber must be {number}, the next in the session")
    return found


def _placed(messages: list[Numbered], leaf: int | None) -> tuple[ReadMessage, ...]:
    """The messages in their tree, parents first, and on which of them the session goes on."""
    if leaf is not None and not 1 <= leaf <= len(messages):
        raise ValidationError("activeLeaf must be the number of a message")
    ordered = list(_parents_first(messages))
    active: set[int] = set()
    number = leaf
    while number is not None:
        active.add(number)
        number = messages[number - 1].parent
    index = {found.number: place for place, found in enumerate(ordered)}
    placed, names = [], set()
    for found in ordered:
        parent = None if found.parent is None else index[found.parent]
        # In the place of an id of any length.
        name = sha256(found.message.name.encode()).hexdigest()[:32]
        if name in names:
            raise ValidationError(f"message {found.number}.id is that of a message before it")
        names.add(name)
        message = replace(found.message, name=name, parent=parent, is_active=found.number in active)
        check_message(message, f"message {found.number}", CALL)
        placed.append(message)
    return tuple(placed)


def _parents_first(messages: list[Numbered]) -> Iterator[Numbered]:
    """By their numbers, save one that answers a message with a higher number: it comes after that."""
    answers: dict[int | None, list[int]] = defaultdict(list)
    for found in messages:
        if found.parent is not None and not 1 <= found.parent <= len(messages):
            raise ValidationError(f"message {found.number}.parent must be the number of a message")
        answers[found.parent].append(found.number)
    ready = answers[None][:]
    heapify(ready)
    reached = 0
    while ready:
        number = heappop(ready)
        reached += 1
        yield messages[number - 1]
        for answer in answers[number]:
            heappush(ready, answer)
    if reached < len(messages):
        raise ValidationError("a message answers itself: parents go round in a circle")


def _record(line: Line | Spooled) -> Record:
    found = parsed(line.whole() if isinstance(line, Spooled) else line, names_once=True)
    if not isinstance(found, dict) or not isinstance(found.get("type"), str):
        raise ValidationError("it must be an object with a type")
    for name, value in found.items():
        require_storable(name, "it (a key)")
        require_storable(value, name)
    return found
