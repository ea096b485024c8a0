"""Statements that set, move and remove labels. Whoever runs one has the template locked."""

from typing import NamedTuple

from sqlalchemy import Integer, Text, Uuid, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from app.core.actor import Actor
from app.db.scopes import ReadScope, UnitOfWork
from app.db.statement import Command, Query, param
from app.prompts.fragments import by, changed, labels, line
from app.prompts.models import PromptTemplate
from app.prompts.values import ChangeKind, LabelMove, TemplateId


class LabelFacts(NamedTuple):
    """Where a label of a template points, None where there is none of that name; and how many there are of any."""

    points_to: int | None
    amount: int


_OF_TEMPLATE = (labels.c.tenant_id == param("tenant_id", Text), labels.c.template_id == param("template_id", Uuid))
_NAMED = labels.c.label == param("label", Text)

_FACTS = Query(
    LabelFacts,
    select(func.max(labels.c.version).filter(_NAMED).label("points_to"), func.count().label("amount")).where(
        *_OF_TEMPLATE
    ),
)


def _move() -> Command[PromptTemplate]:
    template = changed()
    row = {
        "tenant_id": template.c.tenant_id, "template_id": template.c.id, "label": param("label", Text),
        "version": param("version", Integer), "moved_by": param("actor", Text), "moved_at": template.c.updated_at,
    }  # fmt: skip
    new = insert(labels).from_select(list(row), select(*row.values()))
    given = new.excluded
    again = {"version": given.version, "moved_by": given.moved_by, "moved_at": given.moved_at}
    moved = (
        new.on_conflict_do_update(index_elements=["tenant_id", "template_id", "label"], set_=again)
        .returning(labels.c.label)
        .cte("label")
    )
    told = {
        "label": param("label", Text), "version": param("version", Integer),
        "from_version": param("from_version", Integer),
    }  # fmt: skip
    return Command(PromptTemplate, select(*template.c).add_cte(moved, line(ChangeKind.LABELLED, template, **told)))


def _remove() -> Command[PromptTemplate]:
    template = changed()
    gone = delete(labels).where(*_OF_TEMPLATE, _NAMED).returning(labels.c.label).cte("label")
    told = {"label": param("label", Text), "from_version": param("from_version", Integer)}
    return Command(PromptTemplate, select(*template.c).add_cte(gone, line(ChangeKind.UNLABELLED, template, **told)))


_MOVE = _move()
_REMOVE = _remove()


async def label_in(scope: ReadScope, actor: Actor, template_id: TemplateId, label: str) -> LabelFacts:
    """Where a label points, and how many labels the template has."""
    found = await scope.first(_FACTS, tenant_id=actor.tenant_id, template_id=template_id, label=label)
    assert found is not None  # noqa: S101 - a count has one row
    return found


async def move_label(uow: UnitOfWork, actor: Actor, move: LabelMove, points_to: int | None) -> PromptTemplate:
    """Set a label that points to `points_to`, or is new, to a version that there is."""
    template = await uow.run_one(
        _MOVE, label=move.label, version=move.version, from_version=points_to, **by(actor, move.template_id)
    )
    assert template is not None  # noqa: S101 - the row is locked
    return template


async def remove_label(uow: UnitOfWork, actor: Actor, move: LabelMove, points_to: int) -> PromptTemplate:
    """Remove a label that points to `points_to`."""
    template = await uow.run_one(_REMOVE, label=move.label, from_version=points_to, **by(actor, move.template_id))
    assert template is not None  # noqa: S101 - the row is locked
    return template
