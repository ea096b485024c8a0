"""Ids, names and bounds of attachments."""

import re
import unicodedata
from dataclasses import dataclass
from typing import NewType
from uuid import UUID

from app.core.text import require_length
from app.messages.values import MessageId

AttachmentId = NewType("AttachmentId", UUID)

LONGEST_NAME = 255
MOST_ATTACHMENTS = 32
"""Of one message: more than a person attaches, and a list that needs no pages."""

NAMELESS = "attachment"
"""What a file is called that came without a name, or with one that says nothing."""

_TURNS_TEXT = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Marks that turn the direction of text: with them `gpj.exe` is shown as `exe.jpg`."""


@dataclass(frozen=True, slots=True)
class NewAttachment:
    """A file that is about to be attached, with all that is known of it."""

    id: AttachmentId
    message_id: MessageId
    file_name: str
    content_type: str
    digest: bytes
    content: bytes


def file_name(given: str | None) -> str:
    """The name of a file, without the folders before it and characters that no name has, in any script.

    ValidationError naming `fileName` when it is too long.
    """
    last = re.split(r"[/\\]", given or "")[-1]
    shown = "".join(character for character in last if unicodedata.category(character) not in ("Cc", "Cs"))
    name = unicodedata.normalize("NFC", _TURNS_TEXT.sub("", shown)).strip()
    require_length(name, "fileName", at_most=LONGEST_NAME)
    return name if name.strip(".") else NAMELESS
