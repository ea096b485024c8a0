"""Batched reads of messages."""

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from operator import attrgetter
from typing import ClassVar, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Integer, Uuid, any_, func, select

from app.core.actor import Actor
from app.core.paging import ListName, Page, PageRequest
from app.db.pages import Order, PageShape, page_of_each
from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.graph.columns import Columns, OnDemand
from app.graph.loading import Loader
from app.messages.fragments import messages, of_session
from app.messages.models import ChatMessage
from app.messages.values import MessageId
from app.sessions.fragments import readable
from app.sessions.loaders import SessionById
from app.sessions.values import SessionId

MESSAGE_COLUMNS = OnDemand(
    messages,
    {
        "content": ("content",),
        "contextItems": ("context",),
        "toolCallId": ("tool_call_id",),
        "errorCode": ("error_code",),
        "errorMessage": ("error_message",),
        "metadata": ("custom_metadata",),
        "createdAt": ("created_at",),
        "updatedAt": ("updated_at",),
        "deletedAt": ("deleted_at",),
        "intent": ("intent_name", "intent_confidence", "intent_keywords"),
        "generation": ("model", "temperature", "generation_source", "processing_time_ms", "streaming"),
        "pipeline": ("pipeline_facts", "created_at"),
    },
    long=("content", "context"),
    unshown=("tenant_id",),
)

MessageKey = tuple[MessageId, Columns]


@lru_cache(maxsize=128)
def _by_ids(columns: Columns) -> Query[ChatMessage]:
    return Query(
        ChatMessage,
        select(*MESSAGE_COLUMNS.read(columns)).where(
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
        found = {row.id: row for row in await scope.all(_by_ids(MESSAGE_COLUMNS.whole), ids=keys, **actor.as_reader())}
        return [found.get(key) for key in keys]


class MessageOfRow(Loader[MessageKey, ChatMessage | None]):
    """The same for rows that name a message, each with the columns that are asked for."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[MessageKey]) -> Sequence[ChatMessage | None]:
        """One statement for all ids with the same long columns."""
        together = MESSAGE_COLUMNS.together(columns for _, columns in keys)
        found: dict[tuple[UUID, Columns], ChatMessage] = {}
        for read in set(together.values()):
            ids = [message_id for message_id, columns in keys if together[columns] == read]
            for row in await scope.all(_by_ids(read), ids=ids, **actor.as_reader()):
                found[row.id, read] = row
        return [found.get((message_id, together[columns])) for message_id, columns in keys]


@lru_cache(maxsize=256)
def _page_of_each(parent: str, shape: PageShape, columns: Columns) -> Query[ChatMessage]:
    rows = select(*MESSAGE_COLUMNS.read(columns)).where(messages.c.tenant_id == param("tenant_id"))
    return Query(ChatMessage, page_of_each(rows, messages.c[parent], _BY_NUMBER, shape))


PageKey = tuple[UUID, PageRequest, Columns]


class _PagesOfParent(Loader[PageKey, Page[ChatMessage]]):
    """Pages of messages that hang on a row which was read before: whoever may read that one may read them."""

    kind: ClassVar[str]
    parent: ClassVar[str]

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[PageKey]) -> Sequence[Page[ChatMessage]]:
        """One statement for all parents that are asked for the same page, with the same long columns."""
        together = MESSAGE_COLUMNS.together(columns for _, _, columns in keys)
        # Of a dictionary for its order: a parent that is there twice would have its rows twice.
        wanted: dict[tuple[PageRequest, Columns], dict[UUID, None]] = defaultdict(dict)
        for parent_id, request, columns in keys:
            wanted[request, together[columns]][parent_id] = None
        parent = attrgetter(self.parent)
        rows: dict[tuple[PageRequest, Columns], dict[UUID, list[ChatMessage]]] = {}
        for (request, read), parents in wanted.items():
            # A cursor belongs to one parent's list: with two parents and a cursor one of them refuses it here.
            positions = [_BY_NUMBER.parameters(request, ListName(self.kind, parent_id)) for parent_id in parents]
            query = _page_of_each(self.parent, PageShape.of(request), read)
            found = rows[request, read] = {parent_id: [] for parent_id in parents}
            for row in await scope.all(query, tenant_id=actor.tenant_id, parents=list(parents), **positions[0]):
                found[parent(row)].append(row)
        return [
            self._page(parent_id, request, rows[request, together[columns]][parent_id])
            for parent_id, request, columns in keys
        ]

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
