"""Batched reads of tool calls."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import ARRAY, Uuid, any_, select

from app.core.actor import Actor
from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.graph.loading import Loader
from app.messages.fragments import messages, of_session
from app.messages.values import MessageId
from app.sessions.fragments import readable
from app.tools.fragments import calls
from app.tools.models import ToolCall
from app.tools.values import ToolCallId

_BY_IDS = Query(
    ToolCall,
    select(*calls.c)
    .join(messages, (messages.c.tenant_id == calls.c.tenant_id) & (messages.c.id == calls.c.message_id))
    .where(
        calls.c.tenant_id == param("tenant_id"),
        calls.c.id == any_(param("ids", ARRAY(Uuid))),
        of_session(readable()),
    ),
)

_OF_MESSAGES = Query(
    ToolCall,
    select(*calls.c)
    .where(calls.c.tenant_id == param("tenant_id"), calls.c.message_id == any_(param("ids", ARRAY(Uuid))))
    .order_by(calls.c.message_id, calls.c.position),
)


class ToolCallById(Loader[ToolCallId, ToolCall | None]):
    """Calls in sessions the actor may read; None for any other id."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[ToolCallId]) -> Sequence[ToolCall | None]:
        """One statement for all ids."""
        found = {row.id: row for row in await scope.all(_BY_IDS, ids=keys, **actor.as_reader())}
        return [found.get(key) for key in keys]


class ToolCallsOfMessage(Loader[MessageId, list[ToolCall]]):
    """The calls of messages that were read before, by position; whoever has the message may read them."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[MessageId]) -> Sequence[list[ToolCall]]:
        """One statement for all messages."""
        found: dict[MessageId, list[ToolCall]] = defaultdict(list)
        for row in await scope.all(_OF_MESSAGES, tenant_id=actor.tenant_id, ids=keys):
            found[MessageId(row.message_id)].append(row)
        return [found[key] for key in keys]
