"""Downloads of what a project came to: its prompts in one archive, and each alone."""

import asyncio
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from app.core.errors import ValidationError
from app.core.ids import parse_global_id
from app.graph.context import Context
from app.graph.endpoints import Endpoints
from app.graph.ranges import is_known
from app.prompts.values import Stage
from app.workflow.bundle import Included, bundled, file_name, in_file
from app.workflow.errors import GeneratedPromptNotFound, NotPossibleNow
from app.workflow.loaders.downloads import prompt_generated, prompts_of_project
from app.workflow.models import Project
from app.workflow.values import NODE_TYPES, ProjectId, StageId

_KEPT = {
    # A browser may keep it, and asks each time whether it is still the same: reviewers decide anew.
    "cache-control": "private, no-cache",
    # Another user at the same browser is another reader.
    "vary": "X-Colloquy-User",
    "x-content-type-options": "nosniff",
}


def routes(endpoint: Endpoints) -> list[BaseRoute]:
    """The routes of this room."""
    return [
        endpoint("/projects/{project_id}/prompts.zip", get=_prompts),
        endpoint("/projects/{project_id}/prompts/{prompt_id}.md", get=_prompt),
    ]


async def _prompts(request: Request, context: Context) -> Response:
    """The prompts of the approved stories, one file each, and a manifest."""
    project_id = _project_id(request)
    included = _included(request.query_params.get("include", Included.APPROVED))
    async with context.database.read() as scope:
        prompts = await prompts_of_project(scope, context.actor, project_id, included)
    # Fifty prompts of a million characters at worst: others are answered meanwhile.
    bundle = await asyncio.to_thread(bundled, prompts, included)
    return _file(request, bundle.name, bundle.data, bundle.digest, "application/zip")


async def _prompt(request: Request, context: Context) -> Response:
    """One attempt at a prompt, approved or not."""
    project_id = _project_id(request)
    given = request.path_params["prompt_id"]
    stage_id = StageId(parse_global_id(given, NODE_TYPES[Stage.PROMPT_GENERATION], "promptId"))
    async with context.database.read() as scope:
        found = await prompt_generated(scope, context.actor, stage_id)
    if found is None or found.project_id != project_id:
        raise GeneratedPromptNotFound("promptId")
    if found.content is None:
        raise NotPossibleNow(
            f"the prompt is {found.status.upper()}, and nothing is written", "promptId",
            "wait for it, or choose another attempt",
        )  # fmt: skip
    content = in_file(found.content)
    name = file_name(found.story_index, found.title)
    return _file(request, name, content, sha256(content).hexdigest(), "text/markdown; charset=utf-8")


def _file(request: Request, name: str, content: bytes, digest: str, media_type: str) -> Response:
    etag = f'"sha256-{digest}"'
    headers = {**_KEPT, "etag": etag}
    if is_known(request.headers, etag):
        return Response(status_code=304, headers=headers)
    # The name is of letters, digits and hyphens.
    headers |= {"content-type": media_type, "content-disposition": f'attachment; filename="{name}"'}
    return Response(content, headers=headers)


def _project_id(request: Request) -> ProjectId:
    return ProjectId(parse_global_id(request.path_params["project_id"], Project.node_type, "projectId"))


def _included(wanted: str) -> Included:
    if wanted not in list(Included):
        raise ValidationError(f"include must be {', '.join(Included)}", field="include", hint="choose one of them")
    return Included(wanted)
