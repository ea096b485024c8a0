"""From a file that has arrived to an attachment, and from an attachment to a download."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from app.attachments import repository, service
from app.attachments.content_types import content_type_of, contradicts
from app.attachments.errors import AttachmentNotFound, ContentTypeCorrected
from app.attachments.models import MessageAttachment
from app.attachments.service import AttachmentOutcome
from app.attachments.values import AttachmentId, NewAttachment, file_name
from app.core.actor import TenantId
from app.core.ids import global_id, new_id
from app.core.text import require_storable
from app.db.database import Database
from app.graph.context import Context
from app.graph.uploads import UploadedFile
from app.idempotency.values import ClientKey
from app.messages.models import ChatMessage
from app.messages.values import MessageId

STORED_AT_ONCE = 4
"""Files of one process that are wholly in memory, each up to three times on its way: 120 MiB, however many arrive."""

SLICE_BYTES = 256 * 1024
"""Of a download, read by one statement: large enough to cost little, and a client that is slow holds no more."""

OPERATION = "uploadAttachment"
"""What a client's key is bound to: an upload is the same by either way."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of an upload."""

    attachment: MessageAttachment
    deduplicated: bool
    warnings: tuple[ContentTypeCorrected, ...]


class AttachmentPipeline:
    """Stores files, few at a time."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(STORED_AT_ONCE)

    async def store(
        self, context: Context, message_id: MessageId, file: UploadedFile, name: str | None, key: str | None
    ) -> Stored:
        """Attach a file to a message: under `name`, or its own.

        ValidationError, MessageNotFound, MessageDeleted, TooManyAttachments, KeyReused.
        """
        shown = file_name(name if name is not None else file.file_name)
        bound = _bound(key, message_id, shown, file)
        async with self._turns:
            content = await file.content()
            found = await asyncio.to_thread(content_type_of, content)
            new = NewAttachment(AttachmentId(new_id()), message_id, shown, found, file.digest, content)
            outcome = await _add(context, new, bound)
        attachment = outcome.attachment
        assert attachment is not None  # noqa: S101 - only a deletion has none
        is_lie = contradicts(file.claimed_type, found)
        warnings = (ContentTypeCorrected(file.claimed_type, found),) if is_lie else ()
        return Stored(attachment, outcome.deduplicated, warnings)


def _bound(key: str | None, message_id: MessageId, name: str, file: UploadedFile) -> ClientKey | None:
    """The client's key with a digest of what it may be used for: the same bytes for the same message, so named."""
    if key is None:
        return None
    require_storable(key, "clientKey")
    message = global_id(ChatMessage.node_type, message_id)
    body = {"messageId": message, "fileName": name, "sha256": file.digest.hex()}
    return ClientKey.of(key, OPERATION, body)


async def _add(context: Context, new: NewAttachment, key: ClientKey | None) -> AttachmentOutcome:
    async with context.database.single_statement(replayable=key is not None) as uow:
        return await service.add(uow, context.actor, new, key)


async def slices(
    database: Database, tenant_id: TenantId, attachment_id: AttachmentId, wanted: range
) -> AsyncGenerator[bytes, None]:
    """The bytes of an attachment, each slice read when the one before it was taken; no connection is held between them.

    AttachmentNotFound when it is deleted meanwhile.
    """
    for start in range(wanted.start, wanted.stop, SLICE_BYTES):
        length = min(SLICE_BYTES, wanted.stop - start)
        async with database.read() as scope:
            found = await repository.slice_of(scope, tenant_id, attachment_id, start, length)
        if found is None or len(found) != length:
            raise AttachmentNotFound("id")
        yield found
