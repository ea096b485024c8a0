"""The tables of budgets and pieces of statements about them."""

from typing import Any

from sqlalchemy import ColumnElement, Integer, Text, any_, case, exists, func, literal, select, text
from sqlalchemy.dialects.postgresql import array

from app.budgets.models import Budget, BudgetReservation, BudgetUsage
from app.budgets.values import ANY, BudgetPeriod
from app.db.base import table_of
from app.db.statement import param

budgets = table_of(Budget)
usage = table_of(BudgetUsage)
reservations = table_of(BudgetReservation)

USAGE_KEY = ("budget_id", "period_start", "user_id", "model")
"""Inside a tenant; rows are locked in this order."""


def binds(user: ColumnElement[Any], model: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a budget limits what a user has a model do. Parameters: tenant_id."""
    none = literal(ANY, Text)
    return (
        (budgets.c.tenant_id == param("tenant_id", Text))
        & (budgets.c.user_id == any_(array([none, user])))
        & (budgets.c.model == any_(array([none, model])))
    )


def bounded_output(user: ColumnElement[Any], model: ColumnElement[Any]) -> ColumnElement[Any]:
    """How much a run may write that names no bound itself: null where no budget limits it.

    Parameters: tenant_id, bounded_output.
    """
    return case((exists(select(budgets.c.id).where(binds(user, model))), param("bounded_output", Integer)))


def period_start() -> ColumnElement[Any]:
    """When the present period of a budget began: the day or the month, in UTC."""
    return func.date_trunc(budgets.c.period, func.statement_timestamp(), literal("UTC", Text))


def period_end(start: ColumnElement[Any]) -> ColumnElement[Any]:
    """When the period that began at `start` ends."""
    # Connections are in UTC, so that a month later is at the first of the next.
    a_day = budgets.c.period == literal(BudgetPeriod.DAY.value, Text)
    return start + case((a_day, text("interval '1 day'")), else_=text("interval '1 month'"))
