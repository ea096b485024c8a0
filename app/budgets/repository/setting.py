"""Statements that set budgets."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    DateTime,
    Numeric,
    Text,
    Uuid,
    delete,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import insert

from app.budgets.fragments import budgets, period_start, reservations, usage
from app.budgets.values import BudgetId, EarlierUse, NewBudget
from app.core.actor import Actor
from app.db.scopes import ReadScope, UnitOfWork
from app.db.statement import Command, Query, param

_TENANT = param("tenant_id", Text)
_NO_COST, _NO_TOKENS = literal(Decimal(0), Numeric), literal(0, BigInteger)

_COUNTED = ("spent_cost", "spent_tokens", "unpriced_tokens", "reserved_cost", "reserved_tokens")


class Put(NamedTuple):
    """A budget that was set."""

    id: UUID
    period_start: datetime


def _put() -> Command[Put]:
    row: dict[str, ColumnElement[Any]] = {
        "tenant_id": _TENANT, "id": param("budget_id", Uuid), "scope": param("scope", Text),
        "user_id": param("subject_user", Text), "model": param("subject_model", Text), "period": param("period", Text),
        "limit_cost": param("limit_cost", Numeric), "limit_tokens": param("limit_tokens", BigInteger),
        "created_by": param("created_by", Text),
    }  # fmt: skip
    stored: Any = insert(budgets).from_select(list(row), select(*row.values()))
    limits = {name: stored.excluded[name] for name in ("limit_cost", "limit_tokens")}
    put = stored.on_conflict_do_update(
        index_elements=[budgets.c[name] for name in ("tenant_id", "user_id", "model", "scope", "period")],
        set_={**limits, "updated_at": func.statement_timestamp()},
    )
    return Command(Put, put.returning(budgets.c.id, period_start().label("period_start")))


_PUT = _put()


def _count_earlier() -> Command[UUID]:
    earlier = (
        func.unnest(
            param("users", ARRAY(Text)), param("models", ARRAY(Text)), param("costs", ARRAY(Numeric)),
            param("tokens", ARRAY(BigInteger)), param("unpriced", ARRAY(BigInteger)),
        )
        .table_valued("user_id", "model", "cost", "tokens", "unpriced")
        .render_derived(name="earlier")
    )  # fmt: skip
    row = {
        "tenant_id": _TENANT, "budget_id": param("budget_id", Uuid),
        "period_start": param("period_start", DateTime(timezone=True)), "user_id": earlier.c.user_id,
        "model": earlier.c.model, "spent_cost": earlier.c.cost, "spent_tokens": earlier.c.tokens,
        "unpriced_tokens": earlier.c.unpriced, "reserved_cost": _NO_COST, "reserved_tokens": _NO_TOKENS,
    }  # fmt: skip
    return Command(UUID, insert(usage).from_select(list(row), select(*row.values())).returning(usage.c.budget_id))


_COUNT_EARLIER = _count_earlier()


def _remove() -> Command[UUID]:
    ours = param("budget_id", Uuid)
    gone = [
        delete(table).where(table.c.tenant_id == _TENANT, table.c.budget_id == ours).cte(f"deleted_{table.name}")
        for table in (usage, reservations)
    ]
    removed = delete(budgets).where(budgets.c.tenant_id == _TENANT, budgets.c.id == ours).returning(budgets.c.id)
    return Command(UUID, removed.add_cte(*gone))


_REMOVE = _remove()

_NAMED = Query(
    UUID,
    select(budgets.c.id).where(
        budgets.c.tenant_id == _TENANT,
        tuple_(budgets.c.user_id, budgets.c.model, budgets.c.scope, budgets.c.period)
        == tuple_(
            param("subject_user", Text), param("subject_model", Text), param("scope", Text), param("period", Text)
        ),
    ),
)


async def put(uow: UnitOfWork, actor: Actor, new: NewBudget) -> Put:
    """Store a budget, or the limits of the one there is of the same; which it is, and when its period began."""
    stored = await uow.run_one(
        _PUT,
        tenant_id=actor.tenant_id,
        budget_id=new.id,
        limit_cost=new.limit_cost,
        limit_tokens=new.limit_tokens,
        created_by=actor.user_id,
        **_named(new),
    )
    assert stored is not None  # noqa: S101 - it is inserted, or updated
    return stored


async def count_earlier(uow: UnitOfWork, actor: Actor, found: Put, uses: Sequence[EarlierUse]) -> None:
    """Count what was spent in a budget's first period before it was set; one of each user and model it tells apart."""
    await uow.run(
        _COUNT_EARLIER,
        tenant_id=actor.tenant_id,
        budget_id=found.id,
        period_start=found.period_start,
        users=[use.user_id for use in uses],
        models=[use.model for use in uses],
        costs=[use.cost for use in uses],
        tokens=[use.tokens for use in uses],
        unpriced=[use.unpriced_tokens for use in uses],
    )


async def remove(uow: UnitOfWork, actor: Actor, budget_id: BudgetId) -> bool:
    """Delete a budget with what was counted of it; whether it was there."""
    return await uow.run_one(_REMOVE, tenant_id=actor.tenant_id, budget_id=budget_id) is not None


async def named(scope: ReadScope, actor: Actor, new: NewBudget) -> BudgetId | None:
    """The budget that is about the same; None when there is none."""
    found = await scope.first(_NAMED, tenant_id=actor.tenant_id, **_named(new))
    return BudgetId(found) if found else None


def _named(new: NewBudget) -> dict[str, object]:
    return {
        "scope": new.scope.value, "subject_user": new.user_id, "subject_model": new.model, "period": new.period.value,
    }  # fmt: skip
