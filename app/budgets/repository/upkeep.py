"""Statements that write budgets of all tenants, by the calendar."""

from datetime import timedelta

from sqlalchemy import BigInteger, Interval, delete, func, literal, select, tuple_

from app.budgets.fragments import USAGE_KEY, reservations, usage
from app.db.scopes import UnitOfWork
from app.db.statement import Command, param


def _forget() -> Command[int]:
    """What is still reserved in an old period is settled there: its row is kept for that."""
    key = [usage.c.tenant_id, *(usage.c[name] for name in USAGE_KEY)]
    still_reserved = (
        select(reservations.c.run_id)
        .where(
            reservations.c.tenant_id == usage.c.tenant_id,
            *(reservations.c[name] == usage.c[name] for name in USAGE_KEY),
        )
        .exists()
    )
    old = (
        select(*key)
        .where(usage.c.period_start < func.now() - param("kept", Interval), ~still_reserved)
        .order_by(*key)
        .limit(param("most", BigInteger))
        .with_for_update(skip_locked=True)
        .cte("old")
    )
    gone = delete(usage).where(tuple_(*key) == tuple_(*old.c)).returning(literal(1).label("one")).cte("gone")
    return Command(int, select(func.count().label("gone")).select_from(gone))


_FORGET = _forget()


async def forget_older(uow: UnitOfWork, kept: timedelta, most: int) -> int:
    """Delete up to `most` rows of periods, of all tenants, that began longer ago than `kept`; how many there were."""
    return await uow.run_one(_FORGET, kept=kept, most=most) or 0
