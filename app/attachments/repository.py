"""Every statement that writes attachments, and those that read their content."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    Integer,
    LargeBinary,
    Text,
    Uuid,
    any_,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)

from app.attachments.fragments import attachments, described
from app.attachments.models import MessageAttachment
from app.attachments.values import MOST_ATTACHMENTS, AttachmentId, NewAttachment
from app.core.actor import Actor, TenantId
from app.core.ids import global_id, new_id
from app.db.scopes import ReadScope, UnitOfWork
from app.db.statement import Command, Query, param, past
from app.events.fragments import event, event_parameters
from app.events.values import EventKind
from app.idempotency.fragments import gate, gate_parameters, passed
from app.idempotency.values import ClientKey
from app.messages.fragments import held, locked_message, messages, of_session, session_of
from app.messages.models import ChatMessage
from app.messages.values import MessageId
from app.sessions.fragments import owned, sessions, touched


def _described(changed: CTE, session: CTE) -> list[Any]:
    in_session = select(session.c.id).scalar_subquery().label("session_id")
    return [*(changed.c[column.name] for column in described), in_session]


def _counted(session: CTE, message: CTE, change: int) -> CTE:
    return (
        update(messages)
        .where(messages.c.tenant_id == session.c.tenant_id, messages.c.id == message.c.id)
        .values(attachment_count=messages.c.attachment_count + change)
        .returning(messages.c.id)
        .cte("counted")
    )


def _add(taken_over: bool) -> Command[MessageAttachment]:
    """Gate, message, attachment and event in one statement: the content crosses the wire once.

    Of one that was attached elsewhere, the time is given, the session is no younger for it, and its key lasts.
    """
    locked = locked_message()
    message = held(locked, locked.c.attachment_count < MOST_ATTACHMENTS)
    through = gate(exists(select(message.c.id)), lasting=taken_over)
    changes = {"updated_at": sessions.c.updated_at} if taken_over else None
    session = touched(session_of(message), passed(through), changes=changes)
    counted = _counted(session, message, 1)
    row: dict[str, Any] = {
        "tenant_id": session.c.tenant_id,
        "id": param("attachment_id", Uuid),
        "message_id": counted.c.id,
        "file_name": param("file_name", Text),
        "content_type": param("content_type", Text),
        "size": param("size", BigInteger),
        "sha256": param("sha256", LargeBinary),
        "data": param("data", LargeBinary),
        "uploaded_at": past("uploaded_at") if taken_over else session.c.updated_at,
    }
    added = insert(attachments).from_select(list(row), select(*row.values())).returning(*described).cte("attachment")
    at = func.statement_timestamp() if taken_over else None
    written = event(EventKind.ATTACHMENT_ADDED, stream=session, at=at)
    return Command(MessageAttachment, select(*_described(added, session)).add_cte(written))


def _remove() -> Command[MessageAttachment]:
    message = held(locked_message())
    # Locked, and so read in its newest version: of two deletions at once the second finds nothing.
    doomed = (
        select(attachments.c.tenant_id, attachments.c.id)
        .where(
            attachments.c.tenant_id == param("tenant_id"),
            attachments.c.id == param("attachment_id", Uuid),
            (attachments.c.message_id == select(message.c.id).scalar_subquery()).is_(True),
        )
        .with_for_update()
        .cte("doomed")
    )
    is_there = exists(select(doomed.c.id))
    through = gate(is_there)
    session = touched(session_of(message), is_there, passed(through))
    counted = _counted(session, message, -1)
    gone = (
        delete(attachments)
        .where(
            attachments.c.tenant_id == param("tenant_id"),
            attachments.c.id == doomed.c.id,
            attachments.c.message_id == counted.c.id,
        )
        .returning(*described)
        .cte("attachment")
    )
    written = event(EventKind.ATTACHMENT_DELETED, stream=session)
    return Command(MessageAttachment, select(*_described(gone, session)).add_cte(written))


_ADD = _add(taken_over=False)
_TAKE_OVER = _add(taken_over=True)
_REMOVE = _remove()

_OWNED = Query(
    MessageAttachment,
    select(*described)
    .join(messages, (messages.c.tenant_id == attachments.c.tenant_id) & (messages.c.id == attachments.c.message_id))
    .where(
        attachments.c.tenant_id == param("tenant_id"),
        attachments.c.id == param("attachment_id", Uuid),
        of_session(owned()),
    ),
)

_SLICE = Query(
    bytes,
    select(func.substring(attachments.c.data, param("start", Integer), param("length", Integer)).label("slice")).where(
        attachments.c.tenant_id == param("tenant_id"), attachments.c.id == param("attachment_id", Uuid)
    ),
)


class _Place(NamedTuple):
    id: UUID
    message_id: UUID


_PLACES = Query(
    _Place,
    select(attachments.c.id, attachments.c.message_id)
    .where(attachments.c.tenant_id == param("tenant_id"), attachments.c.message_id == any_(param("ids", ARRAY(Uuid))))
    .order_by(attachments.c.message_id, attachments.c.id),
)


def _copy() -> Command[int]:
    copies = (
        func.unnest(param("ids", ARRAY(Uuid)), param("new_ids", ARRAY(Uuid)), param("new_message_ids", ARRAY(Uuid)))
        .table_valued("id", "new_id", "new_message_id")
        .render_derived("copies")
    )
    changed = {"id": copies.c.new_id, "message_id": copies.c.new_message_id}
    row = {column.name: changed.get(column.name, column) for column in attachments.c}
    copied = (
        insert(attachments)
        .from_select(
            list(row),
            select(*row.values())
            .join(copies, attachments.c.id == copies.c.id)
            .where(attachments.c.tenant_id == param("tenant_id")),
        )
        .returning(attachments.c.message_id)
        .cte("copied")
    )
    counts = select(copied.c.message_id, func.count().label("count")).group_by(copied.c.message_id).cte("counts")
    counted = (
        update(messages)
        .where(messages.c.tenant_id == param("tenant_id"), messages.c.id == counts.c.message_id)
        .values(attachment_count=counts.c.count)
        .returning(messages.c.id)
        .cte("counted")
    )
    return Command(int, select(func.count().label("messages")).select_from(counted))


_COPY = _copy()


async def add(uow: UnitOfWork, actor: Actor, new: NewAttachment, key: ClientKey | None) -> MessageAttachment | None:
    """Attach a file to a message, with its count and event.

    None, and nothing stored, when there is no such message of the actor's, it is deleted or full, or the key was used
    before. The session's row is locked, then the message's.
    """
    added = await uow.run_one(_ADD, **_adding(actor, new, key))
    return _announced(uow, added)


async def take_over(
    uow: UnitOfWork, actor: Actor, new: NewAttachment, uploaded_at: datetime | None, key: ClientKey | None
) -> MessageAttachment | None:
    """The same for a file that was attached elsewhere; of its time, None is now."""
    added = await uow.run_one(_TAKE_OVER, uploaded_at=uploaded_at, **_adding(actor, new, key))
    return _announced(uow, added)


def _adding(actor: Actor, new: NewAttachment, key: ClientKey | None) -> dict[str, object]:
    facts = _facts(new.message_id, new.id) | {"contentType": new.content_type, "size": len(new.content)}
    return {
        "attachment_id": new.id,
        "message_id": new.message_id,
        "file_name": new.file_name,
        "content_type": new.content_type,
        "size": len(new.content),
        "sha256": new.digest,
        "data": new.content,
        **actor.as_owner(),
        **gate_parameters(key, new.id),
        **event_parameters(actor, facts),
    }


async def remove(
    uow: UnitOfWork, actor: Actor, message_id: MessageId, attachment_id: AttachmentId, key: ClientKey | None
) -> MessageAttachment | None:
    """Delete an attachment of a message; None, and nothing changed, when it is not there or the key was used before."""
    gone = await uow.run_one(
        _REMOVE,
        attachment_id=attachment_id,
        message_id=message_id,
        **actor.as_owner(),
        **gate_parameters(key, attachment_id),
        **event_parameters(actor, _facts(message_id, attachment_id)),
    )
    return _announced(uow, gone)


async def owned_attachment(scope: ReadScope, actor: Actor, attachment_id: AttachmentId) -> MessageAttachment | None:
    """The attachment, where its session is the actor's."""
    return await scope.first(_OWNED, attachment_id=attachment_id, **actor.as_owner())


