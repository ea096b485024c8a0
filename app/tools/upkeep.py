"""What is done for all executions by the calendar: those that nobody decides about are cancelled."""

import structlog

from app.core.actor import Actor, CorrelationId, TenantId, UserId
from app.core.ids import new_id
from app.core.logging import correlate
from app.db.database import Database
from app.identity.values import USER_ROLES
from app.tools import repository
from app.tools.pipeline import ToolPipeline
from app.tools.values import ToolExecutionId

log = structlog.get_logger("colloquy.tools")

APPROVALS_AT_ONCE = 500
"""Each is a transaction of its own, with what its run makes of it; the rest is done a minute later."""


async def expire(database: Database, tools: ToolPipeline) -> None:
    """Cancel the executions whose approval nobody gave or denied in time, the longest overdue first."""
    correlate(correlation := CorrelationId(str(new_id())))
    async with database.read() as scope:
        overdue = await repository.overdue(scope, APPROVALS_AT_ONCE)
    for found in overdue:
        actor = Actor(TenantId(found.tenant_id), UserId(found.user_id), USER_ROLES, correlation)
        try:
            await tools.expire(database, actor, ToolExecutionId(found.id))
        except Exception:
            # Whatever it is that a run makes of it: the others do not wait for that, and the next minute tries again.
            log.exception("approval_not_expired", execution_id=str(found.id))
