"""What is done for all projects by the calendar: no stage waits for ever, whatever became of its run or its job."""

from datetime import timedelta

import structlog

from app.core.actor import Actor, CorrelationId, TenantId, UserId
from app.core.errors import AppError
from app.core.logging import correlate
from app.db.database import Database
from app.identity.values import USER_ROLES
from app.runs.service import job_of
from app.runs.values import Failure, RunId, RunRef
from app.workflow import repository
from app.workflow.errors import GenerationCancelled
from app.workflow.pipeline import job_of_project
from app.workflow.runner import StageRunner
from app.workflow.values import ProjectId, StageId, StageStatus

log = structlog.get_logger("colloquy.workflow")

STAGES_AT_ONCE = 500
FORGOTTEN_AFTER = timedelta(minutes=1)
"""A stage to which nothing happens for longer is looked at: a run that is still at work is no reason to do anything."""


async def remind(database: Database, runner: StageRunner, forgotten_after: timedelta = FORGOTTEN_AFTER) -> None:
    """Settle the stages whose runs have ended, or were deleted; begin those whose turn has come."""
    async with database.read() as scope:
        found = await repository.live_stages(scope, forgotten_after, STAGES_AT_ONCE)
    for live in found:
        actor = Actor(TenantId(live.tenant_id), UserId(""), USER_ROLES, CorrelationId(""))
        try:
            if live.run_id is not None:
                await runner.run_ended(job_of(RunRef(TenantId(live.tenant_id), RunId(live.run_id))))
            elif live.status == StageStatus.PENDING:
                await runner.advance(job_of_project(actor, ProjectId(live.project_id)))
            else:
                await _without_run(database, runner, actor, StageId(live.id))
        except AppError as error:
            # The others do not wait for that, and the next minute tries again.
            log.warning("stage_not_reminded", stage=str(live.id), reason=error.message)


async def _without_run(database: Database, runner: StageRunner, actor: Actor, stage_id: StageId) -> None:
    """Give up an attempt whose conversation was deleted while it was made."""
    async with database.read() as scope:
        stage = await repository.stage_by_id(scope, actor, stage_id)
    if stage is not None and stage.status == StageStatus.GENERATING and stage.run_id is None:
        correlate(CorrelationId(stage.correlation_id))
        gone = GenerationCancelled("the conversation in which it was generated was deleted")
        await runner.give_up(stage, Failure.of(gone))
