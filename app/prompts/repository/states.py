"""Statements that enable, disable and delete templates. Whoever runs one has the template locked."""

from sqlalchemy import false, select, true
from sqlalchemy import func as sql

from app.core.actor import Actor
from app.db.scopes import UnitOfWork
from app.db.statement import Command
from app.prompts.fragments import by, changed, line, templates
from app.prompts.models import PromptTemplate
from app.prompts.values import ChangeKind, TemplateId


def _set_enabled(enabled: bool) -> Command[PromptTemplate]:
    template = changed(enabled=true() if enabled else false())
    written = line(ChangeKind.ENABLED if enabled else ChangeKind.DISABLED, template)
    return Command(PromptTemplate, select(*template.c).add_cte(written))


def _delete() -> Command[PromptTemplate]:
    at = sql.greatest(templates.c.updated_at, sql.statement_timestamp())
    template = changed(enabled=false(), deleted_at=at)
    return Command(PromptTemplate, select(*template.c).add_cte(line(ChangeKind.DELETED, template)))


_SET_ENABLED = {enabled: _set_enabled(enabled) for enabled in (False, True)}
_DELETE = _delete()


async def set_enabled(uow: UnitOfWork, actor: Actor, template_id: TemplateId, enabled: bool) -> PromptTemplate:
    """Enable or disable a template. Duplicate of ONE_ENABLED."""
    changed_ = await uow.run_one(_SET_ENABLED[enabled], **by(actor, template_id))
    assert changed_ is not None  # noqa: S101 - the row is locked
    return changed_


async def delete_template(uow: UnitOfWork, actor: Actor, template_id: TemplateId) -> PromptTemplate:
    """Mark a template as deleted, which is not enabled any more."""
    gone = await uow.run_one(_DELETE, **by(actor, template_id))
    assert gone is not None  # noqa: S101 - the row is locked
    return gone
