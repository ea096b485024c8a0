"""The tool that looks into what was said before."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.core.actor import Actor
from app.core.ids import global_id
from app.core.paging import PageRequest
from app.db.database import Database
from app.graph.loading import Loaders
from app.messages.loaders import MessageById
from app.messages.models import ChatMessage
from app.search.service import search_messages
from app.search.values import MessageHit, MessageSearch

MOST_HITS = 20
HITS = 5
"""Where the model does not say how many: each is some sixty tokens to read."""
LONGEST_QUERY = 500

NOTHING_FOUND = "No message was found."


class SearchHistory:
    """Finds messages of the user, in all of their sessions, by words."""

    name = "search_history"
    description = (
        "Searches the messages of the user's earlier conversations, and of this one, by words. Tells the best matches, "
        "with who said them and when, and an extract of each."
    )
    parameters: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "query": {
                "type": "string",
                "description": "The words to look for, all of which must occur; quotes make a phrase.",
                "minLength": 1,
                "maxLength": LONGEST_QUERY,
            },
            "limit": {
                "type": "integer",
                "description": f"How many to tell, at most {MOST_HITS}; {HITS} where it is left out.",
                "minimum": 1,
                "maximum": MOST_HITS,
            },
        },
        "required": ["query"],
        "additionalProperties": False,
    }

    async def run(self, database: Database, actor: Actor, arguments: Mapping[str, Any]) -> str:
        """The best matches, a paragraph each; ValidationError for a query that names nothing."""
        request = PageRequest(int(arguments.get("limit", HITS)))
        page = await search_messages(database, actor, MessageSearch(arguments["query"]), request)
        loader = Loaders(database, actor).of(MessageById)
        messages = await loader.load_many([hit.message_id for hit in page.nodes])
        found = list(_told(page.nodes, messages))
        return "\n\n".join(found) or NOTHING_FOUND


def _told(hits: list[MessageHit], messages: list[ChatMessage | None]) -> Iterator[str]:
    for hit, message in zip(hits, messages, strict=True):
        # One that was deleted since it was found is not told of.
        if message is not None and message.deleted_at is None:
            extract = "".join(fragment.text for fragment in hit.fragments)
            session = global_id("ChatSession", hit.session_id)
            yield f"{message.role}, {message.created_at:%Y-%m-%d %H:%M} UTC, session {session}:\n{extract}"
