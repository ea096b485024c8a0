"""Batched reads of the tree of messages. Whoever has read a message or a session may read what stands around it."""

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Integer, Select, Uuid, any_, func, select, true, union_all

from app.branches.fragments import STEP, upwards
from app.branches.values import PathRequest, Place, Siblings
from app.core.actor import Actor
from app.core.paging import ListName, Page, PageRequest
from app.db.pages import Order, PageShape, position
from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.graph.columns import Columns
from app.graph.loading import Loader
from app.messages.fragments import messages
from app.messages.loaders import MESSAGE_COLUMNS
from app.messages.models import ChatMessage

_BY_NUMBER = Order((messages.c.sequence_number,), (int,))


def _siblings() -> Query[Siblings]:
    """Each list of siblings is read once, however many of its messages are asked about."""
    children = _in_their_list(messages.c.parent_message_id, "parents")
    roots = _in_their_list(messages.c.session_id, "sessions").where(messages.c.parent_message_id.is_(None))
    placed = union_all(children, roots).subquery("placed")
    return Query(Siblings, select(*placed.c).where(placed.c.message_id == any_(param("ids", ARRAY(Uuid)))))


def _in_their_list(parent: ColumnElement[UUID], parents: str) -> Select[Any]:
    number = messages.c.sequence_number
    within: dict[str, Any] = {"partition_by": parent, "order_by": number}
    return select(
        messages.c.id.label("message_id"),
        func.row_number().over(**within).label("position"),
        func.count().over(partition_by=parent).label("total"),
        func.lag(messages.c.id).over(**within).label("previous_id"),
        func.lead(messages.c.id).over(**within).label("next_id"),
    ).where(messages.c.tenant_id == param("tenant_id"), parent == any_(param(parents, ARRAY(Uuid))))


_SIBLINGS = _siblings()


class SiblingsOfMessage(Loader[Place, Siblings]):
    """A message among those beside it."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[Place]) -> Sequence[Siblings]:
        """One statement for all messages."""
        rows = await scope.all(
            _SIBLINGS,
            tenant_id=actor.tenant_id,
            ids=[key.message_id for key in keys],
            parents=list({key.parent_id for key in keys if key.parent_id is not None}),
            sessions=list({key.session_id for key in keys if key.parent_id is None}),
        )
        found = {row.message_id: row for row in rows}
        # One that was deleted with its session since it was read stands alone.
        return [found.get(key.message_id) or Siblings(key.message_id, 1, 1, None, None) for key in keys]


@lru_cache(maxsize=128)
def _page(shape: PageShape, columns: Columns) -> Query[ChatMessage]:
    """A part of several paths; what follows a message that is on none of them is all of it.

    Backward, no more is walked of them than is shown.
    """
    start = _before_cursor() if shape.before else _at_leaf()
    if shape.after:
        start = start.where(messages.c.sequence_number != position(messages.c.sequence_number, "after_0"))

    def goes_on(at: Any, to: Any) -> list[ColumnElement[bool]]:
        short = [at.c.depth < param("limit", Integer)] if shape.backward else []
        behind = [to.c.sequence_number != position(to.c.sequence_number, "after_0")] if shape.after else []
        return [*short, *behind]

    path = upwards(start, STEP, goes_on)
    down = func.row_number().over(partition_by=path.c.session_id, order_by=path.c.depth.desc())
    ranked = select(path.c.id, (path.c.depth if shape.backward else down).label("rank")).subquery("ranked")
    each = select(*MESSAGE_COLUMNS.read(columns)).where(
        messages.c.tenant_id == param("tenant_id"), messages.c.id == ranked.c.id
    )
    shown = each.limit(1).correlate(ranked).lateral("shown")
    rows = select(*shown.c).select_from(ranked.join(shown, true())).where(ranked.c.rank <= param("limit", Integer))
    return Query(ChatMessage, rows.order_by(ranked.c.rank))


def _at_leaf() -> Select[Any]:
    return select(*(messages.c[name] for name in STEP)).where(
        messages.c.tenant_id == param("tenant_id"), messages.c.id == any_(param("starts", ARRAY(Uuid)))
    )


def _before_cursor() -> Select[Any]:
    """From the message that the one at the cursor answers: however far up, nothing below it is walked again."""
    mark = messages.alias("mark")
    answered = select(mark.c.parent_message_id).where(
        mark.c.tenant_id == param("tenant_id"),
        mark.c.session_id == any_(param("starts", ARRAY(Uuid))),
        mark.c.sequence_number == position(mark.c.sequence_number, "before_0"),
    )
    return select(*(messages.c[name] for name in STEP)).where(
        messages.c.tenant_id == param("tenant_id"), messages.c.id == answered.scalar_subquery()
    )


class ActivePath(Loader[PathRequest, Page[ChatMessage]]):
    """The messages that lead to a leaf, from a first one on. A cursor names one of them by its number.

    Numbers say when messages were stored, and mostly grow along a path; but what was said while an answer waited for
    tools follows the whole answer, and has lower ones. What precedes a cursor is the path to the message there, also
    when the leaf has been moved to another branch since: who scrolls up goes on in the conversation that they read.
    """

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[PathRequest]) -> Sequence[Page[ChatMessage]]:
        """One statement for all sessions that are asked for the same page, with the same long columns."""
        together = MESSAGE_COLUMNS.together(key.columns for key in keys)
        wanted: dict[tuple[PageRequest, Columns], list[PathRequest]] = defaultdict(list)
        for key in keys:
            if key.leaf_id is not None:
                wanted[key.page, together[key.columns]].append(key)
        rows: dict[tuple[UUID, PageRequest, Columns], list[ChatMessage]] = defaultdict(list)
        for (request, read), paths in wanted.items():
            # A cursor belongs to one session's path: with two sessions and a cursor one of them refuses it here.
            positions = [_BY_NUMBER.parameters(request, _list_of(path.session_id)) for path in paths]
            starts = [path.session_id if request.before is not None else path.leaf_id for path in paths]
            query = _page(PageShape.of(request), read)
            for row in await scope.all(query, tenant_id=actor.tenant_id, starts=starts, **positions[0]):
                rows[row.session_id, request, read].append(row)
        return [self._page_of(key, rows[key.session_id, key.page, together[key.columns]]) for key in keys]

    def _page_of(self, key: PathRequest, rows: list[ChatMessage]) -> Page[ChatMessage]:
        name = _list_of(key.session_id)

        async def count() -> int:
            return await self.loaders.of(PathLengths).load((key.session_id, key.leaf_id)) if key.leaf_id else 0

        return Page.of(rows, key.page, lambda row: name.encode((row.sequence_number,)), count)


def _list_of(session_id: UUID) -> ListName:
    return ListName("activePath", session_id)


class _Length(NamedTuple):
    session_id: UUID
    length: int


def _lengths() -> Query[_Length]:
    path = upwards(_at_leaf(), STEP)
    return Query(_Length, select(path.c.session_id, func.max(path.c.depth).label("length")).group_by(path.c.session_id))


_LENGTHS = _lengths()


class PathLengths(Loader[tuple[UUID, UUID], int]):
    """How many messages lead to the leaf of a session, itself included; keys are sessions with their leaves."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[tuple[UUID, UUID]]) -> Sequence[int]:
        """One statement for all sessions."""
        leaves = [leaf_id for _, leaf_id in keys]
        rows = await scope.all(_LENGTHS, tenant_id=actor.tenant_id, starts=leaves)
        found = {row.session_id: row.length for row in rows}
        return [found.get(session_id, 0) for session_id, _ in keys]
