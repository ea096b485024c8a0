"""Mutations that change messages which are there."""

import strawberry
from strawberry import UNSET, field

from app.core.errors import ValidationError
from app.graph.context import Info
from app.graph.inputs import input_type
from app.graph.payloads import Changed, Payload, given, json_object, mutation
from app.graph.scalars import Json
from app.idempotency.graphql import KEY_DESCRIPTION, keyed_write
from app.messages import service
from app.messages.graphql.types import ChatMessageType, message_id
from app.messages.values import MessageStatus


@input_type("Changes of a message: what is left out stays as it is.")
class UpdateMessageInput:
    message_id: strawberry.ID = field(description="The message.")
    content: str | None = field(default=UNSET, description="What is said; its token count stays what it was.")
    status: MessageStatus | None = field(default=UNSET, description="How far it is; an ended message stays ended.")
    error_code: str | None = field(default=UNSET, description="Why it failed, as a name; null clears it.")
    error_message: str | None = field(default=UNSET, description="Why it failed, in words; null clears it.")
    metadata: Json | None = field(default=UNSET, description="Its free JSON object from now on; null empties it.")
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@input_type("A message to delete.")
class DeleteMessageInput:
    message_id: strawberry.ID = field(description="The message.")
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@strawberry.type(description="What updateMessage answers.")
class UpdateMessagePayload(Payload):
    message: ChatMessageType | None = field(description="The message after the change.")


@strawberry.type(description="What deleteMessage answers.")
class DeleteMessagePayload(Payload):
    message: ChatMessageType | None = field(description="What is left: its number and its place.")


@strawberry.type
class ChangeMutations:
    @mutation(UpdateMessagePayload, "Change a message in place.")
    async def update_message(self, info: Info, input: UpdateMessageInput) -> Changed:
        changes = given(input, "content", "status", "error_code", "error_message")
        for name in ("content", "status"):
            if name in changes and changes[name] is None:
                raise ValidationError(f"{name} must not be null", field=name, hint="leave it out to keep it")
        if input.metadata is not UNSET:
            changes["custom_metadata"] = json_object(input.metadata, "metadata")
        async with keyed_write(info, input) as (uow, key):
            outcome = await service.update(uow, info.context.actor, message_id(input.message_id), changes, key)
        return Changed({"message": outcome.message}, outcome.deduplicated)

    @mutation(DeleteMessagePayload, "Delete a message: its content goes, its number and its place in the tree stay.")
    async def delete_message(self, info: Info, input: DeleteMessageInput) -> Changed:
        async with keyed_write(info, input) as (uow, key):
            outcome = await service.delete(uow, info.context.actor, message_id(input.message_id), key)
        return Changed({"message": outcome.message}, outcome.deduplicated)
