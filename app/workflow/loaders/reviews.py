"""Reviews, and what was decided in them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Select, Text, Uuid, any_, func, literal, select, true

from app.core.actor import Actor
from app.core.paging import ListName, Page, PageRequest
from app.db.database import Database
from app.db.pages import Order, PageShape, page_of_each
from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.graph.loading import Loader
from app.streams.inboxes import MOST_AWAITED
from app.workflow.fragments import decisions, one_of, reviews, stages
from app.workflow.models import Review, ReviewDecision
from app.workflow.values import ReviewFilter, ReviewId, ReviewInbox, ReviewStatus, StageStatus

MOST_DECISIONS = 100
"""Of one review that are shown: nobody changes their mind so often."""

_OLDEST_FIRST = Order((reviews.c.created_at, reviews.c.id), (datetime, UUID))

_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "project_id": reviews.c.project_id == param("project_id", Uuid),
    "stage": reviews.c.stage == param("stage", Text),
    "status": reviews.c.status == param("status", Text),
}


def _narrowed(rows: Select[Any], names: frozenset[str]) -> Select[Any]:
    return rows.where(reviews.c.tenant_id == param("tenant_id"), *(_CONDITIONS[name] for name in sorted(names)))


_BY_IDS = Query(
    Review, _narrowed(select(*reviews.c), frozenset()).where(reviews.c.id == any_(param("ids", ARRAY(Uuid))))
)


class ReviewById(Loader[ReviewId, Review | None]):
    """Reviews of the tenant; None for any other id."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[ReviewId]) -> Sequence[Review | None]:
        """One statement for all ids."""
        found = {row.id: row for row in await scope.all(_BY_IDS, tenant_id=actor.tenant_id, ids=keys)}
        return [found.get(key) for key in keys]


@lru_cache(maxsize=32)
def _page_of_each(names: frozenset[str], shape: PageShape) -> Query[Review]:
    rows = _narrowed(select(*reviews.c), names)
    return Query(Review, page_of_each(rows, reviews.c.project_id, _OLDEST_FIRST, shape))


class _Count(NamedTuple):
    project_id: UUID
    amount: int


@lru_cache(maxsize=4)
def _counts(names: frozenset[str]) -> Query[_Count]:
    rows = _narrowed(select(reviews.c.project_id, func.count().label("amount")), names)
    of_projects = reviews.c.project_id == any_(param("ids", ARRAY(Uuid)))
    return Query(_Count, rows.where(of_projects).group_by(reviews.c.project_id))


ReviewPage = tuple[UUID, PageRequest, ReviewFilter]
"""A page of the reviews of a project."""


class ReviewsOfProject(Loader[ReviewPage, Page[Review]]):
    """Pages of the reviews of projects that were read before, oldest first."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[ReviewPage]) -> Sequence[Page[Review]]:
        """One statement for all projects that are asked for the same page."""
        asked: dict[tuple[PageRequest, ReviewFilter], list[UUID]] = defaultdict(list)
        for project_id, request, wanted in keys:
            asked[request, wanted].append(project_id)
        rows: dict[ReviewPage, list[Review]] = defaultdict(list)
        for (request, wanted), parents in asked.items():
            positions = [_OLDEST_FIRST.parameters(request, ListName("reviews", parent)) for parent in parents]
            given = wanted.given()
            query = _page_of_each(frozenset(given), PageShape.of(request))
            for row in await scope.all(query, tenant_id=actor.tenant_id, parents=parents, **given, **positions[0]):
                rows[row.project_id, request, wanted].append(row)
        return [self._page(key, rows[key]) for key in keys]

    def _page(self, key: ReviewPage, rows: list[Review]) -> Page[Review]:
        project_id, request, wanted = key
        name = ListName("reviews", project_id)

        async def count() -> int:
            return await self.loaders.of(ReviewCountOfProject).load((project_id, wanted))

        return Page.of(rows, request, lambda row: name.encode((row.created_at, row.id)), count)


class ReviewCountOfProject(Loader[tuple[UUID, ReviewFilter], int]):
    """How many reviews such a list has."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[tuple[UUID, ReviewFilter]]) -> Sequence[int]:
        """One statement for all projects with the same filter."""
        found: dict[tuple[UUID, ReviewFilter], int] = {}
        for wanted in {wanted for _, wanted in keys}:
            ids, given = [project_id for project_id, filter_ in keys if filter_ == wanted], wanted.given()
            for row in await scope.all(_counts(frozenset(given)), tenant_id=actor.tenant_id, ids=ids, **given):
                found[row.project_id, wanted] = row.amount
        return [found.get(key, 0) for key in keys]


_OF_REVIEW = (stages.c.tenant_id == reviews.c.tenant_id) & (stages.c.review_id == reviews.c.id)

