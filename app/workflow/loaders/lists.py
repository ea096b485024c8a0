"""Lists of attempts at stages, oldest first: of a project, of what was built on one, of one story."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Select, SmallInteger, Text, Uuid, any_, func, select, true

from app.core.actor import Actor
from app.core.paging import ListName, Page, PageRequest
from app.db.pages import Order, PageShape, page_of_each
from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.graph.columns import Columns
from app.graph.loading import Loader
from app.workflow.fragments import stages
from app.workflow.loaders.stages import STAGE_COLUMNS
from app.workflow.loaders.stories import StoryKey
from app.workflow.models import WorkflowStage
from app.workflow.values import StageFilter

_OLDEST_FIRST = Order((stages.c.created_at, stages.c.id), (datetime, UUID))

_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "stage": stages.c.stage == param("stage", Text),
    "status": stages.c.status == any_(param("status", ARRAY(Text))),
}


def _narrowed(rows: Select[Any], names: frozenset[str]) -> Select[Any]:
    return rows.where(stages.c.tenant_id == param("tenant_id"), *(_CONDITIONS[name] for name in sorted(names)))


@lru_cache(maxsize=64)
def _page_of_each(column: str, names: frozenset[str], shape: PageShape, columns: Columns) -> Query[WorkflowStage]:
    rows = _narrowed(select(*STAGE_COLUMNS.read(columns)), names)
    return Query(WorkflowStage, page_of_each(rows, stages.c[column], _OLDEST_FIRST, shape))


class _Count(NamedTuple):
    parent_id: UUID
    amount: int


@lru_cache(maxsize=8)
def _counts(column: str, names: frozenset[str]) -> Query[_Count]:
    parent = stages.c[column]
    rows = select(parent.label("parent_id"), func.count().label("amount"))
    return Query(_Count, _narrowed(rows, names).where(parent == any_(param("ids", ARRAY(Uuid)))).group_by(parent))


class StagePage(NamedTuple):
    """A page of the attempts that hang on a parent."""

    parent: UUID
    request: PageRequest
    columns: Columns
    wanted: StageFilter = StageFilter()


class _Pages(Loader[StagePage, Page[WorkflowStage]]):
    """Pages of attempts of parents that were read before."""

    column: ClassVar[str]
    name: ClassVar[str]
    counts: ClassVar[type["_Counts"]]

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[StagePage]) -> Sequence[Page[WorkflowStage]]:
        """One statement for all parents that are asked for the same page."""
        asked: dict[tuple[PageRequest, Columns, StageFilter], list[UUID]] = defaultdict(list)
        for key in keys:
            asked[key[1:]].append(key.parent)
        rows: dict[StagePage, list[WorkflowStage]] = defaultdict(list)
        for (request, columns, wanted), parents in asked.items():
            # A cursor belongs to one parent's list: with two of them and a cursor one refuses it here.
            positions = [_OLDEST_FIRST.parameters(request, ListName(self.name, parent)) for parent in parents]
            given = wanted.given()
            query = _page_of_each(self.column, frozenset(given), PageShape.of(request), columns)
            for row in await scope.all(query, tenant_id=actor.tenant_id, parents=parents, **given, **positions[0]):
                rows[StagePage(getattr(row, self.column), request, columns, wanted)].append(row)
        return [self._page(key, rows[key]) for key in keys]

    def _page(self, key: StagePage, rows: list[WorkflowStage]) -> Page[WorkflowStage]:
        name = ListName(self.name, key.parent)

        async def count() -> int:
            return await self.loaders.of(self.counts).load((key.parent, key.wanted))

        return Page.of(rows, key.request, lambda row: name.encode((row.created_at, row.id)), count)


class _Counts(Loader[tuple[UUID, StageFilter], int]):
    """How many attempts such a list has."""

    column: ClassVar[str]

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[tuple[UUID, StageFilter]]) -> Sequence[int]:
        """One statement for all parents with the same filter."""
        found: dict[tuple[UUID, StageFilter], int] = {}
        for wanted in {wanted for _, wanted in keys}:
            ids, given = [parent for parent, filter_ in keys if filter_ == wanted], wanted.given()
            query = _counts(self.column, frozenset(given))
            for row in await scope.all(query, tenant_id=actor.tenant_id, ids=ids, **given):
                found[row.parent_id, wanted] = row.amount
        return [found.get(key, 0) for key in keys]


class StageCountOfProject(_Counts):
    """Of projects."""

    column = "project_id"


class StagesOfProject(_Pages):
    """The attempts at the stages of projects."""

    column, name, counts = "project_id", "stages", StageCountOfProject


class StageCountBuiltOn(_Counts):
    """Of attempts."""

    column = "upstream_id"


class StagesBuiltOn(_Pages):
    """The attempts that are built on others."""

    column, name, counts = "upstream_id", "downstream", StageCountBuiltOn


def _stories() -> Any:
    keys = func.unnest(param("parents", ARRAY(Uuid)), param("indexes", ARRAY(SmallInteger)))
    return keys.table_valued("id", "story_index").render_derived(name="parents")


@lru_cache(maxsize=16)
def _page_of_stories(shape: PageShape, columns: Columns) -> Query[WorkflowStage]:
    parents = _stories()
    rows = select(*STAGE_COLUMNS.read(columns)).where(
        stages.c.tenant_id == param("tenant_id"),
        stages.c.upstream_id == parents.c.id,
        stages.c.story_index == parents.c.story_index,
    )
    each = _OLDEST_FIRST.page(rows, shape).correlate(parents).lateral("each")
    return Query(WorkflowStage, select(*each.c).select_from(parents.join(each, true())))


class _StoryCount(NamedTuple):
    upstream_id: UUID
    story_index: int
    amount: int


def _count_of_stories() -> Query[_StoryCount]:
    parents = _stories()
    same = (parents.c.id == stages.c.upstream_id) & (parents.c.story_index == stages.c.story_index)
    return Query(
        _StoryCount,
        select(stages.c.upstream_id, stages.c.story_index, func.count().label("amount"))
        .join(parents, same)
        .where(stages.c.tenant_id == param("tenant_id"))
        .group_by(stages.c.upstream_id, stages.c.story_index),
    )


_COUNT_OF_STORIES = _count_of_stories()


class PromptsOfStory(Loader[tuple[StoryKey, PageRequest, Columns], Page[WorkflowStage]]):
    """Pages of the attempts at a prompt for stories that were read before."""

    async def fetch(
        self, scope: ReadScope, actor: Actor, keys: list[tuple[StoryKey, PageRequest, Columns]]
    ) -> Sequence[Page[WorkflowStage]]:
        """One statement for all stories that are asked for the same page."""
        asked: dict[tuple[PageRequest, Columns], list[StoryKey]] = defaultdict(list)
        for story, request, columns in keys:
            asked[request, columns].append(story)
        rows: dict[tuple[StoryKey, PageRequest, Columns], list[WorkflowStage]] = defaultdict(list)
        for (request, columns), found in asked.items():
            positions = [_OLDEST_FIRST.parameters(request, _prompts_of(story)) for story in found]
            named = {"parents": [story[0] for story in found], "indexes": [story[1] for story in found]}
            query = _page_of_stories(PageShape.of(request), columns)
            for row in await scope.all(query, tenant_id=actor.tenant_id, **named, **positions[0]):
                assert row.upstream_id is not None and row.story_index is not None  # noqa: S101, PT018 - it is a prompt
                rows[(row.upstream_id, row.story_index), request, columns].append(row)
        return [self._page(key[0], key[1], rows[key]) for key in keys]

    def _page(self, story: StoryKey, request: PageRequest, rows: list[WorkflowStage]) -> Page[WorkflowStage]:
        name = _prompts_of(story)

        async def count() -> int:
            return await self.loaders.of(PromptCountOfStory).load(story)

        return Page.of(rows, request, lambda row: name.encode((row.created_at, row.id)), count)


class PromptCountOfStory(Loader[StoryKey, int]):
    """How many attempts there are at a prompt for a story."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[StoryKey]) -> Sequence[int]:
        """One statement for all stories."""
        named = {"parents": [key[0] for key in keys], "indexes": [key[1] for key in keys]}
        rows = await scope.all(_COUNT_OF_STORIES, tenant_id=actor.tenant_id, **named)
        found = {(row.upstream_id, row.story_index): row.amount for row in rows}
        return [found.get(key, 0) for key in keys]


def _prompts_of(story: StoryKey) -> ListName:
    return ListName(f"promptGenerations:{story[1]}", story[0])
