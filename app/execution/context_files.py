"""The text of a context file, in parts that a message can carry."""

from collections.abc import Iterator
from typing import Any

from app.attachments.models import MessageAttachment
from app.attachments.service import content_of, owned_attachment
from app.attachments.values import AttachmentId
from app.core.actor import Actor
from app.core.errors import ValidationError
from app.core.ids import parse_uuid, split_global_id
from app.core.text import LARGEST_JSON_BYTES, require_json_size, storable
from app.db.scopes import ReadScope
from app.execution.errors import ContextFileNotFound
from app.messages.values import MOST_CONTEXT_ITEMS, ContextItems

PLACE = "contextFileId"

LONGEST_PART = 8_000
"""Characters: some pages. A hundred parts are more than what a message carries of context in all."""


async def context_of(scope: ReadScope, actor: Actor, file_id: str | None) -> ContextItems:
    """What a message carries of a context file: its text, where it is an attachment of the actor's.

    Any other id names a file that is kept elsewhere, and is recorded alone. ContextFileNotFound; ValidationError for
    what is no text, or too long.
    """
    attachment_id = _attachment_id(file_id)
    if attachment_id is None:
        return ContextItems()
    attachment = await owned_attachment(scope, actor, attachment_id)
    if attachment is None:
        raise ContextFileNotFound
    chunks = chunks_of(attachment.file_name, await _text_of(scope, actor, attachment))
    items = ContextItems(document_chunks=chunks)
    if len(chunks) > MOST_CONTEXT_ITEMS:
        raise _too_long(attachment)
    require_json_size(items.as_json(), PLACE)
    return items


def chunks_of(source: str, text: str) -> list[dict[str, Any]]:
    """A text as a message carries it in its context, in parts of at most LONGEST_PART characters."""
    parts = list(_parts(text))
    return [
        {"source": source, "part": number, "parts": len(parts), "text": part} for number, part in enumerate(parts, 1)
    ]


def _attachment_id(file_id: str | None) -> AttachmentId | None:
    """The attachment that is named; None for anything else, which is the application's own."""
    try:
        type_name, key = split_global_id(file_id or "")
        return AttachmentId(parse_uuid(key)) if type_name == MessageAttachment.node_type else None
    except ValidationError:
        return None


async def _text_of(scope: ReadScope, actor: Actor, attachment: MessageAttachment) -> str:
    # What it is was found by its content when it came.
    if not (attachment.content_type.startswith("text/") or attachment.content_type == "application/json"):
        raise ValidationError(
            f"the attachment is {attachment.content_type}, which is no text",
            field=PLACE,
            hint="attach its text, or name a file that is kept elsewhere",
        )
    if attachment.size > LARGEST_JSON_BYTES:
        raise _too_long(attachment)
    content = await content_of(scope, actor, attachment)
    if content is None:
        raise ContextFileNotFound
    return storable(content.decode(errors="replace")).removeprefix("\ufeff")


def _parts(text: str) -> Iterator[str]:
    """A text in parts of at most LONGEST_PART characters, cut at the end of a line or a word where there is one."""
    start = 0
    while start < len(text):
        end = min(start + LONGEST_PART, len(text))
        if end < len(text):
            cut = max(text.rfind("\n", start, end), 0) or max(text.rfind(" ", start, end), 0)
            end = cut + 1 if cut > start + LONGEST_PART // 2 else end
        yield text[start:end]
        start = end


def _too_long(attachment: MessageAttachment) -> ValidationError:
    return ValidationError(
        f"the attachment has {attachment.size:,} bytes; at most {LARGEST_JSON_BYTES:,} of text go with a message",
        field=PLACE,
        hint="attach the part of it that matters",
    )
