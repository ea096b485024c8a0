"""Statements about stages of all tenants, by the calendar."""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, Interval, func, select

from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.workflow.fragments import one_of, stages
from app.workflow.values import StageStatus


class LiveStage(NamedTuple):
    """An attempt that is not settled, of any tenant."""

    tenant_id: str
    project_id: UUID
    id: UUID
    run_id: UUID | None
    status: str


_LIVE = Query(
    LiveStage,
    select(stages.c.tenant_id, stages.c.project_id, stages.c.id, stages.c.run_id, stages.c.status)
    .where(
        one_of(stages.c.status, StageStatus.PENDING, StageStatus.GENERATING),
        stages.c.updated_at < func.now() - param("age", Interval),
    )
    .order_by(stages.c.updated_at)
    .limit(param("most", BigInteger)),
)


async def live_stages(scope: ReadScope, age: timedelta, most: int) -> Sequence[LiveStage]:
    """Attempts of all tenants that nothing has happened to for longer than `age`, the oldest first."""
    return await scope.all(_LIVE, age=age, most=most)
