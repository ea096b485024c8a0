"""What becomes of a stage when its run has ended: content and a review, another run, or a failure."""

from dataclasses import dataclass

from app.core.actor import Actor
from app.core.errors import AppError, ErrorCode
from app.core.ids import new_id
from app.db.database import Database
from app.db.scopes import UnitOfWork
from app.messages.service import find_owned as find_message
from app.messages.values import MessageId
from app.prompts.values import Stage
from app.runs.models import Run
from app.runs.service import owner_of
from app.runs.values import Asked, Failure, Prepared, RunId, RunStatus, Wanted
from app.sessions.values import SessionId
from app.workflow import repository, service
from app.workflow.errors import GenerationCancelled, UselessAnswer
from app.workflow.generation import RUN_ENDED, Generation
from app.workflow.models import WorkflowStage
from app.workflow.stories import STORIES, WrongStories, read_stories, repair_request
from app.workflow.values import MOST_REPAIRS, MOST_STARTS, NewStory, ProjectId, StageId, StageStatus

SILENT = "the model ended without saying anything"


@dataclass(frozen=True, slots=True)
class Settling:
    """One per process, without state. Each change holds the project's row, and behind it looks again."""

    generation: Generation

    async def settle(self, database: Database, stage: WorkflowStage, run: Run) -> None:
        """Do what follows from the end of the run that makes an attempt; once more is no harm."""
        actor = owner_of(run)
        match RunStatus(run.status):
            case RunStatus.COMPLETED:
                await self._answered(database, actor, stage, run)
            case RunStatus.INTERRUPTED if stage.starts < MOST_STARTS:
                await self._again(database, actor, stage, run)
            case RunStatus.FAILED | RunStatus.INTERRUPTED:
                failure = run.error or Failure(ErrorCode.INTERNAL_SERVER_ERROR, "the run failed")
                await self.give_up(database, actor, stage, failure)
            case RunStatus.CANCELLED:
                cancelled = GenerationCancelled("its run was cancelled")
                await self.give_up(database, actor, stage, Failure.of(cancelled))
            case RunStatus.QUEUED | RunStatus.RUNNING | RunStatus.REQUIRES_ACTION:
                return

    async def give_up(self, database: Database, actor: Actor, stage: WorkflowStage, failure: Failure) -> None:
        """Note why an attempt failed, unless it is settled, or at another run, by now."""

        async def work(uow: UnitOfWork) -> None:
            found = await _held(uow, actor, stage)
            if found is not None:
                await service.give_up(uow, actor, found, failure)

        await database.transact(work)

    async def _answered(self, database: Database, actor: Actor, stage: WorkflowStage, run: Run) -> None:
        async with database.read() as scope:
            message = await find_message(scope, actor, MessageId(run.message_id))
        text = message.content.strip() if message else ""
        if not text:
            await self.give_up(database, actor, stage, Failure.of(UselessAnswer([SILENT])))
            return
        content: str | tuple[NewStory, ...] = text
        if stage.kind is Stage.STORY_GENERATION:
            try:
                content = read_stories(text)
            except WrongStories as wrong:
                await self._mend(database, actor, stage, run, wrong.problems)
                return

        async def work(uow: UnitOfWork) -> None:
            found = await _held(uow, actor, stage)
            if found is not None:
                await service.finish(uow, actor, found, content)

        await database.transact(work)

    async def _mend(
        self, database: Database, actor: Actor, stage: WorkflowStage, run: Run, problems: list[str]
    ) -> None:
        """Tell the model what is wrong with its answer, and have it answer once more; but not for ever."""
        if stage.repairs >= MOST_REPAIRS:
            await self.give_up(database, actor, stage, Failure.of(UselessAnswer(problems)))
            return
        wanted = Wanted(run.model, run.temperature, run.max_output_tokens, output=STORIES, on_end=RUN_ENDED)
        asked = Asked(
            SessionId(run.session_id), repair_request(problems), wanted, parent_message_id=MessageId(run.message_id)
        )
        try:
            prepared = await self.generation.runs.prepare(actor, asked)
            await database.transact(lambda uow: self._ask(uow, actor, stage, prepared))
        except AppError as error:
            await self._refused(database, actor, stage, error)

    async def _ask(self, uow: UnitOfWork, actor: Actor, stage: WorkflowStage, prepared: Prepared) -> None:
        session = await self.generation.runs.session_for(uow, actor, prepared)
        found = await _held(uow, actor, stage)
        if found is not None:
            outcome = await self.generation.runs.take_on(uow, actor, prepared, session)
            await repository.generate(uow, actor, found, RunId(outcome.run.id), repair=True)

    async def _again(self, database: Database, actor: Actor, stage: WorkflowStage, run: Run) -> None:
        """Begin once more what a server that stopped has left in the middle: nobody asks for a stage twice."""
        new_run_id = RunId(new_id())

        async def work(uow: UnitOfWork) -> None:
            # The session's row is locked by this, before the project's.
            outcome = await self.generation.runs.retry_within(uow, actor, RunId(run.id), new_run_id, on_end=RUN_ENDED)
            found = await _held(uow, actor, stage)
            if found is None:
                raise _Settled
            await repository.generate(uow, actor, found, RunId(outcome.run.id))

        try:
            await database.transact(work)
        except _Settled:
            return
        except AppError as error:
            await self._refused(database, actor, stage, error)

    async def _refused(self, database: Database, actor: Actor, stage: WorkflowStage, error: AppError) -> None:
        # The database's own troubles pass: the job comes again.
        if error.code is ErrorCode.PERSISTENCE_ERROR:
            raise error
        await self.give_up(database, actor, stage, Failure.of(error))


class _Settled(Exception):
    """The attempt needs no other run: the one that was being stored is rolled back."""


async def _held(uow: UnitOfWork, actor: Actor, seen: WorkflowStage) -> WorkflowStage | None:
    """An attempt with its project locked; None where it is settled, or at another run than when it was seen."""
    if await repository.lock(uow, actor, ProjectId(seen.project_id)) is None:
        return None
    found = await repository.stage_by_id(uow, actor, StageId(seen.id))
    is_same = found is not None and found.run_id == seen.run_id and StageStatus(found.status).live
    return found if is_same else None
