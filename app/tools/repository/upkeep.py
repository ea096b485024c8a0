"""Statements about executions of all tenants, by the calendar."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, func, select

from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.tools.fragments import AWAITING, executions


class OverdueApproval(NamedTuple):
    """An execution that nobody decided about in time, and whose it is."""

    tenant_id: str
    user_id: str
    id: UUID


_OVERDUE = Query(
    OverdueApproval,
    select(executions.c.tenant_id, executions.c.user_id, executions.c.id)
    .where(AWAITING, executions.c.approval_expires_at <= func.now())
    .order_by(executions.c.approval_expires_at)
    .limit(param("most", BigInteger)),
)


async def overdue(scope: ReadScope, most: int) -> list[OverdueApproval]:
    """Up to `most` executions that nobody decided about in time, the longest overdue first."""
    return await scope.all(_OVERDUE, most=most)