async def slice_of(
    scope: ReadScope, tenant_id: TenantId, attachment_id: AttachmentId, start: int, length: int
) -> bytes | None:
    """`length` bytes of the content from `start`, the first of which is 0; None when the attachment is gone."""
    return await scope.first(_SLICE, tenant_id=tenant_id, attachment_id=attachment_id, start=start + 1, length=length)


async def copy(uow: UnitOfWork, actor: Actor, copies: Mapping[MessageId, MessageId]) -> None:
    """Give messages copies of the attachments of others, by the ids of these, and count them.

    Of messages in sessions that are known to be the actor's and locked; one read, and one write where there are any.
    """
    found = await uow.all(_PLACES, tenant_id=actor.tenant_id, ids=list(copies))
    if found:
        await uow.run(
            _COPY,
            tenant_id=actor.tenant_id,
            ids=[place.id for place in found],
            new_ids=[new_id() for _ in found],
            new_message_ids=[copies[MessageId(place.message_id)] for place in found],
        )


def _announced(uow: UnitOfWork, changed: MessageAttachment | None) -> MessageAttachment | None:
    if changed is not None:
        uow.announce(changed.session_id)
    return changed


def _facts(message_id: MessageId, attachment_id: AttachmentId) -> dict[str, object]:
    return {
        "messageId": global_id(ChatMessage.node_type, message_id),
        "attachmentId": global_id(MessageAttachment.node_type, attachment_id),
    }