_PENDING = (one_of(reviews.c.status, ReviewStatus.PENDING), one_of(stages.c.status, StageStatus.AWAITING_REVIEW))
"""Is to be decided: of an attempt that became stale nobody decides any more."""


def _pending(rows: Select[Any], names: frozenset[str]) -> Select[Any]:
    return _narrowed(rows.join(stages, _OF_REVIEW), names).where(*_PENDING)


@lru_cache(maxsize=32)
def _page_of_pending(names: frozenset[str], shape: PageShape) -> Query[Review]:
    return Query(Review, _OLDEST_FIRST.page(_pending(select(*reviews.c), names), shape))


@lru_cache(maxsize=4)
def _count_of_pending(names: frozenset[str]) -> Query[int]:
    return Query(int, _pending(select(func.count().label("count")).select_from(reviews), names))


async def page_of_pending_reviews(
    database: Database, actor: Actor, wanted: ReviewFilter, request: PageRequest
) -> Page[Review]:
    """A page of the reviews of the tenant that are to be decided, oldest first."""
    name = ListName("pendingReviews")
    values: dict[str, object] = {"tenant_id": actor.tenant_id, **wanted.given()}
    names = frozenset(wanted.given())
    position = _OLDEST_FIRST.parameters(request, name)

    async def count() -> int:
        async with database.read() as scope:
            return await scope.first(_count_of_pending(names), **values) or 0

    async with database.read() as scope:
        found = await scope.all(_page_of_pending(names, PageShape.of(request)), **values, **position)
    return Page.of(found, request, lambda row: name.encode((row.created_at, row.id)), count)


def _held() -> Query[Review]:
    wanted = func.unnest(param("tenants", ARRAY(Text))).table_valued("tenant_id").render_derived(name="wanted")
    each = (
        select(reviews.c.tenant_id, reviews.c.id)
        .join(stages, _OF_REVIEW)
        .where(reviews.c.tenant_id == wanted.c.tenant_id, *_PENDING)
        .order_by(reviews.c.created_at, reviews.c.id)
        .limit(literal(MOST_AWAITED, BigInteger))
        .correlate(wanted)
        .lateral("each")
    )
    return Query(Review, select(*each.c).select_from(wanted.join(each, true())))


_HELD = _held()

_STILL_PENDING = Query(
    Review,
    _narrowed(select(*reviews.c).join(stages, _OF_REVIEW), frozenset())
    # IS TRUE: the index of all that is pending is no way to some of it.
    .where(reviews.c.id == any_(param("ids", ARRAY(Uuid))), *(condition.is_(true()) for condition in _PENDING))
    .order_by(reviews.c.created_at, reviews.c.id),
)


async def read_pending(database: Database, inboxes: Collection[ReviewInbox]) -> Mapping[ReviewInbox, list[UUID]]:
    """The ids of what each of many tenants is to decide, oldest first, at most MOST_AWAITED each; one statement."""
    async with database.read() as scope:
        rows = await scope.all(_HELD, tenants=[inbox.tenant_id for inbox in inboxes])
    found: dict[ReviewInbox, list[UUID]] = defaultdict(list)
    for row in rows:
        found[ReviewInbox(row.tenant_id)].append(row.id)
    return found


async def still_pending(database: Database, actor: Actor, ids: Sequence[UUID]) -> list[Review]:
    """Those of some reviews of the actor's tenant that are to be decided, oldest first."""
    async with database.read() as scope:
        return await scope.all(_STILL_PENDING, tenant_id=actor.tenant_id, ids=list(ids))


def _decisions_of_reviews() -> Query[ReviewDecision]:
    wanted = func.unnest(param("ids", ARRAY(Uuid))).table_valued("id").render_derived(name="wanted")
    each = (
        select(*decisions.c)
        .where(decisions.c.tenant_id == param("tenant_id"), decisions.c.review_id == wanted.c.id)
        .order_by(decisions.c.number.desc())
        .limit(literal(MOST_DECISIONS, BigInteger))
        .correlate(wanted)
        .lateral("each")
    )
    return Query(ReviewDecision, select(*each.c).select_from(wanted.join(each, true())))


_DECISIONS = _decisions_of_reviews()


class DecisionsOfReview(Loader[ReviewId, list[ReviewDecision]]):
    """The last 100 decisions of reviews that were read before, in their order."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[ReviewId]) -> Sequence[list[ReviewDecision]]:
        """One statement for all reviews."""
        found: dict[UUID, list[ReviewDecision]] = defaultdict(list)
        for row in await scope.all(_DECISIONS, tenant_id=actor.tenant_id, ids=keys):
            found[row.review_id].append(row)
        return [found[key][::-1] for key in keys]
