"""Reads of what is found: candidates by the index, ranked, a page of them with the text around the first match."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    Boolean,
    ColumnElement,
    DateTime,
    FromClause,
    Integer,
    Select,
    Subquery,
    Text,
    Uuid,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    not_,
    null,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from app.core.actor import TenantId
from app.core.paging import ListName, PageRequest
from app.db.base import table_of
from app.db.pages import Order, PageShape
from app.db.scopes import ReadScope
from app.db.statement import ReplannedQuery, param
from app.messages.fragments import messages
from app.search.models import SearchEntry
from app.search.values import LONGEST_INDEXED, MOST_RANKED, SearchQuery
from app.sessions.fragments import sessions
from app.sessions.loaders import narrowing
from app.sessions.models import SessionMetadata

entries = table_of(SearchEntry)
_metadata = table_of(SessionMetadata)

EXCERPT_BEFORE = 300
EXCERPT_LENGTH = 1_200
"""Characters around the first match: enough to choose a snippet in, whatever length the text has."""

_COUNTED = 5_000
"""Characters at the beginning of a text in which occurrences are counted."""

Shape = tuple[tuple[int, int], ...]
"""Of each alternative, how many terms are wanted and unwanted: what of a query decides the SQL."""


class FoundMessage(NamedTuple):
    """One message that was found."""

    id: UUID
    session_id: UUID
    relevance: int
    excerpt: str | None
    excerpt_start: int


class FoundSession(NamedTuple):
    """One session that was found, by its own text, by messages, or both."""

    id: UUID
    relevance: int
    by_text: bool
    message_id: UUID | None
    title: str
    description: str | None
    tags: list[str] | None
    summary: str | None
    excerpt: str | None
    excerpt_start: int


def _ranking(query: SearchQuery) -> dict[str, object]:
    """The parameters of ranks and excerpts."""
    return {"terms": [term.text for term in query.wanted], "starts": [term.words[0] for term in query.wanted]}


def _conditions(query: SearchQuery) -> dict[str, object]:
    """The parameters of what must match."""
    values: dict[str, object] = {}
    for side, alternative in enumerate(query.alternatives):
        for place, term in enumerate((*alternative.wanted, *alternative.unwanted)):
            values |= {f"term_{side}_{place}": term.text, f"exact_{side}_{place}": term.exact}
    return values


def _matching(shape: Shape) -> ColumnElement[bool]:
    """Whether an entry has what is wanted. Parameters: term_<side>_<place>, exact_<side>_<place>."""
    sides = []
    for side, (wanted, unwanted) in enumerate(shape):
        likes = [entries.c.body.like(_pattern(f"{side}_{place}")) for place in range(wanted + unwanted)]
        sides.append(and_(*likes[:wanted], *(not_(like) for like in likes[wanted:])))
    return or_(*sides)


def _pattern(place: str) -> ColumnElement[str]:
    # The same function that made the bodies cuts the terms: what is cut alike is found, whatever the locale knows.
    found: ColumnElement[str] = func.search_pattern(
        param(f"term_{place}", Text), param(f"exact_{place}", Boolean), type_=Text
    )
    return found


_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "session_id": entries.c.session_id == param("session_id", Uuid),
    "role": entries.c.role == param("role", Text),
    "at_from": entries.c.at >= param("at_from", DateTime(timezone=True)),
    "at_to": entries.c.at < param("at_to", DateTime(timezone=True)),
}


def _newest(shape: Shape, *conditions: ColumnElement[bool]) -> Select[Any]:
    """The newest MOST_RANKED entries of one user that match. Parameters: tenant_id, owner_id, and the terms'."""
    return (
        select(entries.c.id, entries.c.session_id, entries.c.role, entries.c.body)
        .where(
            entries.c.tenant_id == param("tenant_id", Text),
            entries.c.user_id == param("owner_id", Text),
            _matching(shape),
            *conditions,
        )
        .order_by(entries.c.id.desc())
        .limit(literal(MOST_RANKED, BigInteger))
    )


def _terms() -> CTE:
    """What is looked for, as ranks need it: as whole words, and as part of one. Parameters: terms."""
    given = func.unnest(param("terms", ARRAY(Text))).table_valued("term").render_derived(name="given")
    whole, part = (func.btrim(func.search_pattern(given.c.term, exact), "%", type_=Text) for exact in (True, False))
    return select(whole.label("whole"), part.label("part")).cte("terms").prefix_with("MATERIALIZED")


