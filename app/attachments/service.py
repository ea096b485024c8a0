"""What can be done with an attachment. Callers hold a unit of work."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from app.attachments import repository
from app.attachments.errors import AttachmentNotFound, TooManyAttachments
from app.attachments.models import MessageAttachment
from app.attachments.values import AttachmentId, NewAttachment
from app.core.actor import Actor
from app.db.scopes import ReadScope, UnitOfWork
from app.idempotency.service import first_subject
from app.idempotency.values import ClientKey
from app.messages.errors import MessageDeleted, MessageNotFound
from app.messages.service import find_owned
from app.messages.values import MessageId


@dataclass(frozen=True, slots=True)
class AttachmentOutcome:
    """The attachment that was added or deleted, and whether the same request had done it before."""

    attachment: MessageAttachment | None
    """None only for a deletion that was made before."""
    deduplicated: bool = False


async def add(uow: UnitOfWork, actor: Actor, new: NewAttachment, key: ClientKey | None) -> AttachmentOutcome:
    """Attach a file to a message of the actor. MessageNotFound, MessageDeleted, TooManyAttachments, KeyReused."""
    return await _outcome(uow, actor, new, key, await repository.add(uow, actor, new, key))


async def take_over(
    uow: UnitOfWork, actor: Actor, new: NewAttachment, uploaded_at: datetime | None, key: ClientKey | None
) -> AttachmentOutcome:
    """Attach a file that was attached elsewhere, at a time of its own; its key lasts. Errors as of `add`."""
    return await _outcome(uow, actor, new, key, await repository.take_over(uow, actor, new, uploaded_at, key))


async def _outcome(
    uow: UnitOfWork, actor: Actor, new: NewAttachment, key: ClientKey | None, added: MessageAttachment | None
) -> AttachmentOutcome:
    if added is not None:
        return AttachmentOutcome(added)
    subject = await first_subject(uow, actor, key)
    if subject is not None:
        earlier = await repository.owned_attachment(uow, actor, AttachmentId(subject))
        if earlier is None:
            raise AttachmentNotFound("clientKey")
        return AttachmentOutcome(earlier, deduplicated=subject != new.id)
    await require_message(uow, actor, new.message_id)
    raise TooManyAttachments


async def require_message(scope: ReadScope, actor: Actor, message_id: MessageId) -> None:
    """MessageNotFound or MessageDeleted when nothing can be attached to a message."""
    message = await find_owned(scope, actor, message_id)
    if message is None:
        raise MessageNotFound
    if message.deleted_at is not None:
        raise MessageDeleted


async def delete(
    uow: UnitOfWork, actor: Actor, attachment_id: AttachmentId, key: ClientKey | None
) -> AttachmentOutcome:
    """Delete an attachment of the actor's. AttachmentNotFound, KeyReused."""
    found = await repository.owned_attachment(uow, actor, attachment_id)
    if found is not None:
        # An attachment stays with its message: the lock is taken by what was read before it.
        gone = await repository.remove(uow, actor, MessageId(found.message_id), attachment_id, key)
        if gone is not None:
            return AttachmentOutcome(gone)
    if await first_subject(uow, actor, key) is None:
        raise AttachmentNotFound
    return AttachmentOutcome(None, deduplicated=True)


async def owned_attachment(scope: ReadScope, actor: Actor, attachment_id: AttachmentId) -> MessageAttachment | None:
    """The attachment without its content, where its session is the actor's own."""
    return await repository.owned_attachment(scope, actor, attachment_id)


async def content_of(scope: ReadScope, actor: Actor, attachment: MessageAttachment) -> bytes | None:
    """The whole content of an attachment that was read before, by one statement; None when it is gone since."""
    attachment_id = AttachmentId(attachment.id)
    return await repository.slice_of(scope, actor.tenant_id, attachment_id, start=0, length=attachment.size)


async def copy(uow: UnitOfWork, actor: Actor, copies: Mapping[MessageId, MessageId]) -> None:
    """Give each new message copies of the attachments of an old one: `copies` are new ids by old ones.

    Part of a larger change: the caller has locked the sessions of both, which are the actor's, and tells of it.
    """
    await repository.copy(uow, actor, copies)
