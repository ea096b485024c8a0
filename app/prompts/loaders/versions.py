"""Batched reads of versions."""

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Integer, Uuid, any_, func, select

from app.core.actor import Actor
from app.core.paging import ListName, Page, PageRequest
from app.db.pages import Order, PageShape, page_of_each
from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.graph.columns import Columns, OnDemand
from app.graph.loading import Loader
from app.prompts.fragments import versions
from app.prompts.models import PromptTemplateVersion
from app.prompts.values import TemplateId, VersionId

VERSION_COLUMNS = OnDemand(
    versions,
    {"content": ("content",), "variables": ("variables",)},
    long=("content", "variables"),
)

VersionKey = tuple[TemplateId, int, Columns]
"""A template, the number of a version, and its columns on demand that are asked for."""


@lru_cache(maxsize=4)
def _by_ids(columns: Columns) -> Query[PromptTemplateVersion]:
    rows = select(*VERSION_COLUMNS.read(columns)).where(versions.c.tenant_id == param("tenant_id"))
    return Query(PromptTemplateVersion, rows.where(versions.c.id == any_(param("ids", ARRAY(Uuid)))))


class VersionOfRow(Loader[tuple[VersionId, Columns], PromptTemplateVersion | None]):
    """Versions that rows name which were read before, with the columns that are asked for."""

    async def fetch(
        self, scope: ReadScope, actor: Actor, keys: list[tuple[VersionId, Columns]]
    ) -> Sequence[PromptTemplateVersion | None]:
        """One statement for all versions with the same columns."""
        found: dict[tuple[UUID, Columns], PromptTemplateVersion] = {}
        for columns in {key[1] for key in keys}:
            ids = [key[0] for key in keys if key[1] == columns]
            for row in await scope.all(_by_ids(columns), tenant_id=actor.tenant_id, ids=ids):
                found[row.id, columns] = row
        return [found.get(key) for key in keys]


class VersionById(Loader[VersionId, PromptTemplateVersion | None]):
    """Versions of the tenant's templates, whole; None for any other id."""

    async def fetch(
        self, scope: ReadScope, actor: Actor, keys: list[VersionId]
    ) -> Sequence[PromptTemplateVersion | None]:
        """One statement for all ids."""
        found = {
            row.id: row for row in await scope.all(_by_ids(VERSION_COLUMNS.whole), tenant_id=actor.tenant_id, ids=keys)
        }
        return [found.get(key) for key in keys]


@lru_cache(maxsize=4)
def _numbered(columns: Columns) -> Query[PromptTemplateVersion]:
    keys = func.unnest(param("templates", ARRAY(Uuid)), param("numbers", ARRAY(Integer)))
    wanted = keys.table_valued("template_id", "version").render_derived(name="wanted")
    same = (wanted.c.template_id == versions.c.template_id) & (wanted.c.version == versions.c.version)
    rows = select(*VERSION_COLUMNS.read(columns)).join(wanted, same)
    return Query(PromptTemplateVersion, rows.where(versions.c.tenant_id == param("tenant_id")))


class VersionNumbered(Loader[VersionKey, PromptTemplateVersion | None]):
    """Versions of templates that were read before, by their numbers."""

    async def fetch(
        self, scope: ReadScope, actor: Actor, keys: list[VersionKey]
    ) -> Sequence[PromptTemplateVersion | None]:
        """One statement for all versions with the same columns."""
        found: dict[VersionKey, PromptTemplateVersion] = {}
        for columns in {key[2] for key in keys}:
            wanted = [key for key in keys if key[2] == columns]
            named = {"templates": [key[0] for key in wanted], "numbers": [key[1] for key in wanted]}
            for row in await scope.all(_numbered(columns), tenant_id=actor.tenant_id, **named):
                found[TemplateId(row.template_id), row.version, columns] = row
        return [found.get(key) for key in keys]


_NEWEST_FIRST = Order((versions.c.version,), (int,), descending=True)


@lru_cache(maxsize=32)
def _page_of_each(shape: PageShape, columns: Columns) -> Query[PromptTemplateVersion]:
    rows = select(*VERSION_COLUMNS.read(columns)).where(versions.c.tenant_id == param("tenant_id"))
    return Query(PromptTemplateVersion, page_of_each(rows, versions.c.template_id, _NEWEST_FIRST, shape))


class _VersionCount(NamedTuple):
    template_id: UUID
    amount: int


_COUNTS = Query(
    _VersionCount,
    select(versions.c.template_id, func.count().label("amount"))
    .where(versions.c.tenant_id == param("tenant_id"), versions.c.template_id == any_(param("ids", ARRAY(Uuid))))
    .group_by(versions.c.template_id),
)


class VersionsOfTemplate(Loader[tuple[UUID, PageRequest, Columns], Page[PromptTemplateVersion]]):
    """Pages of the versions of templates that were read before, newest first."""

    async def fetch(
        self, scope: ReadScope, actor: Actor, keys: list[tuple[UUID, PageRequest, Columns]]
    ) -> Sequence[Page[PromptTemplateVersion]]:
        """One statement for all templates that are asked for the same page."""
        wanted: dict[tuple[PageRequest, Columns], list[UUID]] = defaultdict(list)
        for template_id, request, columns in keys:
            wanted[request, columns].append(template_id)
        rows: dict[tuple[UUID, PageRequest, Columns], list[PromptTemplateVersion]] = defaultdict(list)
        for (request, columns), parents in wanted.items():
            # A cursor belongs to one template's list: with two of them and a cursor one refuses it here.
            positions = [_NEWEST_FIRST.parameters(request, ListName("versions", parent)) for parent in parents]
            query = _page_of_each(PageShape.of(request), columns)
            for row in await scope.all(query, tenant_id=actor.tenant_id, parents=parents, **positions[0]):
                rows[row.template_id, request, columns].append(row)
        return [self._page(key[0], key[1], rows[key]) for key in keys]

    def _page(
        self, template_id: UUID, request: PageRequest, rows: list[PromptTemplateVersion]
    ) -> Page[PromptTemplateVersion]:
        name = ListName("versions", template_id)

        async def count() -> int:
            return await self.loaders.of(VersionCounts).load(template_id)

        return Page.of(rows, request, lambda row: name.encode((row.version,)), count)


class VersionCounts(Loader[UUID, int]):
    """How many versions a template has: an imported one may begin with a later number."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[UUID]) -> Sequence[int]:
        """One statement for all templates."""
        found = {row.template_id: row.amount for row in await scope.all(_COUNTS, tenant_id=actor.tenant_id, ids=keys)}
        return [found.get(key, 0) for key in keys]
