"""What is asked of the tree of messages in order to change where a session is."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Uuid, select

from app.branches.fragments import STEP, newest_downwards
from app.core.actor import TenantId
from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.messages.fragments import messages
from app.messages.values import MessageId
from app.sessions.values import SessionId


class Leaf(NamedTuple):
    """A message that nobody has answered."""

    id: UUID
    parent_message_id: UUID | None


def _newest_leaf() -> Query[Leaf]:
    start = select(*(messages.c[name] for name in STEP)).where(
        messages.c.tenant_id == param("tenant_id"),
        messages.c.id == param("message_id", Uuid),
        messages.c.session_id == param("session_id", Uuid),
    )
    path = newest_downwards(start, STEP)
    return Query(Leaf, select(path.c.id, path.c.parent_message_id).order_by(path.c.depth.desc()).limit(1))


_NEWEST_LEAF = _newest_leaf()


async def newest_leaf(
    scope: ReadScope, tenant_id: TenantId, session_id: SessionId, message_id: MessageId
) -> Leaf | None:
    """Where one comes from a message by its newest answer, the newest answer to that …; None when it is not there."""
    return await scope.first(_NEWEST_LEAF, tenant_id=tenant_id, session_id=session_id, message_id=message_id)