def _relevance(body: ColumnElement[str], terms: CTE) -> ColumnElement[int]:
    """How well a body fits, in millionths: the mean of what it gets for each term.

    0.2 where the term is inside a word, 0.4 where a word begins with it; as whole words 0.6, and up to 0.4 more by how
    often they stand in the first 5,000 characters: n times, n / (n + 2) of that.
    """
    length = func.octet_length(terms.c.whole, type_=BigInteger)
    head = func.left(body, _COUNTED, type_=Text)
    gone = func.octet_length(head, type_=BigInteger) - func.octet_length(func.replace(head, terms.c.whole, ""))
    # Whole numbers: fractions are numeric, whose sums take longer.
    score = case(
        (gone > 0, 600_000 + cast(400_000, BigInteger) * gone // (gone + 2 * length)),
        (func.strpos(body, terms.c.whole) > 0, 600_000),
        (func.strpos(body, func.rtrim(terms.c.whole)) > 0, 400_000),
        (func.strpos(body, terms.c.part) > 0, 200_000),
        else_=0,
    )
    mean = select(cast(func.sum(score) // func.count(), Integer)).select_from(terms).correlate_except(terms)
    return mean.scalar_subquery()


def _excerpt(page: FromClause, message_id: ColumnElement[Any]) -> tuple[Any, Any, Any]:
    """A join for the messages of a page, and of each the text around the first word that is found, and its start.

    Parameters: tenant_id, starts.
    """
    given = func.unnest(param("starts", ARRAY(Text))).table_valued("start").render_derived(name="given")
    head = func.lower(func.left(messages.c.content, LONGEST_INDEXED))
    first = (
        select(func.min(func.nullif(func.strpos(head, func.lower(given.c.start)), 0)))
        .correlate(messages)
        .scalar_subquery()
    )
    begin = func.greatest(func.coalesce(first, 1) - EXCERPT_BEFORE, 1)
    text = func.substr(messages.c.content, begin, EXCERPT_LENGTH)
    around = (
        select(text.label("excerpt"), begin.label("start"))
        .where(messages.c.tenant_id == param("tenant_id"), messages.c.id == message_id)
        .correlate(page)
        .lateral("around")
    )
    return around, around.c.excerpt, func.coalesce(around.c.start, 1)


_TYPES = (int, UUID)


def _ordered(found: FromClause) -> Order:
    return Order((found.c.relevance, found.c.id), _TYPES, descending=True)


ORDER = _ordered(select(literal(0, Integer).label("relevance"), null().cast(Uuid).label("id")).subquery())
"""Of all hits: the most relevant first, then the newest. Its parameters are those of each page."""


@lru_cache(maxsize=256)
def _messages(shape: Shape, names: frozenset[str], page: PageShape) -> ReplannedQuery[FoundMessage]:
    newest = _messages_found(shape, names).subquery("newest")
    ranked = select(newest.c.id, newest.c.session_id, _relevance(newest.c.body, _terms()).label("relevance"))
    found = _once(ranked)
    hits = _ordered(found).page(select(*found.c), page).subquery("page")
    around, excerpt, start = _excerpt(hits, hits.c.id)
    return ReplannedQuery(
        FoundMessage,
        select(
            hits.c.id, hits.c.session_id, hits.c.relevance, excerpt.label("excerpt"), start.label("excerpt_start")
        )
        .select_from(hits.outerjoin(around, literal(True)))
        .order_by(*_direction(hits, page)),
    )  # fmt: skip


def _once(ranked: Select[Any], name: str = "found") -> CTE:
    # Materialized: the planner would rank once for the position, and once more for the order.
    return ranked.cte(name).prefix_with("MATERIALIZED")


def _messages_found(shape: Shape, names: frozenset[str]) -> Select[Any]:
    return _newest(shape, entries.c.role.is_not(None), *(_CONDITIONS[name] for name in sorted(names)))


@lru_cache(maxsize=64)
def _messages_count(shape: Shape, names: frozenset[str]) -> ReplannedQuery[int]:
    found = _messages_found(shape, names).with_only_columns(entries.c.id).subquery()
    return ReplannedQuery(int, select(func.count().label("count")).select_from(found))


@lru_cache(maxsize=256)
def _sessions(shape: Shape, names: frozenset[str], page: PageShape) -> ReplannedQuery[FoundSession]:
    found = _once(_sessions_found(shape, names))
    hits = _ordered(found).page(select(*found.c), page).subquery("page")
    around, excerpt, start = _excerpt(hits, hits.c.message_id)
    tenant = param("tenant_id")
    described = (
        hits.join(sessions, (sessions.c.tenant_id == tenant) & (sessions.c.id == hits.c.id))
        .outerjoin(_metadata, (_metadata.c.tenant_id == tenant) & (_metadata.c.session_id == hits.c.id))
        .outerjoin(around, literal(True))
    )
    return ReplannedQuery(
        FoundSession,
        select(
            hits.c.id, hits.c.relevance, hits.c.by_text, hits.c.message_id, sessions.c.title, sessions.c.description,
            _metadata.c.tags, _metadata.c.summary, excerpt.label("excerpt"), start.label("excerpt_start"),
        )
        .select_from(described)
        .order_by(*_direction(hits, page)),
    )  # fmt: skip


def _of_sessions(shape: Shape, names: frozenset[str]) -> Subquery:
    """The newest messages and the newest texts of sessions: apart, or much talk would hide an older title."""
    wanted = [_of_such_a_session(names)] if names else []
    texts = _newest(shape, entries.c.role.is_(None), *wanted).subquery("texts")
    said = _newest(shape, entries.c.role.is_not(None), *wanted).subquery("said")
    return select(texts).union_all(select(said)).subquery("newest")


def _sessions_found(shape: Shape, names: frozenset[str]) -> Select[Any]:
    """Sessions with the rank of what fits best in them."""
    both = _of_sessions(shape, names)
    ranked = _once(
        select(both.c.id, both.c.session_id, both.c.role, _relevance(both.c.body, _terms()).label("relevance")),
        "ranked",
    )
    best_first = aggregate_order_by(ranked.c.id, ranked.c.relevance.desc(), ranked.c.id.desc())
    said = func.array_agg(best_first, type_=ARRAY(Uuid)).filter(ranked.c.role.is_not(None))
    return select(
        ranked.c.session_id.label("id"),
        func.max(ranked.c.relevance).label("relevance"),
        func.bool_or(ranked.c.role.is_(None)).label("by_text"),
        said[1].label("message_id"),
    ).group_by(ranked.c.session_id)


def _of_such_a_session(names: frozenset[str]) -> ColumnElement[bool]:
    return exists(
        select(sessions.c.id).where(
            sessions.c.tenant_id == param("tenant_id"), sessions.c.id == entries.c.session_id, *narrowing(names)
        )
    )


@lru_cache(maxsize=64)
def _sessions_count(shape: Shape, names: frozenset[str]) -> ReplannedQuery[int]:
    both = _of_sessions(shape, names)
    return ReplannedQuery(int, select(func.count(both.c.session_id.distinct()).label("count")))


def _direction(hits: Subquery, page: PageShape) -> list[ColumnElement[Any]]:
    columns = (hits.c.relevance, hits.c.id)
    return [column.asc() if page.backward else column.desc() for column in columns]


@dataclass(frozen=True, slots=True)
class Searched:
    """Whose texts are searched, for what, under which conditions."""

    tenant_id: TenantId
    owner_id: str
    query: SearchQuery
    given: dict[str, object]

    @property
    def shape(self) -> tuple[Shape, frozenset[str]]:
        """What decides the SQL."""
        sides = tuple((len(side.wanted), len(side.unwanted)) for side in self.query.alternatives)
        return sides, frozenset(self.given)

    def parameters(self) -> dict[str, object]:
        """What must hold of an entry."""
        return {"tenant_id": self.tenant_id, "owner_id": self.owner_id, **_conditions(self.query), **self.given}


async def find_messages(
    scope: ReadScope, searched: Searched, request: PageRequest, name: ListName
) -> list[FoundMessage]:
    """A page of messages, one more than is asked for, in the request's direction."""
    statement = _messages(*searched.shape, PageShape.of(request))
    position = ORDER.parameters(request, name)
    return await scope.all(statement, **searched.parameters(), **_ranking(searched.query), **position)


async def count_messages(scope: ReadScope, searched: Searched) -> int:
    """How many messages are ranked: at most MOST_RANKED."""
    return await scope.first(_messages_count(*searched.shape), **searched.parameters()) or 0


async def find_sessions(
    scope: ReadScope, searched: Searched, request: PageRequest, name: ListName
) -> list[FoundSession]:
    """A page of sessions, one more than is asked for, in the request's direction."""
    statement = _sessions(*searched.shape, PageShape.of(request))
    position = ORDER.parameters(request, name)
    return await scope.all(statement, **searched.parameters(), **_ranking(searched.query), **position)


async def count_sessions(scope: ReadScope, searched: Searched) -> int:
    """How many sessions the ranked texts belong to."""
    return await scope.first(_sessions_count(*searched.shape), **searched.parameters()) or 0
