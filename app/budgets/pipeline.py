"""How budgets are set and deleted."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

import structlog

from app.budgets import repository
from app.budgets.errors import AdminsOnly, BudgetNotFound
from app.budgets.repository import Put
from app.budgets.values import (
    ANY,
    LONGEST_MODEL,
    LONGEST_USER,
    MOST_COST,
    MOST_TOKENS,
    BudgetId,
    BudgetScope,
    EarlierUse,
    NewBudget,
    PastUse,
)
from app.core.actor import Actor
from app.core.errors import ValidationError
from app.core.text import require_length, require_range
from app.db.database import Database
from app.db.scopes import UnitOfWork
from app.idempotency.service import earlier_subject
from app.idempotency.values import ClientKey

log = structlog.get_logger("colloquy.budgets")


@dataclass(frozen=True, slots=True)
class BudgetOutcome:
    """The budget that was changed, where it is there, and whether the same request had changed it before."""

    budget_id: BudgetId | None
    deduplicated: bool = False


@dataclass(frozen=True, slots=True)
class BudgetPipeline:
    """One per process, without state."""

    past: PastUse

    async def set(self, database: Database, actor: Actor, new: NewBudget, key: ClientKey | None) -> BudgetOutcome:
        """Set the limits of a budget, which is a new one where there is none about the same.

        A new one counts what was spent in its period before: what is in the ledger when it is set, and what the turns
        that go on then come to. A run that ends in the very moment is in neither. AdminsOnly, ValidationError,
        KeyReused.
        """
        _require_admin(actor)
        _check(new)

        async def work(uow: UnitOfWork) -> BudgetOutcome:
            if await earlier_subject(uow, actor, key, new.id) is not None:
                return BudgetOutcome(await repository.named(uow, actor, new), deduplicated=True)
            stored = await repository.put(uow, actor, new)
            if stored.id == new.id:
                await self._count_earlier(uow, actor, new, stored)
            return BudgetOutcome(BudgetId(stored.id))

        return await database.transact(work)

    async def delete(
        self, database: Database, actor: Actor, budget_id: BudgetId, key: ClientKey | None
    ) -> BudgetOutcome:
        """Delete a budget, and what was counted of it. AdminsOnly, BudgetNotFound, KeyReused."""
        _require_admin(actor)

        async def work(uow: UnitOfWork) -> BudgetOutcome:
            if await earlier_subject(uow, actor, key, budget_id) is not None:
                return BudgetOutcome(budget_id, deduplicated=True)
            if not await repository.remove(uow, actor, budget_id):
                raise BudgetNotFound
            return BudgetOutcome(budget_id)

        return await database.transact(work)

    async def _count_earlier(self, uow: UnitOfWork, actor: Actor, new: NewBudget, stored: Put) -> None:
        sums: dict[tuple[str, str], list[EarlierUse]] = defaultdict(list)
        for use in await self.past(uow, actor.tenant_id, stored.period_start):
            user = use.user_id if new.scope is BudgetScope.USER else ANY
            model = use.model if new.scope is BudgetScope.MODEL else ANY
            if new.user_id in (ANY, user) and new.model in (ANY, model):
                sums[user, model].append(use)
        if sums:
            await repository.count_earlier(uow, actor, stored, [_sum(*of, uses) for of, uses in sums.items()])


def _require_admin(actor: Actor) -> None:
    if not actor.is_admin:
        raise AdminsOnly


def _sum(user: str, model: str, uses: list[EarlierUse]) -> EarlierUse:
    return EarlierUse(
        user,
        model,
        sum((use.cost for use in uses), Decimal(0)),
        sum(use.tokens for use in uses),
        sum(use.unpriced_tokens for use in uses),
    )


def _check(new: NewBudget) -> None:
    if new.scope is BudgetScope.TENANT and new.subject is not None:
        raise ValidationError("the tenant's budget has no subject", field="subject", hint="leave it out")
    longest = LONGEST_MODEL if new.scope is BudgetScope.MODEL else LONGEST_USER
    if new.subject is not None:
        require_length(new.subject, "subject", at_least=1, at_most=longest)
    if new.limit_cost is None and new.limit_tokens is None:
        raise ValidationError("a budget has a limit", field="limitTokens", hint="send limitCost, limitTokens, or both")
    require_range(new.limit_tokens, "limitTokens", at_least=0, at_most=MOST_TOKENS)
    if new.limit_cost is not None and not 0 <= new.limit_cost <= MOST_COST:
        raise ValidationError(
            f"limitCost must be between 0 and {MOST_COST}", field="limitCost", hint="it is in US dollars"
        )
