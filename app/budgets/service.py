"""What transactions do to budgets: all at once, as the last before the commit. And what is given up of them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from app.budgets import repository
from app.budgets.errors import BudgetExceeded
from app.budgets.values import Entry
from app.db.database import Database
from app.db.scopes import UnitOfWork

KEPT = timedelta(days=62)
"""The month that goes on, and the one before for whoever compares. The ledger has what was spent for ever."""

ROWS_AT_ONCE = 10_000
"""Well below the time limit of a statement, and no lock is held for long."""


def book(uow: UnitOfWork, entry: Entry) -> None:
    """Reserve for a turn of a run, or settle one, once the rest of the work is done. The run must be locked, or new.

    A reservation replaces the one that the run has; what is settled ends it. Where a budget has no room, the unit of
    work ends with BudgetExceeded, and nothing of it is stored.
    """
    uow.at_last(_book, entry)


async def _book(uow: UnitOfWork, entries: Sequence[Entry]) -> None:
    # One statement for all: it locks what it changes in one order, whatever the order in which runs ended and began.
    of_tenants: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        of_tenants[entry.tenant_id].append(entry)
    for tenant_id in sorted(of_tenants):
        theirs = of_tenants[tenant_id]
        if not await repository.are_bound(uow, tenant_id, theirs):
            continue
        refused = await repository.book(uow, tenant_id, theirs)
        if refused:
            raise BudgetExceeded(refused[0])


async def forget_old_periods(database: Database, kept: timedelta = KEPT) -> None:
    """Delete what was counted in periods that began longer ago than `kept`, which is at least a month and a day."""
    while True:
        async with database.single_statement() as uow:
            if await repository.forget_older(uow, kept, ROWS_AT_ONCE) < ROWS_AT_ONCE:
                return
