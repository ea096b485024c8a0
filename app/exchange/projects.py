"""What the command line makes of projects: their prompts as one archive, the same as the download."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.core.actor import CorrelationId, TenantId
from app.core.errors import ValidationError
from app.core.ids import parse_global_id
from app.db.database import Database
from app.exchange.files.targets import written_file
from app.exchange.formats.names import ExportFormat
from app.exchange.values import Ownership
from app.identity.service import local_actor
from app.identity.values import SYSTEM_USER
from app.workflow.bundle import Included, bundled
from app.workflow.loaders.downloads import prompts_of_project
from app.workflow.models import Project
from app.workflow.values import ProjectId


class Opened(Protocol):
    """A container, of which no more is needed."""

    @property
    def database(self) -> Database:
        """The process's."""


@dataclass(frozen=True, slots=True)
class PromptsAsked:
    """Which prompts of which project the operator asked for."""

    project_id: ProjectId
    included: Included


def prompts_asked(
    project: str | None, include: Included | None, sessions: Sequence[str], format_: ExportFormat | None
) -> PromptsAsked:
    """What the options mean; ValidationError where they mean no project, or something beside it."""
    if project is None:
        raise ValidationError("--include needs --project", field="--include")
    others = [*sessions, *(["--format"] if format_ is not None else [])]
    if others:
        raise ValidationError(
            f"--project writes an archive of prompts: {', '.join(others)} cannot go with it", field=others[0]
        )
    return PromptsAsked(
        ProjectId(parse_global_id(project, Project.node_type, "--project")), include or Included.APPROVED
    )


async def export_project(
    opened: AbstractAsyncContextManager[Opened],
    asked: PromptsAsked,
    tenant: TenantId,
    correlation: CorrelationId,
    output: Path | None,
) -> int:
    """Write the prompts of a project; how many. ProjectNotFound, NotPossibleNow: nothing is written then.

    UnusableTarget, ValidationError.
    """
    owner = Ownership(tenant, SYSTEM_USER, None, correlation)
    actor = local_actor(owner.user, owner.tenant, owner.correlation)
    async with opened as container, container.database.read() as scope:
        prompts = await prompts_of_project(scope, actor, asked.project_id, asked.included)
    bundle = bundled(prompts, asked.included)
    with written_file(output) as target:
        target.write(bundle.data)
    return bundle.prompts
