"""Reads of budgets, and how they stand in the present period for who asks."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Boolean, Numeric, Text, Uuid, any_, case, func, literal, or_, select, true

from app.budgets.fragments import budgets, period_end, period_start, usage
from app.budgets.models import Budget
from app.budgets.values import ANY, MOST_SHOWN, BudgetId, BudgetScope
from app.core.actor import Actor
from app.core.paging import ListName, Page, PageRequest
from app.db.database import Database
from app.db.pages import Order, PageShape
from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.graph.loading import Loader

_TENANT = param("tenant_id", Text)
_VIEWER = param("user_id", Text)
_LIST = ListName("budgets")


def _standing() -> Any:
    """Budgets of a tenant with their figures: of one about each user the viewer's, of one about each model those of the
    model that has used the most of it.

    Parameters: tenant_id, user_id.
    """
    none = literal(ANY, Text)
    of_users = budgets.c.scope == literal(BudgetScope.USER.value, Text)
    user = case((of_users, func.coalesce(func.nullif(budgets.c.user_id, none), _VIEWER)), else_=none)
    share = func.greatest(
        *(
            (usage.c[f"spent_{unit}"] + usage.c[f"reserved_{unit}"]) / func.nullif(budgets.c[f"limit_{unit}"], 0)
            for unit in ("cost", "tokens")
        )
    )
    used = (
        select(*usage.c)
        .where(
            usage.c.tenant_id == _TENANT,
            usage.c.budget_id == budgets.c.id,
            usage.c.period_start == period_start(),
            usage.c.user_id == user,
        )
        .order_by(share.desc().nulls_last(), usage.c.model)
        .limit(literal(1, BigInteger))
        .correlate(budgets)
        .lateral("used")
    )
    starts_at = period_start()
    figures = ("spent_cost", "spent_tokens", "unpriced_tokens", "reserved_cost", "reserved_tokens")
    return (
        select(
            *budgets.c,
            starts_at.label("period_starts_at"),
            period_end(starts_at).label("resets_at"),
            func.coalesce(func.nullif(used.c.user_id, none), func.nullif(used.c.model, none)).label("used_by"),
            *(
                func.coalesce(used.c[name], literal(0, Numeric if name.endswith("cost") else BigInteger)).label(name)
                for name in figures
            ),
        )
        .select_from(budgets.outerjoin(used, true()))
        .where(budgets.c.tenant_id == _TENANT)
    )


_MINE = budgets.c.user_id == any_(param("own", ARRAY(Text)))

_READABLE = or_(param("is_admin", Boolean), _MINE)
_BY_IDS = Query(Budget, _standing().where(budgets.c.id == any_(param("ids", ARRAY(Uuid))), _READABLE))
_OF_VIEWER = Query(
    Budget,
    _standing()
    .where(_MINE)
    .order_by(budgets.c.scope, budgets.c.model, budgets.c.period, budgets.c.user_id, budgets.c.id)
    .limit(param("most", BigInteger)),
)
_BY_AGE = Order((budgets.c.id,), (UUID,))
_COUNT = Query(
    int,
    select(func.count().label("budgets")).select_from(budgets).where(budgets.c.tenant_id == _TENANT, _READABLE),
)


@lru_cache(maxsize=8)
def _page(shape: PageShape) -> Query[Budget]:
    return Query(Budget, _BY_AGE.page(_standing().where(_READABLE), shape))


class BudgetById(Loader[BudgetId, Budget | None]):
    """Budgets that bind the actor, for an admin all of the tenant; None for any other id."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[BudgetId]) -> Sequence[Budget | None]:
        """One statement for all ids."""
        rows = await scope.all(_BY_IDS, ids=keys, own=_own(actor), **actor.as_reader())
        found = {row.id: row for row in rows}
        return [found.get(key) for key in keys]


class BudgetsOfViewer(Loader[str, list[Budget]]):
    """The budgets that bind the actor, who is the only key: the tenant's, theirs, those of models."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[str]) -> Sequence[list[Budget]]:
        """One statement."""
        found = await scope.all(_OF_VIEWER, own=_own(actor), most=MOST_SHOWN, **actor.as_owner())
        return [found for _ in keys]


async def page_of_budgets(database: Database, actor: Actor, request: PageRequest) -> Page[Budget]:
    """A page of the budgets that the actor may read, oldest first; InvalidCursor."""
    query = _page(PageShape.of(request))
    position = _BY_AGE.parameters(request, _LIST)
    async with database.read() as scope:
        found = await scope.all(query, own=_own(actor), **actor.as_reader(), **position)

    async def count() -> int:
        async with database.read() as scope:
            return await scope.first(_COUNT, tenant_id=actor.tenant_id, is_admin=actor.is_admin, own=_own(actor)) or 0

    return Page.of(found, request, lambda row: _LIST.encode((row.id,)), count)


def _own(actor: Actor) -> list[str]:
    return [ANY, actor.user_id]
