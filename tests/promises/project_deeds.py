"""What of the workflow is stored in one transaction each, ready to be done, and done again."""

from typing import Any

import asyncpg

from app.core.errors import AppError
from app.db.scopes import UnitOfWork
from app.prompts.values import Stage
from app.workflow import repository, service
from app.workflow.pipeline import WorkflowPipeline
from app.workflow.stories import read_stories
from app.workflow.values import Attempt, ProjectId, StageId, StageStatus
from tests.client import GraphQLClient
from tests.promises.deeds import MASKED, Again, Answer, Deed, mutation
from tests.workflow.making import told
from tests.workflow.scenes import PP, RA, SG, Scene, a_project


async def _project(client: GraphQLClient) -> Scene:
    """A project of which nothing is made, with the templates that it needs."""
    context = await client.context()
    generation = context.service(WorkflowPipeline).generation
    scene = await a_project(context.database._lender.pool.fetch)
    for stage in Stage:
        attempt = Attempt(ProjectId(scene.key), stage, None, None, "local:echo")
        await generation.check_template(context.database, context.actor, attempt)
    return scene


async def _to_generate(client: GraphQLClient) -> dict[str, Any]:
    return {"projectId": (await _project(client)).id, "stage": "REQUIREMENTS_ANALYSIS", "model": "local:echo"}


async def _all_prompts(client: GraphQLClient) -> dict[str, Any]:
    scene = await _project(client)
    for stage in (RA, PP, SG):
        await scene.add(stage, StageStatus.APPROVED)
    return {"projectId": scene.id, "stage": "PROMPT_GENERATION", "model": "local:echo"}


async def _to_be_made_anew(client: GraphQLClient) -> dict[str, Any]:
    """The review of a plan that is approved, on which stories are built."""
    scene = await _project(client)
    await scene.add(RA, StageStatus.APPROVED)
    plan = await scene.add(PP, StageStatus.APPROVED)
    await scene.add(SG)
    return {
        "reviewId": plan.review, "decision": "REQUEST_CHANGES", "feedback": "More.", "expectedStatus": "APPROVED",
    }  # fmt: skip


async def _to_delete(client: GraphQLClient) -> dict[str, Any]:
    """A project of which a stage is being generated."""
    given = await _to_generate(client)
    payload = await client.mutate("generateStage", "stage { id }", given)
    assert payload["success"], payload
    return {"projectId": given["projectId"]}


async def _listed(client: GraphQLClient) -> Again:
    """A list of stories that its model has told, and that is to be kept."""
    scene = await _project(client)
    await scene.add(RA, StageStatus.APPROVED)
    await scene.add(PP, StageStatus.APPROVED)
    made = await scene.add(SG, StageStatus.GENERATING)
    stories = read_stories(told())

    async def finish(over: GraphQLClient) -> Answer:
        context = await over.context()

        async def work(uow: UnitOfWork) -> None:
            await service.lock(uow, context.actor, ProjectId(scene.key))
            stage = await repository.stage_by_id(uow, context.actor, StageId(made.key))
            if stage is not None and stage.status == StageStatus.GENERATING:
                await service.finish(uow, context.actor, stage, stories)

        try:
            await context.database.transact(work)
        except AppError as error:
            return Answer(error.code, error.retryable, error.hint, error.message)
        except asyncpg.PostgresError as error:
            # The stage's job is run again by its queue, which logs this.
            return Answer(MASKED, text=str(error.detail))
        return Answer()

    return finish


PROJECT_DEEDS = {
    "generateStage": mutation("generateStage", _to_generate),
    "generateStage, all prompts": mutation("generateStage", _all_prompts),
    "decideReview, made anew": mutation("decideReview", _to_be_made_anew),
    "deleteProject": mutation("deleteProject", _to_delete),
    "end of a stage": Deed(_listed),
}
"""Those of chat and prompts are in `deeds`."""
