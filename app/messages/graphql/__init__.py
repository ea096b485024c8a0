"""Messages in the graph."""

import strawberry

from app.messages.graphql.change import ChangeMutations
from app.messages.graphql.persist import PersistMutations
from app.messages.graphql.streaming import StreamingMutations
from app.messages.graphql.types import ChatMessageType, MessageQueries, message_id

__all__ = ["ChatMessageType", "MessageMutations", "MessageQueries", "message_id"]


@strawberry.type
class MessageMutations(PersistMutations, StreamingMutations, ChangeMutations):
    pass
