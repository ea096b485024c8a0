"""Pieces of statements about prompts."""

from typing import Any

from sqlalchemy import CTE, ColumnElement, Integer, Text, Uuid, insert, literal, null, select, update

from app.core.actor import Actor
from app.db.base import table_of
from app.db.statement import param
from app.prompts.models import PromptLabel, PromptTemplate, PromptTemplateChange, PromptTemplateVersion
from app.prompts.values import ChangeKind, Place, Slot, TemplateId

templates = table_of(PromptTemplate)
versions = table_of(PromptTemplateVersion)
labels = table_of(PromptLabel)
changes = table_of(PromptTemplateChange)


def is_template() -> ColumnElement[bool]:
    """The template that is named, of the tenant. Parameters: tenant_id, template_id."""
    return (templates.c.tenant_id == param("tenant_id", Text)) & (templates.c.id == param("template_id", Uuid))


PlaceShape = tuple[bool, bool]
"""Whether a place names a project, and whether an organization."""


def shape_of(place: Place) -> PlaceShape:
    """What of a place decides the SQL."""
    return place.project_id is not None, place.organization_id is not None


def in_place(shape: PlaceShape) -> list[ColumnElement[bool]]:
    """Whether a template belongs to a place of that shape. Parameters: tenant_id, and those of `place_parameters`.

    Not by IS NOT DISTINCT FROM, for which PostgreSQL 18 uses no index.
    """
    project, organization = shape
    return [
        templates.c.tenant_id == param("tenant_id", Text),
        templates.c.organization_id == param("organization_id", Text)
        if organization
        else templates.c.organization_id.is_(None),
        templates.c.project_id == param("project_id", Text) if project else templates.c.project_id.is_(None),
    ]


def place_parameters(place: Place) -> dict[str, object]:
    """The parameters of `in_place`, save the tenant."""
    named = {"project_id": place.project_id, "organization_id": place.organization_id}
    return {name: value for name, value in named.items() if value is not None}


SlotShape = tuple[PlaceShape, bool]
"""The shape of a slot's place, and whether it names a stage."""


def slot_shape_of(slot: Slot) -> SlotShape:
    """What of a slot decides the SQL."""
    return shape_of(slot.place), slot.stage is not None


def in_slot(shape: SlotShape) -> list[ColumnElement[bool]]:
    """Whether a template is the one of a slot of that shape, enabled. Parameters: tenant_id, and `slot_parameters`."""
    place, stage = shape
    return [
        *in_place(place),
        templates.c.stage == param("stage", Text) if stage else templates.c.stage.is_(None),
        # As the index says it: to PostgreSQL, IS TRUE is another condition.
        templates.c.enabled,
    ]


def slot_parameters(slot: Slot) -> dict[str, object]:
    """The parameters of `in_slot`, save the tenant."""
    return place_parameters(slot.place) | ({} if slot.stage is None else {"stage": slot.stage.value})


def changed(**values: Any) -> CTE:
    """The template with these columns changed, which counts as one revision. Parameters: as of `by`."""
    counted = {"revision": templates.c.revision + 1, "updated_by": param("actor", Text)}
    return update(templates).where(is_template()).values(**counted, **values).returning(*templates.c).cte("template")


def line(kind: ChangeKind, template: CTE, **told: ColumnElement[Any]) -> CTE:
    """The line of the history that says what was done to `template`, which is as it is now. Parameters: as of `by`.

    `told`: label, from_version and version, where the kind has them.
    """
    row: dict[str, Any] = {
        "tenant_id": template.c.tenant_id, "template_id": template.c.id, "revision": template.c.revision,
        "kind": literal(kind.value, Text), "label": null().cast(Text), "from_version": null().cast(Integer),
        "version": null().cast(Integer), "actor": param("actor", Text), "correlation_id": param("correlation_id", Text),
        # Not the transaction's time, which began before it waited for the row: lines have the order of their times.
        "at": template.c.updated_at, **told,
    }  # fmt: skip
    return insert(changes).from_select(list(row), select(*row.values())).returning(changes.c.revision).cte("line")


def by(actor: Actor, template_id: TemplateId) -> dict[str, object]:
    """The parameters of a change: which template, by whom, and in which request."""
    return {
        "tenant_id": actor.tenant_id,
        "template_id": template_id,
        "actor": actor.user_id,
        "correlation_id": actor.correlation_id,
    }
