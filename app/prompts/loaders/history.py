"""Batched reads of labels, and of what was done to templates."""

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Integer, Text, Uuid, any_, func, literal_column, select

from app.core.actor import Actor
from app.core.paging import ListName, Page, PageRequest
from app.db.pages import Order, PageShape, page_of_each
from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.graph.loading import Loader
from app.prompts.fragments import changes, labels, templates
from app.prompts.models import PromptLabel, PromptTemplateChange
from app.prompts.values import ChangeKind, TemplateId

_LABELS = Query(
    PromptLabel,
    select(*labels.c)
    .where(labels.c.tenant_id == param("tenant_id"), labels.c.template_id == any_(param("ids", ARRAY(Uuid))))
    .order_by(labels.c.template_id, labels.c.label),
)


class LabelsOfTemplate(Loader[TemplateId, list[PromptLabel]]):
    """The labels of templates that were read before, by name."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[TemplateId]) -> Sequence[list[PromptLabel]]:
        """One statement for all templates."""
        found: dict[TemplateId, list[PromptLabel]] = defaultdict(list)
        for row in await scope.all(_LABELS, tenant_id=actor.tenant_id, ids=keys):
            found[TemplateId(row.template_id)].append(row)
        return [found[key] for key in keys]


class _Saved(NamedTuple):
    template_id: UUID
    version: int
    actor: str


def _savers() -> Query[_Saved]:
    keys = func.unnest(param("templates", ARRAY(Uuid)), param("numbers", ARRAY(Integer)))
    wanted = keys.table_valued("template_id", "version").render_derived(name="wanted")
    same = (wanted.c.template_id == changes.c.template_id) & (wanted.c.version == changes.c.version)
    # As the index says it, which is of such lines alone.
    saving = changes.c.kind.in_(
        [literal_column(f"'{kind}'", Text) for kind in (ChangeKind.CREATED, ChangeKind.UPDATED)]
    )
    rows = select(changes.c.template_id, changes.c.version, changes.c.actor).join(wanted, same)
    return Query(_Saved, rows.where(changes.c.tenant_id == param("tenant_id"), saving))


_SAVERS = _savers()


class SaverOfVersion(Loader[tuple[TemplateId, int], str | None]):
    """Who saved each version, by template and number."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[tuple[TemplateId, int]]) -> Sequence[str | None]:
        """One statement for all versions."""
        named = {"templates": [key[0] for key in keys], "numbers": [key[1] for key in keys]}
        rows = await scope.all(_SAVERS, tenant_id=actor.tenant_id, **named)
        found = {(TemplateId(row.template_id), row.version): row.actor for row in rows}
        return [found.get(key) for key in keys]


_NEWEST_FIRST = Order((changes.c.revision,), (int,), descending=True)


@lru_cache(maxsize=8)
def _page_of_each(shape: PageShape) -> Query[PromptTemplateChange]:
    rows = select(*changes.c).where(changes.c.tenant_id == param("tenant_id"))
    return Query(PromptTemplateChange, page_of_each(rows, changes.c.template_id, _NEWEST_FIRST, shape))


class _Revisions(NamedTuple):
    id: UUID
    revision: int


_COUNTS = Query(
    _Revisions,
    select(templates.c.id, templates.c.revision).where(
        templates.c.tenant_id == param("tenant_id"), templates.c.id == any_(param("ids", ARRAY(Uuid)))
    ),
)


class ChangesOfTemplate(Loader[tuple[UUID, PageRequest], Page[PromptTemplateChange]]):
    """Pages of the history of templates that were read before, newest first."""

    async def fetch(
        self, scope: ReadScope, actor: Actor, keys: list[tuple[UUID, PageRequest]]
    ) -> Sequence[Page[PromptTemplateChange]]:
        """One statement for all templates that are asked for the same page."""
        wanted: dict[PageRequest, list[UUID]] = defaultdict(list)
        for template_id, request in keys:
            wanted[request].append(template_id)
        rows: dict[tuple[UUID, PageRequest], list[PromptTemplateChange]] = defaultdict(list)
        for request, parents in wanted.items():
            positions = [_NEWEST_FIRST.parameters(request, ListName("changes", parent)) for parent in parents]
            query = _page_of_each(PageShape.of(request))
            for row in await scope.all(query, tenant_id=actor.tenant_id, parents=parents, **positions[0]):
                rows[row.template_id, request].append(row)
        return [self._page(*key, rows[key]) for key in keys]

    def _page(
        self, template_id: UUID, request: PageRequest, rows: list[PromptTemplateChange]
    ) -> Page[PromptTemplateChange]:
        name = ListName("changes", template_id)

        async def count() -> int:
            return await self.loaders.of(ChangeCounts).load(template_id)

        return Page.of(rows, request, lambda row: name.encode((row.revision,)), count)


class ChangeCounts(Loader[UUID, int]):
    """How many lines the history of a template has: its revision, nothing is counted."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[UUID]) -> Sequence[int]:
        """One statement for all templates."""
        found = {row.id: row.revision for row in await scope.all(_COUNTS, tenant_id=actor.tenant_id, ids=keys)}
        return [found.get(key, 0) for key in keys]
