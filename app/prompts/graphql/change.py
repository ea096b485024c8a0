"""Making, changing, enabling, labelling and deleting prompt templates."""

from typing import Any

import strawberry
from strawberry import UNSET, field

from app.core.errors import ValidationError
from app.core.ids import new_id
from app.graph.context import Info
from app.graph.payloads import Changed, Payload, given, mutation
from app.idempotency.graphql import client_key
from app.prompts.errors import LabelConflict, VersionConflict
from app.prompts.graphql.inputs import (
    CreatePromptTemplateInput,
    DeletePromptTemplateInput,
    DisablePromptTemplateInput,
    EnablePromptTemplateInput,
    SetPromptLabelInput,
    UpdatePromptTemplateInput,
)
from app.prompts.graphql.types import PromptTemplateType, template_id
from app.prompts.pipeline import PromptPipeline
from app.prompts.service import TemplateOutcome
from app.prompts.values import LabelMove, NewTemplate, Place, PromptType, Stage, TemplateId, Text, VersionId


@strawberry.type(description="What createPromptTemplate answers.")
class CreatePromptTemplatePayload(Payload):
    template: PromptTemplateType | None = field(description="The new template.")
    replaced: PromptTemplateType | None = field(description="The template that was disabled for it.")


@strawberry.type(description="What updatePromptTemplate answers.")
class UpdatePromptTemplatePayload(Payload):
    template: PromptTemplateType | None = field(
        description="The template after the change; where its version was another, as it is."
    )


@strawberry.type(description="What enablePromptTemplate answers.")
class EnablePromptTemplatePayload(Payload):
    template: PromptTemplateType | None = field(description="The template after the change.")
    replaced: PromptTemplateType | None = field(description="The template that was disabled for it.")


@strawberry.type(description="What disablePromptTemplate answers.")
class DisablePromptTemplatePayload(Payload):
    template: PromptTemplateType | None = field(description="The template after the change.")


@strawberry.type(description="What deletePromptTemplate answers.")
class DeletePromptTemplatePayload(Payload):
    template: PromptTemplateType | None = field(
        description="The template as it was left: its versions and its history stay."
    )
    deleted_template_id: strawberry.ID | None = field(description="The id that lists no longer have.")


@strawberry.type(description="What setPromptLabel answers.")
class SetPromptLabelPayload(Payload):
    template: PromptTemplateType | None = field(
        description="The template after the change; where the label was at another version, as it is."
    )


@strawberry.type
class ChangeMutations:
    @mutation(CreatePromptTemplatePayload, "Add a prompt template to the library, for editors.")
    async def create_prompt_template(self, info: Info, input: CreatePromptTemplateInput) -> Changed:
        text = Text(
            input.name,
            input.content,
            PromptType(input.type),
            input.description,
            tuple(variable.to_variable() for variable in input.variables),
        )
        new = NewTemplate(
            TemplateId(new_id()),
            VersionId(new_id()),
            text,
            Place(input.project_id, input.organization_id),
            input.enabled,
            input.replace_enabled,
            None if input.stage is None else Stage(input.stage),
        )
        context = info.context
        pipeline = context.service(PromptPipeline)
        return _changed(await pipeline.create(context.database, context.actor, new, client_key(info, input)))

    @mutation(UpdatePromptTemplatePayload, "Add a version to a prompt template, for editors.")
    async def update_prompt_template(self, info: Info, input: UpdatePromptTemplateInput) -> Changed:
        changes = given(input, "name", "content", "description", "type", "variables")
        if "variables" in changes:
            changes["variables"] = tuple(variable.to_variable() for variable in changes["variables"] or ())
        context = info.context
        try:
            outcome = await context.service(PromptPipeline).update(
                context.database,
                context.actor,
                template_id(input.template_id),
                input.expected_version,
                changes,
                client_key(info, input),
            )
        except VersionConflict as conflict:
            return Changed({"template": conflict.template}, refused=conflict)
        return _changed(outcome)

    @mutation(
        EnablePromptTemplatePayload,
        "Make a prompt template the one to use in its project, for editors. Its versions stay as they are.",
    )
    async def enable_prompt_template(self, info: Info, input: EnablePromptTemplateInput) -> Changed:
        context = info.context
        outcome = await context.service(PromptPipeline).enable(
            context.database,
            context.actor,
            template_id(input.template_id),
            client_key(info, input),
            replace_enabled=input.replace_enabled,
        )
        return _changed(outcome)

    @mutation(DisablePromptTemplatePayload, "Have no prompt template enabled in this one's project, for editors.")
    async def disable_prompt_template(self, info: Info, input: DisablePromptTemplateInput) -> Changed:
        context = info.context
        pipeline, key = context.service(PromptPipeline), client_key(info, input)
        return _changed(await pipeline.disable(context.database, context.actor, template_id(input.template_id), key))

    @mutation(
        DeletePromptTemplatePayload,
        "Delete a prompt template, for editors. Its name is free again; its versions and its history stay.",
    )
    async def delete_prompt_template(self, info: Info, input: DeletePromptTemplateInput) -> Changed:
        context = info.context
        pipeline, key = context.service(PromptPipeline), client_key(info, input)
        outcome = await pipeline.delete(context.database, context.actor, template_id(input.template_id), key)
        return _changed(outcome, deleted_template_id=input.template_id)

    @mutation(SetPromptLabelPayload, "Set, move or remove a label of a prompt template, for editors.")
    async def set_prompt_label(self, info: Info, input: SetPromptLabelInput) -> Changed:
        if input.version is UNSET:
            raise ValidationError(
                "version is missing", field="version", hint="send the number of a version, or null to remove the label"
            )
        move = LabelMove(template_id(input.template_id), input.label, input.version, input.expected_version)
        context = info.context
        pipeline, key = context.service(PromptPipeline), client_key(info, input)
        try:
            return _changed(await pipeline.set_label(context.database, context.actor, move, key))
        except LabelConflict as conflict:
            return Changed({"template": conflict.template}, refused=conflict)


def _changed(outcome: TemplateOutcome, **others: Any) -> Changed:
    objects = {"template": outcome.template, "replaced": outcome.replaced, **others}
    return Changed(objects, outcome.deduplicated, outcome.warnings)
