"""The formats of files: how one is taken apart into conversations that are yet to be understood."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import IO, assert_never

from app.exchange import chatgpt, colloquy, openai_jsonl
from app.exchange.lines import lines_of
from app.exchange.members import members_of
from app.exchange.values import Conversation, ImportFormat


@dataclass(frozen=True, slots=True)
class Unread:
    """One conversation of a file, as its bytes are."""

    number: int
    """In its file, by the format's unit."""
    end_offset: int
    """Bytes of the file up to its end."""
    read: Callable[[], Conversation]
    """What is understood of it; ValidationError says why it cannot be taken."""


def conversations_of(file: IO[bytes], format_: ImportFormat) -> Iterator[Unread]:
    """Every conversation of a file, read when it is asked for; UnusableFile when reading fails."""
    match format_:
        case ImportFormat.OPENAI_JSONL:
            for line in lines_of(file):
                yield Unread(line.number, line.end_offset, partial(openai_jsonl.read_conversation, line))
        case ImportFormat.CHATGPT:
            for member in members_of(file, format_.unit):
                yield Unread(member.number, member.end_offset, partial(chatgpt.read_conversation, member))
        case ImportFormat.JSONL:
            for session in colloquy.sessions_of(file):
                yield Unread(session.number, session.end_offset, partial(colloquy.read_conversation, session))
        case _:
            assert_never(format_)
