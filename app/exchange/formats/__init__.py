"""The formats of files: how one is taken apart into conversations that are yet to be understood."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import IO, assert_never

from app.exchange.errors import UnusableFile
from app.exchange.files.lines import lines_of
from app.exchange.files.members import members_of
from app.exchange.formats import chatgpt, colloquy, openai_jsonl
from app.exchange.formats.names import ImportFormat
from app.exchange.values import Conversation


def _nothing() -> None:
    """Of what is in memory alone."""


@dataclass(frozen=True, slots=True)
class Unread:
    """One conversation of a file, as its bytes are."""

    number: int
    """In its file, by the format's unit."""
    end_offset: int
    """Bytes of the file up to its end."""
    held_bytes: int
    """How much of it is in memory, as it is and while it is stored."""
    read: Callable[[], Conversation]
    """What is understood of it; ValidationError says why it cannot be taken."""
    close: Callable[[], None] = _nothing
    """Give up what it holds, once it was stored or refused."""


def conversations_of(file: IO[bytes], format_: ImportFormat) -> Iterator[Unread]:
    """Every conversation of a file, read when it is asked for; UnusableFile when reading fails."""
    match format_:
        case ImportFormat.OPENAI_JSONL:
            for line in lines_of(file):
                read = partial(openai_jsonl.read_conversation, line)
                yield Unread(line.number, line.end_offset, len(line.text), read)
        case ImportFormat.CHATGPT:
            for member in members_of(file, format_.unit):
                read = partial(chatgpt.read_conversation, member)
                yield Unread(member.number, member.end_offset, len(member.text), read)
        case ImportFormat.JSONL:
            for session in colloquy.sessions_of(file):
                read = partial(colloquy.read_conversation, session)
                yield Unread(session.number, session.end_offset, session.held_bytes, read, session.spool.close)
        case ImportFormat.PROMPTS:
            raise UnusableFile(getattr(file, "name", "the file"), "prompts are no conversations")
        case _:
            assert_never(format_)
