"""What is read of a conversation so that a model can have its newest part in view."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Uuid, any_, case, cast, func, literal, select

from app.branches.fragments import STEP, Measures, upwards
from app.core.actor import TenantId
from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.messages.fragments import messages
from app.messages.values import MessageId
from app.tools.fragments import calls


class PathMessage(NamedTuple):
    """A message of the path to another, without its text."""

    id: UUID
    role: str
    deleted: bool
    tool_call_count: int
    content_bytes: int
    beside_bytes: int
    """Of context items, as they are stored, which may be less than they are; of the names and arguments of calls."""


class Spoken(NamedTuple):
    """What a message says."""

    id: UUID
    role: str
    content: str
    context: dict[str, Any]
    tool_call_id: str | None
    tool_call_count: int
    deleted: bool


def _size_of_calls(table: Any) -> ColumnElement[int]:
    sizes = select(func.sum(func.octet_length(calls.c.name) + func.octet_length(calls.c.arguments))).where(
        calls.c.tenant_id == table.c.tenant_id, calls.c.message_id == table.c.id
    )
    # Few messages have calls: of the others, nobody's index is asked.
    return case((table.c.tool_call_count > 0, func.coalesce(sizes.correlate(table).scalar_subquery(), 0)), else_=0)


_MEASURES: Measures = {
    "deleted": lambda table: table.c.deleted_at.is_not(None),
    # Neither takes a long text out of where it is kept: what is asked is in what stands for it in the row.
    "content_bytes": lambda table: cast(func.octet_length(table.c.content), BigInteger),
    "beside_bytes": lambda table: cast(func.pg_column_size(table.c.context) + _size_of_calls(table), BigInteger),
}
_COLUMNS = (*STEP, "role", "tool_call_count")


def _path() -> Query[PathMessage]:
    of_message = messages.c.tenant_id == param("tenant_id"), messages.c.id == param("message_id", Uuid)
    measured = [measure(messages).label(name) for name, measure in _MEASURES.items()]
    start = select(*(messages.c[name] for name in _COLUMNS), *measured).where(*of_message)
    path = upwards(start, _COLUMNS, measures=_MEASURES)
    found = select(*(path.c[name] for name in PathMessage._fields)).where(path.c.depth > literal(1))
    return Query(PathMessage, found.order_by(path.c.depth.desc()))


_PATH = _path()

_SPOKEN = Query(
    Spoken,
    select(
        messages.c.id, messages.c.role, messages.c.content, messages.c.context, messages.c.tool_call_id,
        messages.c.tool_call_count, messages.c.deleted_at.is_not(None).label("deleted"),
    ).where(messages.c.tenant_id == param("tenant_id"), messages.c.id == any_(param("ids", ARRAY(Uuid)))),
)  # fmt: skip


async def path_before(scope: ReadScope, tenant_id: TenantId, message_id: MessageId) -> list[PathMessage]:
    """What leads to a message, without itself and without any text, oldest first: the whole path, however long.

    One statement, which takes one look into an index for each message.
    """
    return await scope.all(_PATH, tenant_id=tenant_id, message_id=message_id)


async def spoken(scope: ReadScope, tenant_id: TenantId, ids: Sequence[UUID]) -> list[Spoken]:
    """What messages say, in the order of `ids`, save of those that are gone; one statement."""
    found = {row.id: row for row in await scope.all(_SPOKEN, tenant_id=tenant_id, ids=list(ids))}
    return [found[id_] for id_ in ids if id_ in found]
