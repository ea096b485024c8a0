"""Batched reads of messages."""

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Integer, Uuid, any_, func, select

from app.core.actor import Actor
from app.core.paging import ListName, Page, PageRequest
from app.db.pages import Order, PageShape, page_of_each
from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.graph.context import Info
from app.graph.loading import Loader
from app.graph.selection import selected
from app.messages.fragments import messages, of_session
from app.messages.models import ChatMessage
from app.messages.values import MessageId
from app.sessions.fragments import readable
from app.sessions.loaders import SessionById
from app.sessions.values import SessionId

_LARGE_FIELDS = {"content": "content", "contextItems": "context"}

LARGE_COLUMNS = frozenset(_LARGE_FIELDS.values())
"""What may hold megabytes: lists read it only where it is asked for."""

Large = frozenset[str]
"""Those of LARGE_COLUMNS that are asked for."""

MessageKey = tuple[MessageId, Large]


def large_columns(info: Info) -> Large:
    """Those that the messages are asked for which a field leads to."""
    return frozenset(_LARGE_FIELDS[name] for name in selected(info) & _LARGE_FIELDS.keys())


def columns_with(large: Large) -> list[ColumnElement[Any]]:
    """All columns of a message, of the large ones those."""
    return [column for column in messages.c if column.name not in LARGE_COLUMNS or column.name in large]


@lru_cache(maxsize=8)
def _by_ids(large: Large) -> Query[ChatMessage]:
    return Query(
        ChatMessage,
        select(*columns_with(large)).where(
            messages.c.tenant_id == param("tenant_id"),
            messages.c.id == any_(param("ids", ARRAY(Uuid))),
            of_session(readable()),
        ),
    )


class _ChildCount(NamedTuple):
    parent_id: UUID
    children: int


_CHILD_COUNTS = Query(
    _ChildCount,
    select(messages.c.parent_message_id.label("parent_id"), func.count().label("children"))
    .where(messages.c.tenant_id == param("tenant_id"), messages.c.parent_message_id == any_(param("ids", ARRAY(Uuid))))
    .group_by(messages.c.parent_message_id),
)

_BY_NUMBER = Order((messages.c.sequence_number,), (int,))


class MessageById(Loader[MessageId, ChatMessage | None]):
    """Messages of sessions the actor may read, whole; None for any other id."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[MessageId]) -> Sequence[ChatMessage | None]:
        """One statement for all ids."""
        found = {row.id: row for row in await scope.all(_by_ids(LARGE_COLUMNS), ids=keys, **actor.as_reader())}
        return [found.get(key) for key in keys]


class MessageOfRow(Loader[MessageKey, ChatMessage | None]):
    """The same for rows that name a message, each with the large columns that are asked for."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[MessageKey]) -> Sequence[ChatMessage | None]:
        """One statement for all ids with the same columns."""
        found: dict[tuple[UUID, Large], ChatMessage] = {}
        for large in {large for _, large in keys}:
            ids = [message_id for message_id, wanted in keys if wanted == large]
            for row in await scope.all(_by_ids(large), ids=ids, **actor.as_reader()):
                found[row.id, large] = row
        return [found.get(key) for key in keys]


@lru_cache(maxsize=64)
def _page_of_each(parent: str, shape: PageShape, large: Large) -> Query[ChatMessage]:
    rows = select(*columns_with(large)).where(messages.c.tenant_id == param("tenant_id"))
    return Query(ChatMessage, page_of_each(rows, messages.c[parent], _BY_NUMBER, shape))


PageKey = tuple[UUID, PageRequest, Large]


