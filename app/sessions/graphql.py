"""Sessions in the graph."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry import UNSET, field

from app.core.ids import new_id, parse_global_id
from app.core.paging import Page, PageRequest
from app.events.following import HappenedEvents
from app.events.graphql import AuditEventType
from app.events.models import Event
from app.graph.connections import After, Before, Connection, First, Last
from app.graph.context import Info
from app.graph.enums import described
from app.graph.inputs import input_type
from app.graph.nodes import Id, Node
from app.graph.payloads import Changed, Payload, given, json_object, mutation
from app.graph.queries import query, subscription
from app.graph.scalars import BigInt, Json
from app.idempotency.graphql import KEY_DESCRIPTION, keyed_write
from app.messages.loaders import MessagesOfSession, large_columns
from app.messages.models import ChatMessage
from app.runs.loaders import ActiveRunOfSession, RunsOfSession
from app.runs.models import Run
from app.sessions import service
from app.sessions.errors import SessionNotFound
from app.sessions.loaders import MetadataOfSession, SessionById, page_of_sessions
from app.sessions.models import ChatSession, SessionMetadata
from app.sessions.values import (
    DEFAULT_TITLE,
    NewMetadata,
    NewSession,
    SessionFilter,
    SessionId,
    SessionOrder,
    SessionStatus,
)
from app.streams.values import StreamKey

DEFAULT_SESSIONS = 50
DEFAULT_MESSAGES = 100

DEFAULT_RUNS = 20

if TYPE_CHECKING:
    from app.messages.graphql import ChatMessageType
    from app.runs.graphql import RunType

RunNode = Annotated["RunType", strawberry.lazy("app.runs.graphql")]
Message = Annotated["ChatMessageType", strawberry.lazy("app.messages.graphql")]

described(
    SessionStatus,
    "How a session stands. Any status may follow any other.",
    {
        SessionStatus.ACTIVE: "In use.",
        SessionStatus.PAUSED: "Set aside for a while.",
        SessionStatus.COMPLETED: "Ended as intended.",
        SessionStatus.FAILED: "Ended by a failure.",
        SessionStatus.ARCHIVED: "Kept for the record.",
    },
)
described(
    SessionOrder,
    "How a list of sessions is ordered.",
    {
        SessionOrder.UPDATED_AT_DESC: "Last changed first.",
        SessionOrder.UPDATED_AT_ASC: "Last changed last.",
        SessionOrder.CREATED_AT_DESC: "Newest first.",
        SessionOrder.CREATED_AT_ASC: "Oldest first.",
    },
)


@strawberry.type(name="SessionMetadata", description="What a session is filed under.")
class SessionMetadataType(Node):
    tags: list[str] = field(description="Words to find it by.")
    custom_data: Json = field(description="Free JSON of the application.")
    summary: str | None = field(description="What the conversation is about, in short.")


@strawberry.type(name="ChatSession", description="One conversation, private to its user.")
class ChatSessionType(Node):
    title: str = field(description="Its name in lists.")
    description: str | None = field(description="What it is for.")
    status: SessionStatus = field(description="How it stands.")
    user_id: str = field(description="The user it belongs to.")
    agent_id: str | None = field(description="The agent that takes part, as the application names it.")
    model: str | None = field(description="The model it usually talks to.")
    provider: str | None = field(description="The provider of that model.")
    created_at: datetime = field(description="When it was created.")
    updated_at: datetime = field(description="When it, or anything in it, last changed.")
    last_modified_at: datetime = field(description="The same as `updatedAt`.")
    message_count: int = field(description="How many messages were ever stored in it, deleted ones included.")
    total_tokens_used: BigInt = field(description="Tokens of all its messages; never decreases.")
    estimated_cost: Decimal = field(description="What they cost, in US dollars, as far as prices are known.")
    total_duration_ms: BigInt = field(description="Sum of the processing times of its assistant messages.")

    @field(graphql_type=SessionMetadataType | None, description="What it is filed under.")
    async def metadata(self, info: Info, root: strawberry.Parent[ChatSession]) -> SessionMetadata | None:
        return await info.context.loader(MetadataOfSession).load(SessionId(root.id))

    @field(graphql_type=Connection[Message], description="Its messages in the order of their numbers; 100 by default.")
    async def messages(
        self,
        info: Info,
        root: strawberry.Parent[ChatSession],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Page[ChatMessage]:
        request = PageRequest.of(first, last, after, before, DEFAULT_MESSAGES)
        return await info.context.loader(MessagesOfSession).load((SessionId(root.id), request, large_columns(info)))

    @field(
        graphql_type=RunNode | None,
        description="The run that has the session's turn; null when nothing is being answered.",
    )
    def active_run(self, info: Info, root: strawberry.Parent[ChatSession]) -> Any:
        return info.context.loader(ActiveRunOfSession).load(SessionId(root.id))

    @field(graphql_type=Connection[RunNode], description="Its runs, newest first; 20 by default.")
    async def runs(
        self,
        info: Info,
        root: strawberry.Parent[ChatSession],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Page[Run]:
        request = PageRequest.of(first, last, after, before, DEFAULT_RUNS)
        return await info.context.loader(RunsOfSession).load((root.id, request))


@input_type("Which sessions: every condition that is given must hold.", name="SessionFilter")
class SessionFilterInput:
    user_id: str | None = field(default=None, description="Another user's sessions; empty unless you are an admin.")
    status: list[SessionStatus] | None = field(default=None, description="In one of these states.")
    agent_id: str | None = field(default=None, description="With this agent.")
    tags: list[str] | None = field(default=None, description="With all of these tags.")
    updated_from: datetime | None = field(default=None, description="Last changed at or after this moment.")
    updated_to: datetime | None = field(default=None, description="Last changed before this moment.")

    def to_filter(self) -> SessionFilter:
        """As the rooms below know it."""
        return SessionFilter(
            self.user_id,
            None if self.status is None else tuple(self.status),
            self.agent_id,
            None if self.tags is None else tuple(self.tags),
            self.updated_from,
            self.updated_to,
        )


@strawberry.type
class SessionQueries:
    @query(ChatSessionType | None, "A session by its id; null when it is not there, or not yours.")
    async def session(self, info: Info, id: Id) -> ChatSession | None:
        return await info.context.loader(SessionById).load(session_id(id, "id"))

    @query(Connection[ChatSessionType], "Your sessions, last changed first; 50 by default.")
    async def sessions(
        self,
        info: Info,
        filter: Annotated[SessionFilterInput | None, strawberry.argument(description="Which of them.")] = None,
        order_by: Annotated[
            SessionOrder, strawberry.argument(description="In which order.")
        ] = SessionOrder.UPDATED_AT_DESC,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Page[ChatSession]:
        context = info.context
        wanted = filter.to_filter() if filter else SessionFilter()
        request = PageRequest.of(first, last, after, before, DEFAULT_SESSIONS)
        return await page_of_sessions(context.database, context.actor, wanted, order_by, request)


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
class SessionMutations:
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


def session_id(value: str, place: str = "sessionId") -> SessionId:
    """The id of a session from its global id; ValidationError naming `place`."""
    return SessionId(parse_global_id(value, ChatSession.node_type, place))


@strawberry.type
class SessionSubscriptions:
    @subscription(AuditEventType, "Follow what happens to a session: its history from a number on, then live.")
    async def session_events(
        self,
        info: Info,
        session_id: Annotated[strawberry.ID, strawberry.argument(description="The session.")],
        after: Annotated[
            BigInt | None,
            strawberry.argument(
                description="The `seq` of the last event one kept, 0 for all; without it, what happens from now on."
            ),
        ] = None,
    ) -> AsyncGenerator[Event, None]:
        found = await info.context.loader(SessionById).load(session_named(session_id))
        if found is None:
            raise SessionNotFound
        events = info.context.service(HappenedEvents)
        key = StreamKey(found.tenant_id, found.id)
        async with aclosing(events.follow(info.context.actor, key, after)) as happened:
            async for event in happened:
                yield event


session_named = session_id
"""By another name, for a resolver whose argument is called `session_id`."""
