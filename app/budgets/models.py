"""The tables of budgets."""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, bounded

_NONE = text("''")


class Budget(Base):
    """A limit of what may be spent in a period. What it is about never changes, its limits may.

    `user_id` and `model` are empty where all are meant, or each by themselves: a run is bound by the budgets whose user
    is it or empty, and whose model is it or empty, which are four lookups in one index.
    """

    __tablename__ = "budgets"
    __table_args__ = (
        Index("uq_budgets_subject", "tenant_id", "user_id", "model", "scope", "period", unique=True),
        CheckConstraint("scope in ('tenant', 'user', 'model')", name="scope"),
        CheckConstraint("period in ('day', 'month')", name="period"),
        CheckConstraint("(user_id = '' or scope = 'user') and (model = '' or scope = 'model')", name="subject"),
        CheckConstraint("coalesce(limit_cost, limit_tokens) is not null", name="limits"),
        CheckConstraint("limit_cost >= 0 and limit_tokens >= 0", name="amounts"),
        *bounded(model=255),
    )
    node_type = "Budget"
    # No columns: how it stands in the present period, for who asks.
    period_starts_at: ClassVar[datetime]
    resets_at: ClassVar[datetime]
    used_by: ClassVar[str | None]
    spent_cost: ClassVar[Decimal]
    spent_tokens: ClassVar[int]
    unpriced_tokens: ClassVar[int]
    reserved_cost: ClassVar[Decimal]
    reserved_tokens: ClassVar[int]

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    scope: Mapped[str]
    user_id: Mapped[str] = mapped_column(server_default=_NONE)
    """The user it limits."""
    model: Mapped[str] = mapped_column(server_default=_NONE)
    """The model it limits, as `provider:model`."""
    period: Mapped[str]
    limit_cost: Mapped[Decimal | None]
    limit_tokens: Mapped[int | None]
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())

    @property
    def subject(self) -> str | None:
        """The user or the model; None where it is the tenant's, or about each by themselves."""
        return self.user_id or self.model or None

    @property
    def remaining_cost(self) -> Decimal | None:
        """What may still be reserved."""
        if self.limit_cost is None:
            return None
        return max(self.limit_cost - self.spent_cost - self.reserved_cost, Decimal(0))

    @property
    def remaining_tokens(self) -> int | None:
        """What may still be reserved."""
        if self.limit_tokens is None:
            return None
        return max(self.limit_tokens - self.spent_tokens - self.reserved_tokens, 0)


class BudgetUsage(Base):
    """What was spent in one period of a budget, and is reserved for runs that go on; where it is about each user or
    model, of one of them.

    Its row's lock orders those who spend at once. Taken at the end of a transaction, and in the order of the key.
    """

    __tablename__ = "budget_usage"
    __table_args__ = (
        # No foreign key: who spends would lock the budget's row. It is deleted with its budget by statement.
        CheckConstraint("spent_cost >= 0 and spent_tokens >= 0 and unpriced_tokens >= 0", name="spent"),
        CheckConstraint("reserved_cost >= 0 and reserved_tokens >= 0", name="reserved"),
        # Every answer changes it: room for its versions beside it keeps the index out of that.
        {"postgresql_with": {"fillfactor": "50"}},
    )

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    budget_id: Mapped[UUID] = mapped_column(primary_key=True)
    period_start: Mapped[datetime] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True, server_default=_NONE)
    """Whose it is, of a budget of users."""
    model: Mapped[str] = mapped_column(primary_key=True, server_default=_NONE)
    """What it was spent on, of a budget of models."""
    spent_cost: Mapped[Decimal]
    spent_tokens: Mapped[int]
    unpriced_tokens: Mapped[int]
    """Those of the spent whose price is not known: they are not in the cost."""
    reserved_cost: Mapped[Decimal]
    reserved_tokens: Mapped[int]


class BudgetReservation(Base):
    """What one turn of a run may still spend of a budget. Goes when the turn ends, however it does.

    The run's row orders those who change it.
    """

    __tablename__ = "budget_reservations"
    __table_args__ = (
        # No foreign keys: runs rank above, and who reserves would lock the budget's row.
        CheckConstraint("prompt_tokens >= 0 and output_tokens >= 0", name="tokens"),
        CheckConstraint("prompt_cost >= 0 and output_cost >= 0", name="costs"),
    )

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    budget_id: Mapped[UUID] = mapped_column(primary_key=True)
    period_start: Mapped[datetime]
    """With user and model, the row of the usage: what is spent is counted in the period it was reserved in."""
    user_id: Mapped[str] = mapped_column(server_default=_NONE)
    model: Mapped[str] = mapped_column(server_default=_NONE)
    prompt_tokens: Mapped[int]
    prompt_cost: Mapped[Decimal | None]
    """None where the price is not known."""
    output_tokens: Mapped[int]
    output_cost: Mapped[Decimal | None]
