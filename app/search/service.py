"""Search: what the actor may look for, and the hits as they are shown."""

from collections.abc import Iterator
from hashlib import blake2b

from app.core.actor import Actor
from app.core.paging import ListName, Page, PageRequest
from app.db.database import Database
from app.messages.values import MessageId
from app.search import loaders
from app.search.loaders import FoundMessage, FoundSession, Searched
from app.search.snippets import matches, snippet
from app.search.values import MatchedIn, MessageHit, MessageSearch, SearchQuery, SessionHit, SessionSearch, Term
from app.sessions.values import SessionId


async def search_messages(
    database: Database, actor: Actor, wanted: MessageSearch, request: PageRequest
) -> Page[MessageHit]:
    """A page of the actor's messages that a query finds, the best first; an admin may search another user's.

    Another's are none to anybody else. ValidationError for a query that names nothing, InvalidCursor.
    """
    query = SearchQuery.parse(wanted.query)
    owner = wanted.user_id or actor.user_id
    searched = Searched(actor.tenant_id, owner, query, wanted.given())
    allowed = actor.is_admin or owner == actor.user_id
    name = _list_name("searchMessages", owner, wanted)

    async def count() -> int:
        async with database.read() as scope:
            return await loaders.count_messages(scope, searched) if allowed else 0

    async with database.read() as scope:
        found = await loaders.find_messages(scope, searched, request, name) if allowed else []
    hits = [_message_hit(row, query.wanted) for row in found]
    return Page.of(hits, request, lambda hit: name.encode((hit.relevance, hit.message_id)), count)


async def search_sessions(
    database: Database, actor: Actor, wanted: SessionSearch, request: PageRequest
) -> Page[SessionHit]:
    """A page of the actor's sessions that a query finds by their own texts or their messages; the rest as above."""
    query = SearchQuery.parse(wanted.query)
    owner = wanted.filter.user_id or actor.user_id
    searched = Searched(actor.tenant_id, owner, query, wanted.filter.given())
    allowed = actor.is_admin or owner == actor.user_id
    name = _list_name("searchSessions", owner, wanted)

    async def count() -> int:
        async with database.read() as scope:
            return await loaders.count_sessions(scope, searched) if allowed else 0

    async with database.read() as scope:
        found = await loaders.find_sessions(scope, searched, request, name) if allowed else []
    hits = [_session_hit(row, query.wanted) for row in found]
    return Page.of(hits, request, lambda hit: name.encode((hit.relevance, hit.session_id)), count)


def _list_name(kind: str, *wanted: object) -> ListName:
    """The list of one search: its ranks are those of one query, and so are its cursors."""
    return ListName(f"{kind}:{blake2b(repr(wanted).encode(), digest_size=8).hexdigest()}")


def _message_hit(row: FoundMessage, terms: list[Term]) -> MessageHit:
    shown = snippet(row.excerpt or "", terms, cut_before=row.excerpt_start > 1)
    return MessageHit(SessionId(row.session_id), row.relevance, shown, MessageId(row.id))


def _session_hit(row: FoundSession, terms: list[Term]) -> SessionHit:
    texts = [(kind, text) for kind, text in _texts(row) if matches(text, terms)] if row.by_text else []
    matched = list(dict.fromkeys(kind for kind, _ in texts))
    message_id = None if row.message_id is None else MessageId(row.message_id)
    if message_id is not None:
        matched.append(MatchedIn.MESSAGES)
    # The title stands beside the snippet in every list: what else was found says more.
    said = [text for kind, text in texts if kind is not MatchedIn.TITLE]
    if said or row.excerpt is None:
        shown = snippet(said[0] if said else row.title, terms)
    else:
        shown = snippet(row.excerpt, terms, cut_before=row.excerpt_start > 1)
    return SessionHit(SessionId(row.id), row.relevance, shown, message_id, tuple(matched))


def _texts(row: FoundSession) -> Iterator[tuple[MatchedIn, str]]:
    yield MatchedIn.TITLE, row.title
    yield MatchedIn.DESCRIPTION, row.description or ""
    yield MatchedIn.SUMMARY, row.summary or ""
    for tag in row.tags or ():
        yield MatchedIn.TAGS, tag
