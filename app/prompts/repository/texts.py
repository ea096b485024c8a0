"""Statements that store what a template says."""

from typing import Any

from sqlalchemy import CTE, Integer, Select, Text, Uuid, insert, literal, select
from sqlalchemy import func as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as insert_unless

from app.core.actor import Actor
from app.db.scopes import UnitOfWork
from app.db.statement import Command, param
from app.prompts.fragments import by, changed, line, templates, versions
from app.prompts.models import PromptTemplate, stored_variables
from app.prompts.values import ChangeKind, NewTemplate, TemplateId, VersionId
from app.prompts.values import Text as PromptText

ONE_NAME = "uq_prompt_templates_name"
"""The key that refuses a second template of one name in a place."""
ONE_ENABLED = "uq_prompt_templates_enabled"
"""The key that refuses a second enabled template in a slot."""

_TEXT: dict[str, Any] = {
    "name": param("new_name", Text), "description": param("new_description", Text),
    "content": param("new_content", Text), "type": param("new_type", Text),
    "variables": param("new_variables", JSONB),
}  # fmt: skip


def _with_version(template: CTE, kind: ChangeKind) -> Select[Any]:
    """The template as it is now, with a version that says the same and a line of its history."""
    row: dict[str, Any] = {
        "tenant_id": template.c.tenant_id, "id": param("version_id", Uuid), "template_id": template.c.id,
        "version": template.c.version, **{name: template.c[name] for name in _TEXT},
        "created_at": template.c.updated_at,
    }  # fmt: skip
    kept = insert(versions).from_select(list(row), select(*row.values())).returning(versions.c.id).cte("version")
    written = line(kind, template, version=template.c.version)
    return select(*template.c).add_cte(kept, written)


def _create(unless_named: bool) -> Command[PromptTemplate]:
    row: dict[str, Any] = {
        "tenant_id": param("tenant_id", Text), "id": param("template_id", Uuid), **_TEXT,
        "project_id": param("project_id", Text), "organization_id": param("organization_id", Text),
        "stage": param("stage", Text),
        "version": literal(1, Integer), "revision": literal(1, Integer),
        "created_by": param("actor", Text), "updated_by": param("actor", Text),
        "created_at": sql.statement_timestamp(), "updated_at": sql.statement_timestamp(),
    }  # fmt: skip
    adding = insert_unless(templates).from_select(list(row), select(*row.values()))
    if unless_named:
        adding = adding.on_conflict_do_nothing(
            index_elements=["tenant_id", "organization_id", "project_id", "name"],
            index_where=templates.c.deleted_at.is_(None),
        )
    made = adding.returning(*templates.c).cte("template")
    return Command(PromptTemplate, _with_version(made, ChangeKind.CREATED))


def _add_version() -> Command[PromptTemplate]:
    saved = changed(version=templates.c.version + 1, **_TEXT)
    return Command(PromptTemplate, _with_version(saved, ChangeKind.UPDATED))


_CREATE = _create(unless_named=False)
_CREATE_UNLESS_NAMED = _create(unless_named=True)
_ADD_VERSION = _add_version()


async def create(uow: UnitOfWork, actor: Actor, new: NewTemplate) -> PromptTemplate:
    """Store a template, not enabled, with its first version and its history's first line. Duplicate of ONE_NAME."""
    created = await uow.run_one(_CREATE, **_new_columns(actor, new))
    assert created is not None  # noqa: S101 - it is stored, or refused by an exception
    return created


async def create_unless_named(uow: UnitOfWork, actor: Actor, new: NewTemplate) -> PromptTemplate | None:
    """The same; None where its place has a template of its name, also one that was committed only now."""
    return await uow.run_one(_CREATE_UNLESS_NAMED, **_new_columns(actor, new))


async def add_version(
    uow: UnitOfWork, actor: Actor, template_id: TemplateId, version_id: VersionId, text: PromptText
) -> PromptTemplate:
    """Make `text` the latest version of a locked template. Duplicate of ONE_NAME."""
    saved = await uow.run_one(_ADD_VERSION, version_id=version_id, **_columns(text), **by(actor, template_id))
    assert saved is not None  # noqa: S101 - the row is locked
    return saved


def _new_columns(actor: Actor, new: NewTemplate) -> dict[str, object]:
    return {
        "version_id": new.version_id,
        "project_id": new.place.project_id,
        "organization_id": new.place.organization_id,
        "stage": new.stage,
        **_columns(new.text),
        **by(actor, new.id),
    }


def _columns(text: PromptText) -> dict[str, object]:
    return {
        "new_name": text.name,
        "new_description": text.description,
        "new_content": text.content,
        "new_type": text.type.value,
        "new_variables": stored_variables(text.variables),
    }
