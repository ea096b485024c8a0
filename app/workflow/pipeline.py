"""How a project, its stages and their reviews are changed: each in one transaction, told apart by its client key."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from app.core.actor import Actor
from app.core.ids import new_id
from app.core.text import require_range
from app.db.database import Database
from app.db.scopes import ReadScope, UnitOfWork
from app.idempotency.service import earlier_subject, first_subject
from app.idempotency.values import ClientKey
from app.jobs.queue import enqueue
from app.jobs.values import JobKind
from app.prompts.values import Stage
from app.runs.service import job_of
from app.runs.values import RunId, RunRef
from app.sessions import service as sessions
from app.workflow import repository, service
from app.workflow.errors import ProjectNotFound, ReviewNotFound
from app.workflow.generation import Generation, Ready
from app.workflow.material import Rejection
from app.workflow.models import Project, Review, WorkflowStage
from app.workflow.values import (
    HIGHEST_VERSION,
    Attempt,
    Decision,
    DecisionKind,
    NewProject,
    ProjectId,
    ReviewId,
    StageId,
    StageStatus,
    Wish,
)

ADVANCE = JobKind("workflow")
"""The job that begins what waits for its turn in a project."""
CALL_OFF = JobKind("workflow-cancel")
"""The job that cancels a run whose stage has become stale; its payload names the run."""


class _Moved(Exception):
    """What a stage was to be built on, or its review, has changed since it was prepared."""


class _MoreSessions(Exception):
    """A stage began while the sessions of its project were being locked."""


@dataclass(frozen=True, slots=True)
class ProjectOutcome:
    """The project after a change; None where it was deleted."""

    project: Project | None
    deduplicated: bool = False


@dataclass(frozen=True, slots=True)
class StageOutcome:
    """What was asked to be generated: one attempt, or of prompts one for each story, in their order."""

    stages: Sequence[WorkflowStage]
    deduplicated: bool = False


@dataclass(frozen=True, slots=True)
class ReviewOutcome:
    """A review after a decision, with its stage."""

    review: Review
    stage: WorkflowStage
    regenerated: WorkflowStage | None = None
    """The attempt that is made with the feedback."""
    stale: Sequence[WorkflowStage] = field(default_factory=tuple)
    """What became stale by it."""
    deduplicated: bool = False


def job_of_project(actor: Actor, project_id: ProjectId) -> bytes:
    """The payload of the job that begins what waits in a project."""
    return orjson.dumps([actor.tenant_id, str(project_id)])


@dataclass(frozen=True, slots=True)
class WorkflowPipeline:
    """One per process, without state."""

    generation: Generation
    at_once: int = 4
    """Attempts of one project that are generated at a time; the others wait for their turn."""

    async def create(self, database: Database, actor: Actor, new: NewProject, key: ClientKey | None) -> ProjectOutcome:
        """Store a project. ValidationError, NotForYou, KeyReused."""
        service.require_editor(actor, "creating a project")
        new.check()

        async def work(uow: UnitOfWork) -> ProjectOutcome:
            earlier = await earlier_subject(uow, actor, key, new.id)
            if earlier is not None:
                return ProjectOutcome(await _there(uow, actor, ProjectId(earlier)), deduplicated=True)
            return ProjectOutcome(await repository.create(uow, actor, new))

        return await database.transact(work)

    async def update(
        self,
        database: Database,
        actor: Actor,
        project_id: ProjectId,
        expected_version: int | None,
        changes: dict[str, Any],
        key: ClientKey | None,
    ) -> ProjectOutcome:
        """Change name or description. ValidationError, NotForYou, ProjectNotFound, ProjectChanged, KeyReused."""
        service.require_editor(actor, "changing a project")
        require_range(expected_version, "expectedVersion", at_least=1, at_most=HIGHEST_VERSION)

        async def work(uow: UnitOfWork) -> ProjectOutcome:
            if await earlier_subject(uow, actor, key, project_id) is not None:
                return ProjectOutcome(await _there(uow, actor, project_id), deduplicated=True)
            return ProjectOutcome(await service.update(uow, actor, project_id, expected_version, changes))

        return await database.transact(work)

    async def delete(
        self, database: Database, actor: Actor, project_id: ProjectId, key: ClientKey | None
    ) -> ProjectOutcome:
        """Delete a project with all that hangs on it, also what is being generated. ProjectNotFound, NotForYou."""
        service.require_editor(actor, "deleting a project")

        async def work(uow: UnitOfWork) -> ProjectOutcome:
            if await earlier_subject(uow, actor, key, project_id) is not None:
                return ProjectOutcome(None, deduplicated=True)
            locked = await sessions.lock_of_project(uow, actor, project_id)
            await service.lock(uow, actor, project_id)
            # A stage that began while the sessions were waited for: it is locked before the project, or not at all.
            if len(await sessions.lock_of_project(uow, actor, project_id)) != len(locked):
                raise _MoreSessions
            await sessions.delete_of_project(uow, actor, project_id)
            await repository.delete(uow, actor, project_id)
            return ProjectOutcome(None)

        while True:
            try:
                return await database.transact(work)
            except _MoreSessions:
                continue

    async def generate(self, database: Database, actor: Actor, wish: Wish, key: ClientKey | None) -> StageOutcome:
        """Have a stage generated. ValidationError, NotForYou, ProjectNotFound, StageNotFound, StoryNotFound,
        NotPossibleNow, MaterialTooLong, TemplateNotFound, ProviderNotConfigured, BudgetExceeded, KeyReused.
        """
        service.require_editor(actor, "generating a stage")
        wish.check()
        while True:
            try:
                return await self._generate(database, actor, wish, key)
            except _Moved:
                continue

    async def _generate(self, database: Database, actor: Actor, wish: Wish, key: ClientKey | None) -> StageOutcome:
        models = self.generation.runs.models
        async with database.read() as scope:
            # Before anything is looked at that has changed since it came first.
            subject = await first_subject(scope, actor, key)
            if subject is not None:
                return await _as_before(scope, actor, StageId(subject))
            model = models.resolve(models.default if wish.model is None else wish.model).id
            attempt = await service.attempt_of(scope, actor, wish, model)
            indexes = await self._indexes(scope, actor, wish, attempt)
        ids = [StageId(new_id()) for _ in indexes]
        ready: Ready | None = None
        if len(ids) == 1:
            ready = await self.generation.make_ready(database, actor, replace(attempt, story_index=indexes[0]))
        else:
            await self.generation.check_template(database, actor, attempt)

        async def work(uow: UnitOfWork) -> StageOutcome:
            subject = await earlier_subject(uow, actor, key, ids[0])
            if subject is not None:
                return await _as_before(uow, actor, StageId(subject))
            await service.lock(uow, actor, wish.project_id)
            if await service.attempt_of(uow, actor, wish, model) != attempt:
                raise _Moved
            if await self._indexes(uow, actor, wish, attempt) != indexes:
                raise _Moved
            stages = await service.request(uow, actor, attempt, ids, indexes)
            if ready is not None:
                return StageOutcome([await self._start(uow, actor, stages[0], ready)])
            await enqueue(uow, ADVANCE, job_of_project(actor, wish.project_id))
            return StageOutcome(stages)

        return await database.transact(work)

    async def decide(
        self, database: Database, actor: Actor, decision: Decision, key: ClientKey | None
    ) -> ReviewOutcome:
        """Approve or reject an attempt. Where changes are asked for, another is made in the same transaction.

        ValidationError, NotForYou, ReviewNotFound, AlreadyDecided, NotPossibleNow; and those of `generate`.
        """
        service.require_reviewer(actor)
        decision.check()
        while True:
            try:
                return await self._decide(database, actor, decision, key)
            except _Moved:
                continue

    async def _decide(
        self, database: Database, actor: Actor, decision: Decision, key: ClientKey | None
    ) -> ReviewOutcome:
        async with database.read() as scope:
            if await first_subject(scope, actor, key) is not None:
                return await _as_decided(scope, actor, decision.review_id)
            review = await repository.find_review(scope, actor, decision.review_id)
            stage = await repository.stage_of_review(scope, actor, decision.review_id)
        if review is None or stage is None:
            raise ReviewNotFound
        ready: Ready | None = None
        if decision.kind is DecisionKind.REQUEST_CHANGES and review.status == decision.expected_status:
            ready = await self._ready_again(database, actor, decision, stage)

        async def work(uow: UnitOfWork) -> ReviewOutcome:
            if await earlier_subject(uow, actor, key, decision.review_id) is not None:
                return await _as_decided(uow, actor, decision.review_id)
            if await repository.lock(uow, actor, ProjectId(stage.project_id)) is None:
                raise ReviewNotFound
            decided = await service.decide(uow, actor, decision)
            for gone in decided.stale:
                if gone.run_id is not None:
                    await enqueue(uow, CALL_OFF, job_of(RunRef(actor.tenant_id, RunId(gone.run_id))))
            made: WorkflowStage | None = None
            if ready is None and decision.kind is DecisionKind.REQUEST_CHANGES:
                # Somebody has made the review what is expected since it was read: nothing is prepared for that.
                raise _Moved
            if ready is not None:
                attempt = replace(stage.as_attempt, model=ready.request.wanted.model or stage.model)
                requested = await service.request(uow, actor, attempt, [StageId(new_id())], [attempt.story_index])
                made = await self._start(uow, actor, requested[0], ready)
            return ReviewOutcome(decided.review, decided.stage, made, decided.stale)

        return await database.transact(work)

    async def start_next(self, database: Database, actor: Actor, pending: WorkflowStage) -> bool:
        """Begin an attempt that waits, where it still does and its turn has come; whether it has begun.

        Errors as of `generate`.
        """
        ready = await self.generation.make_ready(database, actor, pending.as_attempt)

        async def work(uow: UnitOfWork) -> bool:
            if await repository.lock(uow, actor, ProjectId(pending.project_id)) is None:
                return False
            found = await repository.stage_by_id(uow, actor, StageId(pending.id))
            if found is None or found.status != StageStatus.PENDING:
                return False
            return (await self._start(uow, actor, found, ready)).status == StageStatus.GENERATING

        return await database.transact(work)

    async def _start(self, uow: UnitOfWork, actor: Actor, stage: WorkflowStage, ready: Ready) -> WorkflowStage:
        """Have an attempt generated whose turn it is; else it is left to wait. The project is locked."""
        if await repository.generating(uow, actor, ProjectId(stage.project_id)) >= self.at_once:
            return stage
        run_id = await self.generation.begin(uow, actor, ready)
        return await repository.generate(uow, actor, stage, run_id) or stage

    async def _ready_again(self, database: Database, actor: Actor, decision: Decision, stage: WorkflowStage) -> Ready:
        """The attempt after one that is rejected, with what is said of that."""
        model = self.generation.runs.models.resolve(decision.model or stage.model).id
        rejection = Rejection(stage.attempt, stage.content or "", decision.feedback or "")
        return await self.generation.make_ready(database, actor, replace(stage.as_attempt, model=model), rejection)

    async def _indexes(self, scope: ReadScope, actor: Actor, wish: Wish, attempt: Attempt) -> Sequence[int | None]:
        """Which stories are meant; one None where none is."""
        if wish.stage is Stage.PROMPT_GENERATION and wish.story_index is None:
            return await service.missing_prompts(scope, actor, attempt)
        return [wish.story_index]


async def _there(uow: UnitOfWork, actor: Actor, project_id: ProjectId) -> Project:
    found = await repository.find(uow, actor, project_id)
    if found is None:
        raise ProjectNotFound
    return found


async def _as_before(scope: ReadScope, actor: Actor, stage_id: StageId) -> StageOutcome:
    """What the same request made when it came first, as it is now."""
    first = await repository.stage_by_id(scope, actor, stage_id)
    if first is None:
        raise ProjectNotFound
    return StageOutcome(await repository.stages_of_request(scope, actor, first), deduplicated=True)


async def _as_decided(scope: ReadScope, actor: Actor, review_id: ReviewId) -> ReviewOutcome:
    review = await repository.find_review(scope, actor, review_id)
    stage = await repository.stage_of_review(scope, actor, review_id)
    if review is None or stage is None:
        raise ReviewNotFound
    return ReviewOutcome(review, stage, deduplicated=True)
