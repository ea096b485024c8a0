"""The workflow's jobs: settles stages whose runs have ended, and begins those that wait for their turn."""

import orjson
import structlog

from app.core.actor import NOBODY, Actor, CorrelationId, TenantId, UserId
from app.core.errors import AppError, ErrorCode
from app.core.ids import parse_uuid
from app.core.logging import correlate
from app.db.database import Database
from app.identity.values import USER_ROLES
from app.runs import service as runs
from app.runs.errors import RunEnded, RunNotFound
from app.runs.values import Failure
from app.workflow import repository
from app.workflow.errors import GenerationCancelled
from app.workflow.models import WorkflowStage
from app.workflow.pipeline import WorkflowPipeline
from app.workflow.settling import Settling
from app.workflow.values import ProjectId, StageStatus

log = structlog.get_logger("colloquy.workflow")


class StageRunner:
    """One per process, without state; every job of it may run twice, and on any process."""

    def __init__(self, database: Database, workflow: WorkflowPipeline) -> None:
        self._database = database
        self._workflow = workflow
        self._settling = Settling(workflow.generation)

    async def run_ended(self, payload: bytes) -> None:
        """Settle the stage whose run has ended, then begin what waits in its project."""
        ref = runs.run_of(payload)
        async with self._database.read() as scope:
            stage = await repository.stage_of_run(scope, ref)
            run = await runs.find_any(scope, ref)
        if stage is None or run is None:
            return
        correlate(CorrelationId(stage.correlation_id))
        if stage.status == StageStatus.GENERATING:
            await self._settling.settle(self._database, stage, run)
        await self._advance(asker_of(stage), ProjectId(stage.project_id))

    async def advance(self, payload: bytes) -> None:
        """Begin what waits in a project, as far as its turn has come."""
        tenant_id, project_id = orjson.loads(payload)
        # Whoever reads: what is begun is begun for whoever asked for it.
        reader = Actor(TenantId(tenant_id), UserId(""), USER_ROLES, CorrelationId(""))
        await self._advance(reader, ProjectId(parse_uuid(project_id)))

    async def call_off(self, payload: bytes) -> None:
        """Cancel a run whose stage has become stale: nobody waits for it, and it is paid for."""
        ref = runs.run_of(payload)
        async with self._database.read() as scope:
            run = await runs.find_any(scope, ref)
        if run is None:
            return
        correlate(CorrelationId(run.correlation_id))
        try:
            await self._workflow.generation.runs.cancel(self._database, runs.owner_of(run), ref.id, None)
        except (RunEnded, RunNotFound) as error:
            log.info("run_not_called_off", run=str(ref.id), reason=error.message)

    async def give_up(self, stage: WorkflowStage, failure: Failure) -> None:
        """Note that nothing will come of an attempt, then begin what waits behind it."""
        await self._settling.give_up(self._database, asker_of(stage), stage, failure)
        await self._advance(asker_of(stage), ProjectId(stage.project_id))

    async def _advance(self, actor: Actor, project_id: ProjectId) -> None:
        while True:
            async with self._database.read() as scope:
                if await repository.generating(scope, actor, project_id) >= self._workflow.at_once:
                    return
                pending = await repository.next_pending(scope, actor, project_id)
            if pending is None:
                return
            asker = asker_of(pending)
            correlate(asker.correlation_id)
            if pending.created_by == NOBODY:
                gone = GenerationCancelled("whoever asked for it was erased before its turn came")
                await self._settling.give_up(self._database, asker, pending, Failure.of(gone))
                continue
            try:
                await self._workflow.start_next(self._database, asker, pending)
            except AppError as error:
                # The database's own troubles pass: the job comes again.
                if error.code is ErrorCode.PERSISTENCE_ERROR:
                    raise
                log.info("stage_not_begun", stage=str(pending.id), code=error.code, reason=error.message)
                await self._settling.give_up(self._database, asker, pending, Failure.of(error))


def asker_of(stage: WorkflowStage) -> Actor:
    """On whose behalf a worker acts: who asked, under the request that asked."""
    return Actor(TenantId(stage.tenant_id), UserId(stage.created_by), USER_ROLES, CorrelationId(stage.correlation_id))
