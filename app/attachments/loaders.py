"""Batched reads of attachments, never of their content."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import ARRAY, Uuid, any_, select

from app.attachments.fragments import attachments, described
from app.attachments.models import MessageAttachment
from app.attachments.values import AttachmentId
from app.core.actor import Actor
from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.graph.loading import Loader
from app.messages.fragments import messages, of_session
from app.messages.values import MessageId
from app.sessions.fragments import readable

_BY_IDS = Query(
    MessageAttachment,
    select(*described)
    .join(
        messages,
        (messages.c.tenant_id == attachments.c.tenant_id) & (messages.c.id == attachments.c.message_id),
    )
    .where(
        attachments.c.tenant_id == param("tenant_id"),
        attachments.c.id == any_(param("ids", ARRAY(Uuid))),
        of_session(readable()),
    ),
)

_OF_MESSAGES = Query(
    MessageAttachment,
    select(*described)
    .where(attachments.c.tenant_id == param("tenant_id"), attachments.c.message_id == any_(param("ids", ARRAY(Uuid))))
    .order_by(attachments.c.message_id, attachments.c.uploaded_at, attachments.c.id),
)


class AttachmentById(Loader[AttachmentId, MessageAttachment | None]):
    """Attachments in sessions the actor may read; None for any other id."""

    async def fetch(
        self, scope: ReadScope, actor: Actor, keys: list[AttachmentId]
    ) -> Sequence[MessageAttachment | None]:
        """One statement for all ids."""
        found = {row.id: row for row in await scope.all(_BY_IDS, ids=keys, **actor.as_reader())}
        return [found.get(key) for key in keys]


class AttachmentsOfMessage(Loader[MessageId, list[MessageAttachment]]):
    """The attachments of messages that were read before, oldest first; whoever has the message may read them."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[MessageId]) -> Sequence[list[MessageAttachment]]:
        """One statement for all messages."""
        found: dict[MessageId, list[MessageAttachment]] = defaultdict(list)
        for row in await attachments_of_messages(scope, actor, keys):
            found[MessageId(row.message_id)].append(row)
        return [found[key] for key in keys]


async def attachments_of_messages(
    scope: ReadScope, actor: Actor, message_ids: list[MessageId]
) -> list[MessageAttachment]:
    """The attachments of messages that were read before, by message, oldest first; one statement."""
    return await scope.all(_OF_MESSAGES, tenant_id=actor.tenant_id, ids=message_ids)
