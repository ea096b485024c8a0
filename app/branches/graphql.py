"""The tree of messages in the graph."""

from typing import Any
from uuid import UUID

import strawberry
from strawberry import field

from app.branches import pipeline
from app.branches.values import ForkOrigin, ForkRequest, Siblings
from app.graph.context import Info
from app.graph.inputs import input_type
from app.graph.loading import Loaded
from app.graph.payloads import Changed, Payload, json_object, mutation
from app.graph.scalars import Json
from app.idempotency.graphql import KEY_DESCRIPTION, client_key
from app.messages.graphql import ChatMessageType, message_id
from app.messages.graphql.inputs import ContextItemsInput, context_items
from app.messages.loaders import MESSAGE_COLUMNS, MessageOfRow
from app.messages.models import ChatMessage
from app.messages.pipeline import MessagePipeline
from app.messages.values import Edit, MessageId
from app.sessions.graphql import ChatSessionType, session_id


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


@strawberry.type(name="ForkOrigin", description="Where a session that was forked comes from.")
class ForkOriginType:
    session: ChatSessionType = field(description="The session it was forked from.")

    @field(graphql_type=ChatMessageType | None, description="The last message that was copied; null where none was.")
    def message(self, info: Info, root: strawberry.Parent[ForkOrigin]) -> Any:
        return _message(info, root.message_id)


@input_type("Another version of a message.")
class EditMessageInput:
    message_id: strawberry.ID = field(description="The message; it stays, and the new version stands beside it.")
    content: str = field(description="What is said instead, at most 1,000,000 characters.")
    context_items: ContextItemsInput | None = field(default=None, description="What it is written with in view.")
    metadata: Json | None = field(default=None, description="Free JSON object of the application.")
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@input_type("Another branch to show and to go on in.")
class SetActiveLeafInput:
    session_id: strawberry.ID = field(description="The session.")
    message_id: strawberry.ID = field(
        description="A message of it; where that has answers, the newest leaf below it is taken."
    )
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@input_type("A session to begin another from.")
class ForkSessionInput:
    session_id: strawberry.ID = field(description="The session; it is not changed.")
    at_message_id: strawberry.ID | None = field(
        default=None,
        description="The last message to copy; by default all of `activePath`, save what is still being written at its "
        "end.",
    )
    title: str | None = field(
        default=None, description="Its name in lists, at most 255 characters; by default the same."
    )
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@strawberry.type(description="What editMessage answers.")
class EditMessagePayload(Payload):
    message: ChatMessageType | None = field(
        description="The new version, with the role and the parent of the other; the active leaf."
    )


@strawberry.type(description="What setActiveLeaf answers.")
class SetActiveLeafPayload(Payload):
    session: ChatSessionType | None = field(description="The session, with its new `activeLeaf` and `activePath`.")


@strawberry.type(description="What forkSession answers.")
class ForkSessionPayload(Payload):
    session: ChatSessionType | None = field(description="The new session.")


@strawberry.type
class BranchMutations:
    @mutation(
        EditMessagePayload,
        "Store another version of a message beside it; nobody is asked to answer it. The old one stays, with all that "
        "follows it.",
    )
    async def edit_message(self, info: Info, input: EditMessageInput) -> Changed:
        edit = Edit(
            message_id(input.message_id),
            input.content,
            context_items(input.context_items),
            json_object(input.metadata, "metadata"),
        )
        context = info.context
        messages = context.service(MessagePipeline)
        outcome = await messages.edit(context.database, context.actor, edit, client_key(info, input))
        return Changed({"message": outcome.message}, outcome.deduplicated, outcome.message.pipeline.warnings)

    @mutation(
        SetActiveLeafPayload,
        "Choose the branch that is shown and that the next message goes on in: switch between versions of a message.",
    )
    async def set_active_leaf(self, info: Info, input: SetActiveLeafInput) -> Changed:
        context = info.context
        outcome = await pipeline.set_leaf(
            context.database,
            context.actor,
            session_id(input.session_id),
            message_id(input.message_id),
            client_key(info, input),
        )
        return Changed({"session": outcome.session}, outcome.deduplicated)

    @mutation(
        ForkSessionPayload,
        "Begin a session with copies of the messages that lead to one, with their tool calls and files, numbered 1, 2, "
        "3 …; the two go separate ways from there.",
    )
    async def fork_session(self, info: Info, input: ForkSessionInput) -> Changed:
        at = None if input.at_message_id is None else message_id(input.at_message_id, "atMessageId")
        wanted = ForkRequest(session_id(input.session_id), at, input.title)
        context = info.context
        outcome = await pipeline.fork(context.database, context.actor, wanted, client_key(info, input))
        return Changed({"session": outcome.session}, outcome.deduplicated)


def _message(info: Info, message_id: UUID | None) -> Loaded[ChatMessage | None]:
    if message_id is None:
        return None
    return info.context.loader(MessageOfRow).load((MessageId(message_id), MESSAGE_COLUMNS.wanted(info)))
