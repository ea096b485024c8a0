"""Search in the graph."""

from collections.abc import Awaitable
from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import field

from app.core.paging import Page, PageRequest
from app.graph.connections import After, Before, Connection, First, Last
from app.graph.context import Info
from app.graph.enums import described
from app.graph.loading import Loaded
from app.graph.nodes import Id
from app.graph.queries import query
from app.messages.graphql import ChatMessageType
from app.messages.loaders import MESSAGE_COLUMNS, MessageOfRow
from app.messages.models import ChatMessage
from app.messages.values import MessageRole
from app.search import service
from app.search.values import MatchedIn, MessageHit, MessageSearch, SessionHit, SessionSearch
from app.sessions.graphql import ChatSessionType, SessionFilterInput, session_id
from app.sessions.loaders import SessionById
from app.sessions.models import ChatSession
from app.sessions.values import SessionFilter

DEFAULT_HITS = 20

described(
    MatchedIn,
    "Which text of a session it was found by.",
    {
        MatchedIn.TITLE: "Its title.",
        MatchedIn.DESCRIPTION: "Its description.",
        MatchedIn.TAGS: "One of its tags.",
        MatchedIn.SUMMARY: "Its summary.",
        MatchedIn.MESSAGES: "One of its messages, or several.",
    },
)

SearchText = Annotated[
    str,
    strawberry.argument(
        description='What is looked for: words that must all be there, "phrases in quotes", -words that must not, and '
        "`or` between alternatives. Parts of words of 3 letters or more are found too. At most 500 characters."
    ),
]


@strawberry.type(name="SnippetFragment", description="A piece of a snippet.")
class FragmentType:
    text: str = field(description="Plain text, never empty: escape it as any text.")
    highlighted: bool = field(description="Whether it is what was looked for.")


@strawberry.type
class HitFields:
    """What both kinds of hits show; no type of the graph by itself."""

    rank: float = field(
        description="How well it fits, above 0 and up to 1: whole words count more than parts of words, several "
        "occurrences more than one."
    )
    snippet: str = field(description="A short piece of the text around the first match, as plain text.")
    fragments: list[FragmentType] = field(
        description="The snippet in pieces, so that matches can be highlighted; joined they are the snippet."
    )


@strawberry.type(name="MessageHit", description="A message that was found.")
class MessageHitType(HitFields):
    @field(graphql_type=ChatMessageType | None, description="The message; null when it was deleted meanwhile.")
    def message(self, info: Info, root: strawberry.Parent[MessageHit]) -> Awaitable[ChatMessage | None]:
        return info.context.loader(MessageOfRow).load((root.message_id, MESSAGE_COLUMNS.wanted(info)))


@strawberry.type(name="SessionHit", description="A session that was found, by its own texts or by its messages.")
class SessionHitType(HitFields):
    matched_in: list[MatchedIn] = field(description="The texts it was found by.")

    @field(graphql_type=ChatSessionType | None, description="The session; null when it was deleted meanwhile.")
    def session(self, info: Info, root: strawberry.Parent[SessionHit]) -> Awaitable[ChatSession | None]:
        return info.context.loader(SessionById).load(root.session_id)

    @field(graphql_type=ChatMessageType | None, description="The message of it that fits best; null when none does.")
    def message(self, info: Info, root: strawberry.Parent[SessionHit]) -> Loaded[ChatMessage | None]:
        if root.message_id is None:
            return None
        return info.context.loader(MessageOfRow).load((root.message_id, MESSAGE_COLUMNS.wanted(info)))


@strawberry.type
class SearchQueries:
    @query(
        Connection[SessionHitType],
        "Your sessions that a query finds in titles, descriptions, tags, summaries and messages, the best first; 20 by "
        "default. Of each kind the newest 300 texts that match are ranked.",
    )
    async def search_sessions(
        self,
        info: Info,
        query: SearchText,
        filter: Annotated[SessionFilterInput | None, strawberry.argument(description="Which of them.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Page[SessionHit]:
        wanted = SessionSearch(query, filter.to_filter() if filter else SessionFilter())
        request = PageRequest.of(first, last, after, before, DEFAULT_HITS)
        return await service.search_sessions(info.context.database, info.context.actor, wanted, request)

    @query(
        Connection[MessageHitType],
        "Your messages that a query finds, the best first; 20 by default. The newest 300 that match are ranked.",
    )
    async def search_messages(
        self,
        info: Info,
        query: SearchText,
        session_id: Annotated[Id | None, strawberry.argument(description="Only in this session.")] = None,
        user_id: Annotated[
            str | None, strawberry.argument(description="Another user's messages; empty unless you are an admin.")
        ] = None,
        role: Annotated[MessageRole | None, strawberry.argument(description="Only what this role says.")] = None,
        from_: Annotated[
            datetime | None, strawberry.argument(name="from", description="Only what was said at or after this moment.")
        ] = None,
        to: Annotated[
            datetime | None, strawberry.argument(description="Only what was said before this moment.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Page[MessageHit]:
        session = None if session_id is None else _session(session_id)
        wanted = MessageSearch(query, session, user_id, role, from_, to)
        request = PageRequest.of(first, last, after, before, DEFAULT_HITS)
        return await service.search_messages(info.context.database, info.context.actor, wanted, request)


# Inside the resolver the name is the argument's.
_session = session_id
