"""The tree of messages in the graph."""

from typing import Any
from uuid import UUID

import strawberry
from strawberry import field

from app.branches.values import Siblings
from app.graph.context import Info
from app.messages.graphql import ChatMessageType
from app.messages.loaders import MessageOfRow, large_columns
from app.messages.values import MessageId


@strawberry.type(
    name="MessageSiblings",
    description="A message among those that answer the same one, or among the first ones of its session. Deleted ones "
    "keep their place.",
)
class MessageSiblingsType:
    position: int = field(name="index", description="Which of them it is, by their numbers: 1, 2, 3 …")
    total: int = field(name="count", description="How many there are, itself included.")

    @field(graphql_type=ChatMessageType | None, description="The one before it; null for the first.")
    def previous(self, info: Info, root: strawberry.Parent[Siblings]) -> Any:
        return _message(info, root.previous_id)

    @field(graphql_type=ChatMessageType | None, description="The one after it; null for the last.")
    def next(self, info: Info, root: strawberry.Parent[Siblings]) -> Any:
        return _message(info, root.next_id)


def _message(info: Info, message_id: UUID | None) -> Any:
    if message_id is None:
        return None
    return info.context.loader(MessageOfRow).load((MessageId(message_id), large_columns(info)))
