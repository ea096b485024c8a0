"""How a run comes to make a stage: the three stages of an execution, with the project's material as what is asked."""

from dataclasses import dataclass, replace

from app.core.actor import Actor
from app.core.ids import global_id, new_id
from app.db.database import Database
from app.db.scopes import ReadScope, UnitOfWork
from app.execution.admission import RunAdmission
from app.execution.persistence import PromptPersistence, SqlExecutions, WithinTransaction
from app.execution.values import ExecutePromptRequest, LlmExecutionResult, PreparedPrompt
from app.jobs.values import JobKind
from app.prompts import service as prompts
from app.prompts.errors import TemplateNotFound
from app.prompts.models import PromptTemplateVersion
from app.prompts.values import Choice, NewTemplate, Place, Stage, TemplateId, VersionId
from app.runs.pipeline import RunPipeline
from app.runs.values import RunId, Wanted
from app.workflow import repository
from app.workflow.defaults import DEFAULTS
from app.workflow.errors import ProjectNotFound, StageNotFound, StoryNotFound
from app.workflow.material import Material, Rejection, prompt_of
from app.workflow.models import Project
from app.workflow.service import WORDS
from app.workflow.stories import STORIES, one_as_markdown
from app.workflow.values import Attempt

RUN_ENDED = JobKind("workflow-run")
"""The job that settles a stage, added by whoever ends its run; its payload names the run."""

TITLES = {
    Stage.REQUIREMENTS_ANALYSIS: "Requirements analysis",
    Stage.PROJECT_PLANNING: "Project planning",
    Stage.STORY_GENERATION: "Story generation",
    Stage.PROMPT_GENERATION: "Prompt generation",
}


@dataclass(frozen=True, slots=True)
class Ready:
    """A run that only has to be stored: all that takes time was done before any lock."""

    request: ExecutePromptRequest
    result: LlmExecutionResult


@dataclass(frozen=True, slots=True)
class Generation:
    """One per process, without state."""

    runs: RunPipeline
    executions: SqlExecutions

    async def make_ready(
        self, database: Database, actor: Actor, attempt: Attempt, rejected: Rejection | None = None
    ) -> Ready:
        """Find the template, put the material together, and admit both to a model; `rejected` is the latest attempt,
        where its rejection is not stored yet. Nothing is held.

        ProjectNotFound, StageNotFound, StoryNotFound, MaterialTooLong, TemplateNotFound, ProviderNotConfigured,
        ValidationError for a template with variables of other names.
        """
        version = await self._template(database, actor, attempt)
        async with database.read() as scope:
            material = await _material(scope, actor, attempt, rejected)
        text, items = prompt_of(material, version)
        output = STORIES if attempt.stage is Stage.STORY_GENERATION else None
        request = ExecutePromptRequest(
            None,
            Choice(TemplateId(version.template_id), version=version.version),
            wanted=Wanted(attempt.model, output=output, on_end=RUN_ENDED),
            project_id=attempt.project_id,
            title=_title(material, attempt),
        )
        prepared = PreparedPrompt(text, attempt.model, None, version, items)
        return Ready(request, await RunAdmission(actor, self.runs).execute(prepared, request))

    async def begin(self, uow: UnitOfWork, actor: Actor, ready: Ready) -> RunId:
        """Store the run with its conversation, execution and job, in the caller's transaction; the run's id.

        The project's row is locked; the conversation is new, so that nobody can wait for it. TemplateNotFound,
        WindowExceeded; BudgetExceeded at the end of the transaction.
        """
        third = PromptPersistence(WithinTransaction(uow), actor, self.executions)
        stored = await third.persist(ready.request, ready.result, actor.correlation_id)
        return stored.execution.run_id

    async def check_template(self, database: Database, actor: Actor, attempt: Attempt) -> None:
        """Raise what would keep attempts from being made for want of a template or of a model."""
        self.runs.models.resolve(attempt.model)
        await self._template(database, actor, attempt)

    async def _template(self, database: Database, actor: Actor, attempt: Attempt) -> PromptTemplateVersion:
        """The project's enabled template for the stage, else the tenant's, else the built-in one, then installed."""
        choices = [
            Choice(enabled=True, place=place, stage=attempt.stage)
            for place in (Place(project_id=global_id(Project.node_type, attempt.project_id)), Place())
        ]
        async with database.read() as scope:
            for choice in choices:
                try:
                    return await prompts.resolve(scope, actor, choice)
                except TemplateNotFound:
                    continue
        new = NewTemplate(
            TemplateId(new_id()), VersionId(new_id()), DEFAULTS[attempt.stage], stage=attempt.stage, enabled=True
        )
        await database.transact(lambda uow: prompts.install(uow, actor, new))
        async with database.read() as scope:
            try:
                return await prompts.resolve(scope, actor, choices[-1])
            except TemplateNotFound:
                raise TemplateNotFound("stage", "no prompt template for the stage is enabled") from None


async def _material(scope: ReadScope, actor: Actor, attempt: Attempt, rejected: Rejection | None) -> Material:
    project = await repository.find(scope, actor, attempt.project_id)
    if project is None:
        raise ProjectNotFound
    said = [(found.attempt, found.text) for found in reversed(await repository.feedback_on(scope, actor, attempt))]
    previous: tuple[int, str] | None = None
    if rejected is not None:
        said.append((rejected.attempt, rejected.feedback))
        previous = (rejected.attempt, rejected.content)
    elif said and (latest := await repository.latest_decided(scope, actor, attempt)) is not None:
        previous = (latest.attempt, latest.content or "")
    material = Material(project.name, project.description, feedback=said, previous=previous)
    if attempt.upstream_id is None:
        return material
    upstream = await repository.stage_by_id(scope, actor, attempt.upstream_id)
    if upstream is None or upstream.project_id != attempt.project_id:
        raise StageNotFound
    if attempt.story_index is not None:
        stories = await repository.stories_of(scope, actor, attempt.upstream_id)
        if attempt.story_index >= len(stories):
            raise StoryNotFound(len(stories))
        return replace(material, story=one_as_markdown(attempt.story_index, stories[attempt.story_index]))
    name = f"approved {WORDS[upstream.kind]}"
    return replace(material, upstream=upstream.content or "", upstream_name=name)


def _title(material: Material, attempt: Attempt) -> str:
    story = "" if attempt.story_index is None else f", story {attempt.story_index + 1}"
    return f"{TITLES[attempt.stage]}{story}: {material.project_name}"[:255]
