"""A session of the lossless format: its lines gathered, understood, and checked whole before anything is stored."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import IO

from app.core.errors import ValidationError
from app.core.text import require_storable
from app.exchange.lines import Line, lines_of, parsed
from app.exchange.openai_jsonl import check_message
from app.exchange.records import (
    END,
    KINDS,
    MESSAGE,
    SESSION,
    VERSION,
    Numbered,
    Record,
    given,
    given_or_none,
    moment,
    one_of,
    read_message,
)
from app.exchange.values import Conversation, ReadMessage
from app.sessions.values import SessionStatus

LONGEST_SESSION_BYTES = 256 * 1024 * 1024
"""Of its lines. As many are in memory as are stored side by side."""

_KINDS = {kind.type: kind for kind in KINDS}


@dataclass(frozen=True, slots=True)
class Gathered:
    """The lines of one session."""

    number: int
    """Of the first."""
    lines: tuple[Line, ...]
    is_too_long: bool

    @property
    def end_offset(self) -> int:
        """Bytes of the file up to its end."""
        return self.lines[-1].end_offset


def sessions_of(file: IO[bytes]) -> Iterator[Gathered]:
    """The lines of each session. A line begins one where it says so, or where the one before has ended."""
    lines: list[Line] = []
    size, too_long = 0, False
    for line in lines_of(file):
        if lines and _is(line, SESSION):
            yield Gathered(lines[0].number, tuple(lines), too_long)
            lines, size, too_long = [], 0, False
        size += len(line.text)
        too_long |= size > LONGEST_SESSION_BYTES
        if not too_long or not lines:
            lines.append(line)
        if _is(line, END):
            yield Gathered(lines[0].number, tuple(lines), too_long)
            lines, size, too_long = [], 0, False
    if lines:
        yield Gathered(lines[0].number, tuple(lines), too_long)


def _is(line: Line, kind: str) -> bool:
    """Whether a line is of a type, by its beginning: that is where `type` stands."""
    return line.text.replace(b" ", b"", 2).startswith(f'{{"type":"{kind}"'.encode())


def read_conversation(found: Gathered) -> Conversation:
    """The conversation of a session's lines; ValidationError says what cannot be taken, naming the line."""
    first, *others = found.lines
    if found.is_too_long:
        raise ValidationError(f"the session is longer than {LONGEST_SESSION_BYTES:,} bytes")
    head = _record(first)
    if head["type"] != SESSION:
        raise ValidationError("it must begin with a line of type session")
    if head.get("version") != VERSION:
        raise ValidationError(f"version must be {VERSION}: another release of colloquy wrote it")
    messages: list[Numbered] = []
    is_whole = False
    for line in others:
        try:
            is_whole = _take(_record(line), messages)
        except ValidationError as error:
            raise ValidationError(f"in line {line.number}: {error.message}") from None
    if not is_whole:
        raise ValidationError("it ends without a line of type end, the file may have been cut off")
    return _conversation(head, _placed(messages, given_or_none(head, "activeLeaf", int)))


def _take(record: Record, messages: list[Numbered]) -> bool:
    """Add what a line says to the messages before it; whether it ends them."""
    match record["type"]:
        case "message":
            messages.append(_next(record, len(messages) + 1))
        case "end":
            if record.get("messages") != len(messages):
                raise ValidationError(f"messages must be {len(messages)}: some are missing")
            return True
        case _:
            messages[-1:] = [_attached(record, messages)]
    return False


def _conversation(head: Record, messages: tuple[ReadMessage, ...]) -> Conversation:
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
        created_at=moment(head, "createdAt"),
        updated_at=moment(head, "updatedAt"),
    )
    conversation.check()
    return conversation


def _next(record: Record, number: int) -> Numbered:
    found = read_message(record)
    if found.number != number:
        raise ValidationError(f"sequenceNumber must be {number}, the next in the session")
    if found.parent is not None and not 1 <= found.parent < number:
        raise ValidationError("parent must be the number of a message before it")
    return found


def _attached(record: Record, messages: list[Numbered]) -> Numbered:
    kind = _KINDS.get(record["type"])
    if kind is None:
        raise ValidationError(f"type must be {', '.join([MESSAGE, *_KINDS, END])}")
    if not messages or record.get("message") != messages[-1].number:
        raise ValidationError("message must be the number of the message before it")
    found = messages[-1]
    return replace(found, message=kind.attached(found.message, record))


def _placed(messages: list[Numbered], leaf: int | None) -> tuple[ReadMessage, ...]:
    """The messages in their tree, and on which of them the session goes on."""
    if leaf is not None and not 1 <= leaf <= len(messages):
        raise ValidationError("activeLeaf must be the number of a message")
    active: set[int] = set()
    number = leaf
    while number is not None:
        active.add(number)
        number = messages[number - 1].parent
    placed, names = [], set()
    for found in messages:
        parent = None if found.parent is None else found.parent - 1
        # In the place of an id of any length.
        name = sha256(found.message.name.encode()).hexdigest()[:32]
        if name in names:
            raise ValidationError(f"message {found.number}.id is that of a message before it")
        names.add(name)
        message = replace(found.message, name=name, parent=parent, is_active=found.number in active)
        check_message(message, f"message {found.number}", "toolCall")
        placed.append(message)
    return tuple(placed)


def _record(line: Line) -> Record:
    found = parsed(line, names_once=True)
    if not isinstance(found, dict) or not isinstance(found.get("type"), str):
        raise ValidationError("it must be an object with a type")
    for name, value in found.items():
        require_storable(name, "it (a key)")
        require_storable(value, name)
    return found
