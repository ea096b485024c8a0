"""Statements about projects themselves."""

from typing import Any

from sqlalchemy import Integer, Text, Uuid, func, insert, literal, select
from sqlalchemy import delete as remove

from app.core.actor import Actor
from app.core.ids import global_id
from app.db.scopes import ReadScope, UnitOfWork
from app.db.statement import Command, Query, param
from app.events.fragments import event, event_parameters
from app.events.values import SHARED, EventKind
from app.workflow.fragments import counted_up, is_project, projects
from app.workflow.models import Project
from app.workflow.values import NewProject, ProjectId

_FIND = Query(Project, select(*projects.c).where(is_project()))

_LOCK = Command(Project, select(*projects.c).where(is_project()).with_for_update(key_share=True))

_DELETE = Command(object, remove(projects).where(is_project()).returning(projects.c.id))

_ONE = literal(1, Integer)


def _create() -> Command[Project]:
    now = func.statement_timestamp()
    row: dict[str, Any] = {
        "tenant_id": param("tenant_id", Text), "id": param("project_id", Uuid), "name": param("name", Text),
        "description": param("description", Text), "last_event": _ONE, "created_by": param("actor", Text),
        "updated_by": param("actor", Text), "created_at": now, "updated_at": now,
    }  # fmt: skip
    made = (
        insert(projects)
        .from_select(list(row), select(*row.values()))
        .returning(*projects.c, literal(SHARED, Text).label("user_id"))
        .cte("project")
    )
    shown = [made.c[column.name] for column in projects.c]
    return Command(Project, select(*shown).add_cte(event(EventKind.PROJECT_CREATED, stream=made)))


def _update() -> Command[Project]:
    changes: dict[str, Any] = {
        "name": func.coalesce(param("name", Text), projects.c.name),
        "description": func.coalesce(param("description", Text), projects.c.description),
        "version": projects.c.version + 1,
        "updated_by": param("actor", Text),
    }
    changed = counted_up(_ONE, changes)
    shown = [changed.c[column.name] for column in projects.c]
    return Command(Project, select(*shown).add_cte(event(EventKind.PROJECT_UPDATED, stream=changed)))


def _tell_deletion() -> Command[object]:
    last = counted_up(_ONE)
    return Command(object, select(last.c.id).add_cte(event(EventKind.PROJECT_DELETED, stream=last)))


_CREATE = _create()
_UPDATE = _update()
_TELL_DELETION = _tell_deletion()


async def find(scope: ReadScope, actor: Actor, project_id: ProjectId) -> Project | None:
    """A project of the tenant."""
    return await scope.first(_FIND, tenant_id=actor.tenant_id, project_id=project_id)


async def lock(uow: UnitOfWork, actor: Actor, project_id: ProjectId) -> Project | None:
    """The newest version of a project's row, which nobody else changes until the end, nor anything of its stages.

    The sessions of its stages, where they are needed, are locked before.
    """
    return await uow.run_one(_LOCK, tenant_id=actor.tenant_id, project_id=project_id)


async def create(uow: UnitOfWork, actor: Actor, new: NewProject) -> Project:
    """Store a project, with the first of its events."""
    created = await uow.run_one(
        _CREATE, name=new.name, description=new.description, **_told(actor, new.id, {"projectId": _name(new.id)})
    )
    uow.announce(new.id)
    assert created is not None  # noqa: S101 - it is stored, or refused by an exception
    return created


async def update(uow: UnitOfWork, actor: Actor, project_id: ProjectId, changes: dict[str, Any]) -> Project:
    """Change name and description of a locked project; what is not named stays."""
    facts: dict[str, object] = {"projectId": _name(project_id), "changed": sorted(changes)}
    changed = await uow.run_one(
        _UPDATE,
        name=changes.get("name"),
        description=changes.get("description"),
        **_told(actor, project_id, facts),
    )
    uow.announce(project_id)
    assert changed is not None  # noqa: S101 - the row is locked
    return changed


async def delete(uow: UnitOfWork, actor: Actor, project_id: ProjectId) -> None:
    """Delete a locked project with its stages, stories and reviews. Its sessions are deleted before."""
    await uow.run(_TELL_DELETION, **_told(actor, project_id, {"projectId": _name(project_id)}))
    await uow.run(_DELETE, tenant_id=actor.tenant_id, project_id=project_id)
    uow.announce(project_id)


def _name(project_id: ProjectId) -> str:
    return global_id(Project.node_type, project_id)


def _told(actor: Actor, project_id: ProjectId, facts: dict[str, object]) -> dict[str, object]:
    return {"tenant_id": actor.tenant_id, "project_id": project_id, **event_parameters(actor, facts)}
