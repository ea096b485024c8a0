"""Having stages generated."""

import strawberry
from strawberry import field

from app.graph.context import Info
from app.graph.inputs import input_type
from app.graph.payloads import Changed, Payload, mutation
from app.idempotency.graphql import KEY_DESCRIPTION, client_key
from app.workflow.graphql.projects import project_id
from app.workflow.graphql.stages import WorkflowStageType, stage_id
from app.workflow.graphql.words import Stage
from app.workflow.pipeline import WorkflowPipeline
from app.workflow.values import UPSTREAM, Wish


@input_type("A stage of a project to have generated.")
class GenerateStageInput:
    project_id: strawberry.ID = field(description="The project.")
    stage: Stage = field(description="The stage: what it is built on must be approved.")
    upstream_id: strawberry.ID | None = field(
        default=None,
        description="The attempt at the stage before that it is to be built on; by default the approved one. The "
        "requirements analysis has none.",
    )
    story_index: int | None = field(
        default=None,
        description="Of prompts: the place of the story in the list, from 0; by default all stories that have neither "
        "an approved prompt nor one under way.",
    )
    model: str | None = field(default=None, description="The model, as `provider:model`; by default the server's.")
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@strawberry.type(description="What generateStage answers.")
class GenerateStagePayload(Payload):
    stage: WorkflowStageType | None = field(description="The new attempt; of several, the first.")
    stages: list[WorkflowStageType] | None = field(
        description="All new attempts: one, or of prompts one for each story, in their order."
    )


@strawberry.type
class GenerateMutations:
    @mutation(
        GenerateStagePayload,
        "Have a model make another attempt at a stage, for editors; returns at once. Earlier attempts stay.",
    )
    async def generate_stage(self, info: Info, input: GenerateStageInput) -> Changed:
        stage = Stage(input.stage)
        upstream = None if input.upstream_id is None else stage_id(input.upstream_id, "upstreamId", UPSTREAM[stage])
        wish = Wish(project_id(input.project_id), stage, upstream, input.story_index, input.model)
        context, key = info.context, client_key(info, input)
        outcome = await context.service(WorkflowPipeline).generate(context.database, context.actor, wish, key)
        first = next(iter(outcome.stages), None)
        return Changed({"stage": first, "stages": outcome.stages}, outcome.deduplicated)