class _PagesOfParent(Loader[PageKey, Page[ChatMessage]]):
    """Pages of messages that hang on a row which was read before: whoever may read that one may read them."""

    kind: ClassVar[str]
    parent: ClassVar[str]

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[PageKey]) -> Sequence[Page[ChatMessage]]:
        """One statement for all parents that are asked for the same page."""
        wanted: dict[tuple[PageRequest, Large], list[UUID]] = defaultdict(list)
        for parent_id, request, large in keys:
            wanted[request, large].append(parent_id)
        rows: dict[PageKey, list[ChatMessage]] = defaultdict(list)
        for (request, large), parents in wanted.items():
            # A cursor belongs to one parent's list: with two parents and a cursor one of them refuses it here.
            positions = [_BY_NUMBER.parameters(request, ListName(self.kind, parent)) for parent in parents]
            query = _page_of_each(self.parent, PageShape.of(request), large)
            for row in await scope.all(query, tenant_id=actor.tenant_id, parents=parents, **positions[0]):
                rows[getattr(row, self.parent), request, large].append(row)
        return [self._page(key[0], key[1], rows[key]) for key in keys]

    def _page(self, parent_id: UUID, request: PageRequest, rows: list[ChatMessage]) -> Page[ChatMessage]:
        name = ListName(self.kind, parent_id)
        return Page.of(rows, request, lambda row: name.encode((row.sequence_number,)), lambda: self.count(parent_id))

    async def count(self, parent_id: UUID) -> int:
        """How many messages hang on the parent."""
        raise NotImplementedError


class MessagesOfSession(_PagesOfParent):
    """The messages of a session, by number."""

    kind = "messages"
    parent = "session_id"

    async def count(self, parent_id: UUID) -> int:
        """The session's counter: nothing is counted."""
        session = await self.loaders.of(SessionById).load(SessionId(parent_id))
        return session.message_count if session else 0


class ChildrenOfMessage(_PagesOfParent):
    """The messages that answer a message, by number."""

    kind = "children"
    parent = "parent_message_id"

    async def count(self, parent_id: UUID) -> int:
        """Counted by one statement for all parents."""
        return await self.loaders.of(ChildCounts).load(parent_id)


class ChildCounts(Loader[UUID, int]):
    """How many messages answer a message."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[UUID]) -> Sequence[int]:
        """One statement for all parents."""
        rows = await scope.all(_CHILD_COUNTS, tenant_id=actor.tenant_id, ids=keys)
        found = {row.parent_id: row.children for row in rows}
        return [found.get(key, 0) for key in keys]


_IN_SESSION = (messages.c.tenant_id == param("tenant_id"), messages.c.session_id == param("session_id", Uuid))
_NEXT = (
    *_IN_SESSION,
    messages.c.sequence_number > param("after", Integer),
    messages.c.sequence_number <= param("up_to", Integer),
)

_AFTER = Query(
    ChatMessage, select(*messages.c).where(*_NEXT).order_by(messages.c.sequence_number).limit(param("most", Integer))
)


class Place(NamedTuple):
    """Where a message stands in the tree of its session."""

    number: int
    parent: int | None
    """The number of the message that it answers."""
    role: str
    tool_call_id: str | None


def _places() -> Query[Place]:
    above = messages.alias("above")
    joined = messages.outerjoin(
        above, (above.c.tenant_id == messages.c.tenant_id) & (above.c.id == messages.c.parent_message_id)
    )
    return Query(
        Place,
        select(
            messages.c.sequence_number.label("number"),
            above.c.sequence_number.label("parent"),
            messages.c.role,
            messages.c.tool_call_id,
        )
        .select_from(joined)
        .where(*_NEXT)
        .order_by(messages.c.sequence_number)
        .limit(param("most", Integer)),
    )


_PLACES = _places()

_BY_NUMBERS = Query(
    ChatMessage,
    select(*messages.c)
    .where(*_IN_SESSION, messages.c.sequence_number == any_(param("numbers", ARRAY(Integer))))
    .order_by(messages.c.sequence_number),
)


async def messages_after(
    scope: ReadScope, actor: Actor, session_id: SessionId, after: int, up_to: int, most: int
) -> list[ChatMessage]:
    """The next messages of a session that was read before, in their order: numbers beyond `after`, to `up_to`."""
    return await scope.all(
        _AFTER, tenant_id=actor.tenant_id, session_id=session_id, after=after, up_to=up_to, most=most
    )


async def places_after(
    scope: ReadScope, actor: Actor, session_id: SessionId, after: int, up_to: int, most: int
) -> list[Place]:
    """The same without what they say."""
    return await scope.all(
        _PLACES, tenant_id=actor.tenant_id, session_id=session_id, after=after, up_to=up_to, most=most
    )


async def messages_numbered(
    scope: ReadScope, actor: Actor, session_id: SessionId, numbers: list[int]
) -> list[ChatMessage]:
    """These messages of a session that was read before, in their order."""
    return await scope.all(_BY_NUMBERS, tenant_id=actor.tenant_id, session_id=session_id, numbers=numbers)
