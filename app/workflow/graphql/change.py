"""Describing, changing and deleting projects."""

from typing import Any

import strawberry
from strawberry import UNSET, field

from app.core.ids import new_id
from app.graph.context import Info
from app.graph.inputs import input_type
from app.graph.payloads import Changed, Payload, given, mutation
from app.idempotency.graphql import KEY_DESCRIPTION, client_key
from app.workflow.errors import ProjectChanged
from app.workflow.graphql.projects import ProjectType, project_id
from app.workflow.pipeline import ProjectOutcome, WorkflowPipeline
from app.workflow.values import NewProject, ProjectId


@input_type("A new project.")
class CreateProjectInput:
    name: str = field(description="Its name, at most 255 characters.")
    description: str = field(
        description="What is to be made, in your words, at most 100,000 characters: the requirements analysis is made "
        "of it."
    )
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@input_type("Changes of a project: what is left out stays as it is.")
class UpdateProjectInput:
    project_id: strawberry.ID = field(description="The project.")
    name: str | None = field(default=UNSET, description="Its name, at most 255 characters.")
    description: str | None = field(
        default=UNSET,
        description="What is to be made, at most 100,000 characters. What was generated of the old one stays as it is.",
    )
    expected_version: int | None = field(
        default=None,
        description="The version that was changed: another one is refused with VERSION_CONFLICT, and the payload has "
        "that one. Without it, the last writer wins.",
    )
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@input_type("A project to delete.")
class DeleteProjectInput:
    project_id: strawberry.ID = field(description="The project.")
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@strawberry.type(description="What createProject answers.")
class CreateProjectPayload(Payload):
    project: ProjectType | None = field(description="The new project.")


@strawberry.type(description="What updateProject answers.")
class UpdateProjectPayload(Payload):
    project: ProjectType | None = field(
        description="The project after the change; where its version was another, as it is."
    )


@strawberry.type(description="What deleteProject answers.")
class DeleteProjectPayload(Payload):
    project: ProjectType | None = field(
        description="The project as it was, without what hung on it; null when it had been deleted before."
    )
    deleted_project_id: strawberry.ID | None = field(description="The id that no longer names a project.")


@strawberry.type
class ChangeMutations:
    @mutation(CreateProjectPayload, "Describe a project, for editors.")
    async def create_project(self, info: Info, input: CreateProjectInput) -> Changed:
        context, key = info.context, client_key(info, input)
        new = NewProject(ProjectId(new_id()), input.name, input.description)
        return _changed(await context.service(WorkflowPipeline).create(context.database, context.actor, new, key))

    @mutation(UpdateProjectPayload, "Change a project's name or description, for editors.")
    async def update_project(self, info: Info, input: UpdateProjectInput) -> Changed:
        context, changes = info.context, given(input, "name", "description")
        try:
            outcome = await context.service(WorkflowPipeline).update(
                context.database,
                context.actor,
                project_id(input.project_id),
                input.expected_version,
                changes,
                client_key(info, input),
            )
        except ProjectChanged as conflict:
            return Changed({"project": conflict.current}, refused=conflict)
        return _changed(outcome)

    @mutation(
        DeleteProjectPayload,
        "Delete a project with its stages, stories and reviews, for editors. What is being generated ends; the audit "
        "trail stays.",
    )
    async def delete_project(self, info: Info, input: DeleteProjectInput) -> Changed:
        context, key = info.context, client_key(info, input)
        pipeline = context.service(WorkflowPipeline)
        outcome = await pipeline.delete(context.database, context.actor, project_id(input.project_id), key)
        return _changed(outcome, deleted_project_id=input.project_id)


def _changed(outcome: ProjectOutcome, **others: Any) -> Changed:
    return Changed({"project": outcome.project, **others}, outcome.deduplicated)
