"""Statements that take over templates of another library, many at once."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import ARRAY, BigInteger, Text, Uuid, any_, cast, false, func, insert, select, true, update
from sqlalchemy.dialects.postgresql import JSONB

from app.core.actor import Actor
from app.db.scopes import ReadScope, UnitOfWork
from app.db.statement import Command, Query, param
from app.prompts.fragments import changes, line, templates, versions
from app.prompts.models import PromptTemplate, stored_variables
from app.prompts.values import ChangeKind, PastTemplate, Place, Slot, Stage, TemplateId, VersionId
from app.prompts.values import Text as PromptText

_OF_TENANT = templates.c.tenant_id == param("tenant_id", Text)
_THERE = templates.c.deleted_at.is_(None)
_BY_IDS = select(*templates.c).where(_OF_TENANT, templates.c.id == any_(param("ids", ARRAY(Uuid))))


class PlacedName(NamedTuple):
    """A template that is there, its name and where it belongs."""

    id: UUID
    name: str
    project_id: str | None
    organization_id: str | None
    stage: str | None

    @property
    def place(self) -> Place:
        """Where it belongs."""
        return Place(self.project_id, self.organization_id)

    @property
    def slot(self) -> Slot:
        """What it may be enabled for."""
        return Slot(self.place, None if self.stage is None else Stage(self.stage))


_PLACED = select(
    templates.c.id, templates.c.name, templates.c.project_id, templates.c.organization_id, templates.c.stage
)

_KNOWN = Query(PromptTemplate, _BY_IDS.order_by(templates.c.id))
# In one order, whoever locks several.
_LOCKED = Command(PromptTemplate, _BY_IDS.order_by(templates.c.id).with_for_update(key_share=True))
_NAMED = Query(PlacedName, _PLACED.where(_OF_TENANT, _THERE, templates.c.name == any_(param("names", ARRAY(Text)))))
_ENABLED = Query(
    PlacedName,
    _PLACED.where(
        _OF_TENANT,
        templates.c.enabled,
        (templates.c.project_id == any_(param("projects", ARRAY(Text)))) | templates.c.project_id.is_(None),
    ),
)
_BEHIND = Query(
    PromptTemplate,
    select(*templates.c)
    .where(_OF_TENANT, _THERE, templates.c.id > param("after", Uuid))
    .order_by(templates.c.id)
    .limit(param("limit", BigInteger)),
)
_AMOUNT = Query(int, select(func.count().label("amount")).select_from(templates).where(_OF_TENANT, _THERE))


def _add_versions() -> Command[UUID]:
    given = (
        func.unnest(
            param("ids", ARRAY(Uuid)), param("version_ids", ARRAY(Uuid)), param("names", ARRAY(Text)),
            param("descriptions", ARRAY(Text)), param("contents", ARRAY(Text)), param("types", ARRAY(Text)),
            param("declared", ARRAY(Text)),
        )
        .table_valued("id", "version_id", "name", "description", "content", "type", "variables")
        .render_derived(name="given")
    )  # fmt: skip
    said: dict[str, Any] = {name: given.c[name] for name in ("name", "description", "content", "type")}
    # As texts: a list of lists would be an array of two dimensions to asyncpg.
    said["variables"] = cast(given.c.variables, JSONB)
    changed = (
        update(templates)
        .where(_OF_TENANT, templates.c.id == given.c.id)
        .values(
            **said,
            version=templates.c.version + 1,
            revision=templates.c.revision + 1,
            updated_by=param("actor", Text),
        )
        .returning(*templates.c, given.c.version_id)
        .cte("template")
    )
    row: dict[str, Any] = {
        "tenant_id": changed.c.tenant_id, "id": changed.c.version_id, "template_id": changed.c.id,
        "version": changed.c.version, **{name: changed.c[name] for name in said}, "created_at": changed.c.updated_at,
    }  # fmt: skip
    kept = insert(versions).from_select(list(row), select(*row.values())).returning(versions.c.id).cte("version")
    written = line(ChangeKind.UPDATED, changed, version=changed.c.version)
    return Command(UUID, select(changed.c.id).add_cte(kept, written))


def _switch(enabled: bool) -> Command[UUID]:
    changed = (
        update(templates)
        .where(
            _OF_TENANT,
            _THERE,
            templates.c.id == any_(param("ids", ARRAY(Uuid))),
            templates.c.enabled.is_(false() if enabled else true()),
        )
        .values(
            enabled=true() if enabled else false(),
            revision=templates.c.revision + 1,
            updated_by=param("actor", Text),
        )
        .returning(*templates.c)
        .cte("template")
    )
    written = line(ChangeKind.ENABLED if enabled else ChangeKind.DISABLED, changed)
    return Command(UUID, select(changed.c.id).add_cte(written))


_ADD_VERSIONS = _add_versions()
_SWITCH = {enabled: _switch(enabled) for enabled in (False, True)}


async def known(scope: ReadScope, actor: Actor, ids: Sequence[TemplateId]) -> list[PromptTemplate]:
    """The templates that have these ids, also deleted ones."""
    return await scope.all(_KNOWN, tenant_id=actor.tenant_id, ids=ids)


async def locked(uow: UnitOfWork, actor: Actor, ids: Sequence[TemplateId]) -> list[PromptTemplate]:
    """The same, which nobody else changes until the end."""
    return await uow.run(_LOCKED, tenant_id=actor.tenant_id, ids=ids)


async def named(scope: ReadScope, actor: Actor, names: Sequence[str]) -> list[PlacedName]:
    """The templates that have these names, in any place."""
    return await scope.all(_NAMED, tenant_id=actor.tenant_id, names=names)


async def enabled_in(scope: ReadScope, actor: Actor, projects: Sequence[str]) -> list[PlacedName]:
    """The templates that are enabled in these projects and in none, of any organization, for any stage."""
    return await scope.all(_ENABLED, tenant_id=actor.tenant_id, projects=projects)


async def amount(scope: ReadScope, actor: Actor) -> int:
    """How many templates the tenant has."""
    return await scope.first(_AMOUNT, tenant_id=actor.tenant_id) or 0


async def behind(scope: ReadScope, actor: Actor, after: UUID, limit: int) -> list[PromptTemplate]:
    """The next templates of the library by their ids."""
    return await scope.all(_BEHIND, tenant_id=actor.tenant_id, after=after, limit=limit)


async def store(uow: UnitOfWork, actor: Actor, new: Sequence[PastTemplate], now: datetime) -> None:
    """Store templates with the number and the times they had; their history begins `now`. Duplicate."""
    for table, rows in (
        (templates, [_template_row(actor, one, now) for one in new]),
        (versions, [_version_row(actor, one, now) for one in new]),
        (changes, [row for one in new for row in _change_rows(actor, one, now)]),
    ):
        if rows:
            await uow.copy(table, list(rows[0]), [tuple(row.values()) for row in rows])


async def add_versions(uow: UnitOfWork, actor: Actor, said: Sequence[tuple[TemplateId, VersionId, PromptText]]) -> None:
    """Make each text the latest version of its template, which is locked. Duplicate."""
    texts = [text for _, _, text in said]
    await uow.run(
        _ADD_VERSIONS,
        ids=[template_id for template_id, _, _ in said],
        version_ids=[version_id for _, version_id, _ in said],
        names=[text.name for text in texts],
        descriptions=[text.description for text in texts],
        contents=[text.content for text in texts],
        types=[text.type.value for text in texts],
        declared=[orjson.dumps(stored_variables(text.variables)).decode() for text in texts],
        **_by(actor),
    )


async def switch(uow: UnitOfWork, actor: Actor, ids: Sequence[TemplateId], *, enabled: bool) -> None:
    """Enable or disable templates that are locked; those that are so already stay as they are. Duplicate."""
    await uow.run(_SWITCH[enabled], ids=ids, **_by(actor))


def _by(actor: Actor) -> dict[str, object]:
    return {"tenant_id": actor.tenant_id, "actor": actor.user_id, "correlation_id": actor.correlation_id}


def _said(text: PromptText) -> dict[str, object]:
    return {
        "name": text.name, "description": text.description, "content": text.content, "type": text.type.value,
        "variables": stored_variables(text.variables),
    }  # fmt: skip


def _template_row(actor: Actor, one: PastTemplate, now: datetime) -> dict[str, object]:
    place = one.new.place
    return {
        "tenant_id": actor.tenant_id, "id": one.new.id, **_said(one.new.text), "project_id": place.project_id,
        "organization_id": place.organization_id, "stage": one.new.stage, "enabled": one.new.enabled,
        "version": one.version,
        # Of the two lines of its history the second says that it was enabled.
        "revision": one.version + one.new.enabled, "created_by": actor.user_id, "updated_by": actor.user_id,
        "created_at": min(one.created_at or now, now), "updated_at": min(one.updated_at or now, now),
    }  # fmt: skip


def _version_row(actor: Actor, one: PastTemplate, now: datetime) -> dict[str, object]:
    return {
        "tenant_id": actor.tenant_id, "id": one.new.version_id, "template_id": one.new.id, "version": one.version,
        **_said(one.new.text), "created_at": min(one.updated_at or now, now),
    }  # fmt: skip


def _change_rows(actor: Actor, one: PastTemplate, now: datetime) -> Iterator[dict[str, object]]:
    row: dict[str, object] = {
        "tenant_id": actor.tenant_id, "template_id": one.new.id, "revision": one.version,
        "kind": ChangeKind.CREATED.value, "version": one.version, "actor": actor.user_id,
        "correlation_id": actor.correlation_id, "at": now,
    }  # fmt: skip
    yield row
    if one.new.enabled:
        yield {**row, "revision": one.version + 1, "kind": ChangeKind.ENABLED.value, "version": None}
