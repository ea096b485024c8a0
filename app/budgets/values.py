"""Ids, words and amounts of budgets."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, ROUND_UP, Decimal
from enum import StrEnum
from typing import NamedTuple, NewType
from uuid import UUID

from app.core.actor import TenantId
from app.db.scopes import ReadScope

BudgetId = NewType("BudgetId", UUID)

LONGEST_USER = 128
LONGEST_MODEL = 255
MOST_COST = Decimal(10**9)
"""US dollars: what a column of money holds, with room for sums."""
MOST_TOKENS = 2**53
"""What sums can be made of without leaving 64 bits."""
MOST_SHOWN = 100
"""Budgets of one viewer: as many as a page has."""

ANY = ""
"""In the place of a user or a model: all of them, or each by themselves. No name is empty."""

_SMALLEST_COST = Decimal("0.0000000001")


class BudgetScope(StrEnum):
    """Whose spending is counted together."""

    TENANT = "tenant"
    USER = "user"
    MODEL = "model"


class BudgetPeriod(StrEnum):
    """How long it is counted before it begins at nothing again: of the calendar, in UTC."""

    DAY = "day"
    MONTH = "month"


class Amount(NamedTuple):
    """Tokens, and what they cost in US dollars; None where the price is not known, which is not 0."""

    tokens: int
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class Bound:
    """The most that one turn of a run can spend: on what it reads, and on what it writes."""

    prompt: Amount
    output: Amount

    @property
    def priced(self) -> bool:
        """Whether its price is known."""
        return self.prompt.cost is not None and self.output.cost is not None


@dataclass(frozen=True, slots=True)
class Entry:
    """What a transaction does to the budgets that bind a run: reserve for a turn, or else settle what one has spent."""

    tenant_id: str
    run_id: UUID
    user_id: str
    model: str
    reserved: Bound | None = None
    spent: Amount | None = None


class Refused(NamedTuple):
    """A budget that has no room for what was to be reserved."""

    scope: str
    model: str
    period: str
    limit_cost: Decimal | None
    limit_tokens: int | None
    resets_at: datetime
    fits_alone: bool
    """Whether it would have fitted if nothing else had been spent or reserved."""


class EarlierUse(NamedTuple):
    """What was spent by a user on a model before there was a budget."""

    user_id: str
    model: str
    cost: Decimal
    tokens: int
    unpriced_tokens: int


PastUse = Callable[[ReadScope, TenantId, datetime], Awaitable[list[EarlierUse]]]
"""Reads what a tenant's runs that ended at a moment or later have spent: the ledger belongs to a room above."""


@dataclass(frozen=True, slots=True)
class NewBudget:
    """A budget as an admin sets it."""

    id: BudgetId
    """Of a new one; one that is there keeps its own."""
    scope: BudgetScope
    subject: str | None
    """The user or the model; None for each by themselves."""
    period: BudgetPeriod
    limit_cost: Decimal | None
    limit_tokens: int | None

    @property
    def user_id(self) -> str:
        """As it is stored."""
        return self.subject or ANY if self.scope is BudgetScope.USER else ANY

    @property
    def model(self) -> str:
        """As it is stored."""
        return self.subject or ANY if self.scope is BudgetScope.MODEL else ANY


def at_most(cost: Decimal | None) -> Decimal | None:
    """A cost as it is reserved: with the digits that are stored, and never less."""
    return None if cost is None else cost.quantize(_SMALLEST_COST, ROUND_UP)


def as_stored(cost: Decimal) -> Decimal:
    """A cost with the digits that are stored, rounded as PostgreSQL does: sums are those of the ledger."""
    return cost.quantize(_SMALLEST_COST, ROUND_HALF_UP)
