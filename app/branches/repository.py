"""What is asked of the tree of messages in order to move in it, or to copy of it."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, Uuid, select

from app.branches.fragments import STEP, newest_downwards, upwards
from app.branches.values import PathStep
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


def _at_message(names: Sequence[str]) -> Select[Any]:
    return select(*(messages.c[name] for name in names)).where(
        messages.c.tenant_id == param("tenant_id"),
        messages.c.id == param("message_id", Uuid),
        messages.c.session_id == param("session_id", Uuid),
    )


def _newest_leaf() -> Query[Leaf]:
    path = newest_downwards(_at_message(STEP), STEP)
    return Query(Leaf, select(path.c.id, path.c.parent_message_id).order_by(path.c.depth.desc()).limit(1))


def _path() -> Query[PathStep]:
    names = (*STEP, *(name for name in PathStep._fields if name not in STEP))
    path = upwards(_at_message(names), names)
    return Query(PathStep, select(*(path.c[name] for name in PathStep._fields)).order_by(path.c.depth.desc()))


_NEWEST_LEAF = _newest_leaf()
_PATH = _path()


async def newest_leaf(
    scope: ReadScope, tenant_id: TenantId, session_id: SessionId, message_id: MessageId
) -> Leaf | None:
    """Where one comes from a message by its newest answer, the newest answer to that …; None when it is not there."""
    return await scope.first(_NEWEST_LEAF, tenant_id=tenant_id, session_id=session_id, message_id=message_id)


async def path_to(
    scope: ReadScope, tenant_id: TenantId, session_id: SessionId, message_id: MessageId
) -> list[PathStep]:
    """What leads to a message of a session, from a first one on; empty when it is not there."""
    return await scope.all(_PATH, tenant_id=tenant_id, session_id=session_id, message_id=message_id)
