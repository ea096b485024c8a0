"""Making, changing, filing and deleting sessions."""

import strawberry
from strawberry import UNSET, field

from app.core.ids import new_id
from app.graph.context import Info
from app.graph.inputs import input_type
from app.graph.payloads import Changed, Payload, given, json_object, mutation
from app.graph.scalars import Json
from app.idempotency.graphql import KEY_DESCRIPTION, keyed_write
from app.sessions import service
from app.sessions.graphql.types import ChatSessionType, session_id
from app.sessions.values import DEFAULT_TITLE, NewMetadata, NewSession, SessionId, SessionStatus


@input_type("A new session.")
class CreateSessionInput:
    title: str = field(default=DEFAULT_TITLE, description="Its name in lists, at most 255 characters.")
    description: str | None = field(default=None, description="What it is for, at most 4,000 characters.")
    agent_id: str | None = field(default=None, description="The agent that takes part, as the application names it.")
    model: str | None = field(default=None, description="The model it usually talks to.")
    provider: str | None = field(default=None, description="The provider of that model.")
    status: SessionStatus = field(default=SessionStatus.ACTIVE, description="How it stands.")
    tags: list[str] = field(default_factory=list, description="Words to find it by, at most 50.")
    custom_data: Json | None = field(default=None, description="Free JSON object of the application.")
    summary: str | None = field(default=None, description="What it is about, at most 20,000 characters.")
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@input_type("Changes of a session: what is left out stays as it is.")
class UpdateSessionInput:
    session_id: strawberry.ID = field(description="The session.")
    title: str | None = field(default=UNSET, description="Its name in lists, at most 255 characters.")
    description: str | None = field(default=UNSET, description="What it is for; null clears it.")
    status: SessionStatus | None = field(default=UNSET, description="How it stands.")
    agent_id: str | None = field(default=UNSET, description="The agent that takes part; null clears it.")
    model: str | None = field(default=UNSET, description="The model it usually talks to; null clears it.")
    provider: str | None = field(default=UNSET, description="The provider of that model; null clears it.")
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@input_type("Changes of what a session is filed under: what is left out stays as it is.")
class SetSessionMetadataInput:
    session_id: strawberry.ID = field(description="The session.")
    tags: list[str] | None = field(
        default=UNSET, description="All its tags from now on, at most 50; null removes them."
    )
    custom_data: Json | None = field(default=UNSET, description="Its free JSON object from now on; null empties it.")
    summary: str | None = field(default=UNSET, description="What it is about; null clears it.")
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@input_type("A session to delete.")
class DeleteSessionInput:
    session_id: strawberry.ID = field(description="The session.")
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@strawberry.type(description="What createSession answers.")
class CreateSessionPayload(Payload):
    session: ChatSessionType | None = field(description="The new session.")


@strawberry.type(description="What updateSession answers.")
class UpdateSessionPayload(Payload):
    session: ChatSessionType | None = field(description="The session after the change.")


@strawberry.type(description="What setSessionMetadata answers.")
class SetSessionMetadataPayload(Payload):
    session: ChatSessionType | None = field(description="The session after the change.")


@strawberry.type(description="What deleteSession answers.")
class DeleteSessionPayload(Payload):
    session: ChatSessionType | None = field(
        description="The session as it was, without its messages; null when it had been deleted before."
    )
    deleted_session_id: strawberry.ID | None = field(description="The id that no longer names a session.")


@strawberry.type
class ChangeMutations:
    @mutation(CreateSessionPayload, "Start a conversation.")
    async def create_session(self, info: Info, input: CreateSessionInput) -> Changed:
        new = NewSession(
            SessionId(new_id()),
            input.title,
            input.description,
            input.agent_id,
            input.model,
            input.provider,
            input.status,
            NewMetadata(tuple(input.tags), json_object(input.custom_data, "customData"), input.summary),
        )
        async with keyed_write(info, input) as (uow, key):
            outcome = await service.create(uow, info.context.actor, new, key)
        return Changed({"session": outcome.session}, outcome.deduplicated)

    @mutation(UpdateSessionPayload, "Change a session.")
    async def update_session(self, info: Info, input: UpdateSessionInput) -> Changed:
        changes = given(input, "title", "description", "status", "agent_id", "model", "provider")
        async with keyed_write(info, input) as (uow, key):
            outcome = await service.update(uow, info.context.actor, session_id(input.session_id), changes, key)
        return Changed({"session": outcome.session}, outcome.deduplicated)

    @mutation(SetSessionMetadataPayload, "File a session: tags, free data, summary.")
    async def set_session_metadata(self, info: Info, input: SetSessionMetadataInput) -> Changed:
        changes = given(input, "tags", "custom_data", "summary")
        if "tags" in changes:
            changes["tags"] = changes["tags"] or []
        if "custom_data" in changes:
            changes["custom_data"] = json_object(changes["custom_data"], "customData")
        async with keyed_write(info, input) as (uow, key):
            outcome = await service.set_metadata(uow, info.context.actor, session_id(input.session_id), changes, key)
        return Changed({"session": outcome.session}, outcome.deduplicated)

    @mutation(DeleteSessionPayload, "Delete a session with all that hangs on it; its audit trail stays.")
    async def delete_session(self, info: Info, input: DeleteSessionInput) -> Changed:
        async with keyed_write(info, input) as (uow, key):
            outcome = await service.delete(uow, info.context.actor, session_id(input.session_id), key)
        return Changed({"session": outcome.session, "deleted_session_id": input.session_id}, outcome.deduplicated)
