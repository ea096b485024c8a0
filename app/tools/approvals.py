"""Reads of what a user is asked to approve, over all their sessions."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Text, Uuid, any_, func, literal, select, true

from app.core.actor import Actor
from app.core.paging import ListName, Page, PageRequest
from app.db.database import Database
from app.db.pages import Order, PageShape
from app.db.statement import Query, param
from app.streams.inboxes import MOST_AWAITED
from app.tools.fragments import AWAITING, FACTS, executions
from app.tools.models import ToolExecution
from app.tools.values import Inbox

_OLDEST_FIRST = Order((executions.c.created_at, executions.c.id), (datetime, UUID))

_LIST = ListName("pendingApprovals")

_MINE = executions.c.tenant_id == param("tenant_id"), executions.c.user_id == param("user_id", Text)


@lru_cache(maxsize=8)
def _page(shape: PageShape) -> Query[ToolExecution]:
    return Query(ToolExecution, _OLDEST_FIRST.page(select(*FACTS).where(*_MINE, AWAITING), shape))


_COUNT = Query(int, select(func.count().label("count")).select_from(executions).where(*_MINE, AWAITING))

_STILL_AWAITING = Query(
    ToolExecution,
    select(*FACTS)
    .where(
        executions.c.tenant_id == param("tenant_id"),
        executions.c.id == any_(param("ids", ARRAY(Uuid))),
        # IS TRUE: the index of the whole inbox is no way to some of it.
        (AWAITING & (executions.c.user_id == param("user_id", Text))).is_(true()),
    )
    .order_by(executions.c.created_at, executions.c.id),
)


def _awaited() -> Query[ToolExecution]:
    wanted = (
        func.unnest(param("tenants", ARRAY(Text)), param("users", ARRAY(Text)))
        .table_valued("tenant_id", "user_id")
        .render_derived(name="wanted")
    )
    each = (
        select(executions.c.tenant_id, executions.c.user_id, executions.c.id)
        .where(
            executions.c.tenant_id == wanted.c.tenant_id,
            executions.c.user_id == wanted.c.user_id,
            AWAITING,
        )
        .order_by(executions.c.created_at, executions.c.id)
        .limit(literal(MOST_AWAITED, BigInteger))
        .correlate(wanted)
        .lateral("each")
    )
    return Query(ToolExecution, select(*each.c).select_from(wanted.join(each, true())))


_AWAITED = _awaited()


async def page_of_approvals(database: Database, actor: Actor, request: PageRequest) -> Page[ToolExecution]:
    """A page of the executions that await the actor's approval, oldest first."""
    position = _OLDEST_FIRST.parameters(request, _LIST)

    async def count() -> int:
        async with database.read() as scope:
            return await scope.first(_COUNT, **actor.as_owner()) or 0

    async with database.read() as scope:
        found = await scope.all(_page(PageShape.of(request)), **actor.as_owner(), **position)
    return Page.of(found, request, lambda row: _LIST.encode((row.created_at, row.id)), count)


async def read_awaited(database: Database, inboxes: Collection[Inbox]) -> Mapping[Inbox, list[UUID]]:
    """The ids of what each of many inboxes holds, oldest first, at most MOST_AWAITED each; one statement."""
    async with database.read() as scope:
        rows = await scope.all(
            _AWAITED,
            tenants=[inbox.tenant_id for inbox in inboxes],
            users=[inbox.user_id for inbox in inboxes],
        )
    found: dict[Inbox, list[UUID]] = defaultdict(list)
    for row in rows:
        found[Inbox(row.tenant_id, row.user_id)].append(row.id)
    return found


async def still_awaiting(database: Database, actor: Actor, ids: Sequence[UUID]) -> list[ToolExecution]:
    """Those of the actor's executions that await approval, oldest first."""
    async with database.read() as scope:
        return await scope.all(_STILL_AWAITING, ids=list(ids), **actor.as_owner())
