"""Stories: one by one, and those of a list."""

import re
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from uuid import UUID

from sqlalchemy import ARRAY, SmallInteger, Uuid, any_, func, select

from app.core.actor import Actor
from app.core.errors import ValidationError
from app.core.ids import parse_uuid
from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.graph.columns import Columns, OnDemand
from app.graph.loading import Loader
from app.workflow.fragments import stories
from app.workflow.models import Story

StoryKey = tuple[UUID, int]
"""A list of stories, and the place of one in it."""

STORY_COLUMNS = OnDemand(
    stories,
    {"description": ("description",), "acceptanceCriteria": ("acceptance_criteria",)},
    long=("description", "acceptance_criteria"),
)

_INDEX = re.compile(r"0|[1-9][0-9]?")


@lru_cache(maxsize=4)
def _by_keys(columns: Columns) -> Query[Story]:
    keys = func.unnest(param("lists", ARRAY(Uuid)), param("indexes", ARRAY(SmallInteger)))
    wanted = keys.table_valued("id", "story_index").render_derived(name="wanted")
    same = (wanted.c.id == stories.c.story_generation_id) & (wanted.c.story_index == stories.c.story_index)
    rows = select(*STORY_COLUMNS.read(columns)).join(wanted, same)
    return Query(Story, rows.where(stories.c.tenant_id == param("tenant_id")))


@lru_cache(maxsize=4)
def _of_lists(columns: Columns) -> Query[Story]:
    return Query(
        Story,
        select(*STORY_COLUMNS.read(columns))
        .where(
            stories.c.tenant_id == param("tenant_id"), stories.c.story_generation_id == any_(param("ids", ARRAY(Uuid)))
        )
        .order_by(stories.c.story_generation_id, stories.c.story_index),
    )


class StoryByKey(Loader[StoryKey, Story | None]):
    """Stories of the tenant, whole; None for any other key."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[StoryKey]) -> Sequence[Story | None]:
        """One statement for all keys."""
        found = await _named(scope, actor, keys, STORY_COLUMNS.whole)
        return [found.get(key) for key in keys]

    @staticmethod
    def parse_key(key: str, field: str) -> StoryKey:
        """The key inside a global id: `<list>:<index>`."""
        list_, separator, index = key.partition(":")
        if not separator or not _INDEX.fullmatch(index):
            raise ValidationError(f"{field} is not a valid id", field=field, hint="pass an id as this API returned it")
        return parse_uuid(list_, field), int(index)


class StoryOfRow(Loader[tuple[StoryKey, Columns], Story | None]):
    """The same for rows that name a story, each with the columns that are asked for."""

    async def fetch(
        self, scope: ReadScope, actor: Actor, keys: list[tuple[StoryKey, Columns]]
    ) -> Sequence[Story | None]:
        """One statement for all keys with the same columns."""
        found: dict[tuple[StoryKey, Columns], Story] = {}
        for columns in {columns for _, columns in keys}:
            named = await _named(scope, actor, [key for key, wanted in keys if wanted == columns], columns)
            found |= {(key, columns): story for key, story in named.items()}
        return [found.get(key) for key in keys]


async def _named(scope: ReadScope, actor: Actor, keys: list[StoryKey], columns: Columns) -> dict[StoryKey, Story]:
    named = {"lists": [key[0] for key in keys], "indexes": [key[1] for key in keys]}
    rows = await scope.all(_by_keys(columns), tenant_id=actor.tenant_id, **named)
    return {(row.story_generation_id, row.story_index): row for row in rows}


class StoriesOfGeneration(Loader[tuple[UUID, Columns], list[Story]]):
    """The stories of lists that were read before, in their order; at most 50 each."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[tuple[UUID, Columns]]) -> Sequence[list[Story]]:
        """One statement for all lists with the same columns."""
        found: dict[tuple[UUID, Columns], list[Story]] = defaultdict(list)
        for columns in {columns for _, columns in keys}:
            ids = [key for key, wanted in keys if wanted == columns]
            for row in await scope.all(_of_lists(columns), tenant_id=actor.tenant_id, ids=ids):
                found[row.story_generation_id, columns].append(row)
        return [found[key] for key in keys]
