"""Messages in the graph."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry import UNSET, field

from app.core.errors import ValidationError
from app.core.ids import parse_global_id
from app.core.paging import Page, PageRequest
from app.graph.connections import After, Before, Connection, First, Last
from app.graph.context import Info
from app.graph.enums import described
from app.graph.inputs import input_type
from app.graph.nodes import Id, Node
from app.graph.payloads import Changed, Payload, WarningType, given, json_object, mutation
from app.graph.queries import query
from app.graph.scalars import Json
from app.idempotency.graphql import KEY_DESCRIPTION, client_key, keyed_write
from app.messages import service
from app.messages.loaders import ChildrenOfMessage, MessageById
from app.messages.models import ChatMessage
from app.messages.pipeline import MessagePipeline
from app.messages.values import (
    ContextItems,
    Draft,
    Generation,
    Intent,
    MessageId,
    MessageRole,
    MessageStatus,
)
from app.sessions.graphql import DEFAULT_MESSAGES, ChatSessionType, session_id
from app.sessions.loaders import SessionById
from app.sessions.models import ChatSession
from app.sessions.values import SessionId
from app.tools.loaders import ToolCallsOfMessage

if TYPE_CHECKING:
    from app.tools.graphql import ToolCallType

ToolCallNode = Annotated["ToolCallType", strawberry.lazy("app.tools.graphql")]

described(
    MessageRole,
    "Who speaks.",
    {
        MessageRole.SYSTEM: "The application, with instructions for the model.",
        MessageRole.USER: "The person.",
        MessageRole.ASSISTANT: "The model.",
        MessageRole.TOOL: "A tool, with the result of a call.",
    },
)
described(
    MessageStatus,
    "How far a message is.",
    {
        MessageStatus.PENDING: "Expected; nothing of it is there.",
        MessageStatus.PROCESSING: "Being written.",
        MessageStatus.COMPLETED: "All there.",
        MessageStatus.FAILED: "Ended by an error; what had been written is kept.",
        MessageStatus.CANCELLED: "Ended on request; what had been written is kept.",
    },
)


@strawberry.type(name="Intent", description="What the user wants, as far as keywords tell.")
class IntentType:
    name: str = field(description="The intent's name in the catalogue.")
    confidence: float = field(description="How sure it is: above 0, at most 1.")
    keywords: list[str] = field(description="The words that told, in order.")


@strawberry.type(name="ContextItems", description="What a message was written with in view.")
class ContextItemsType:
    document_chunks: list[Json] = field(description="Parts of documents.")
    insights: list[Json] = field(description="Findings.")
    jtbds: list[Json] = field(description="Jobs to be done.")
    metrics: list[Json] = field(description="Measured values.")


@strawberry.type(
    name="Generation", description="How an assistant's message came about, as the application reported it."
)
class GenerationType:
    model: str | None = field(description="The model that wrote it.")
    temperature: float | None = field(description="The temperature it was asked with.")
    source: str | None = field(description="What produced it, as the application names it.")
    processing_time_ms: int | None = field(description="How long it took.")
    streaming: Json = field(description="Facts about its streaming: duration, chunks.")


@strawberry.type(name="Pipeline", description="What the server found out when it stored the message.")
class PipelineType:
    version: str = field(description="Version of the rules by which intent and tokens were found.")
    persisted_at: datetime = field(description="When it was stored.")
    processing_time_ms: float = field(description="How long checking, understanding and counting took.")
    warnings: list[WarningType] = field(description="What could not be found out.")


@strawberry.type(name="ChatMessage", description="One turn of a conversation.")
class ChatMessageType(Node):
    sequence_number: int = field(description="Its number in the session: 1, 2, 3 … without gaps.")
    role: MessageRole = field(description="Who speaks.")
    status: MessageStatus = field(description="How far it is.")
    content: str = field(description="What is said; empty once it is deleted.")
    token_count: int = field(description="Its tokens.")
    token_count_estimated: bool = field(description="Whether the model's own tokenizer was not at hand.")
    tool_call_id: str | None = field(description="Of a tool's message: the id of the call it answers.")
    error_code: str | None = field(description="Why it failed, as a name.")
    error_message: str | None = field(description="Why it failed, in words.")
    custom_metadata: Json = field(name="metadata", description="Free JSON of the application.")
    created_at: datetime = field(description="When it was stored.")
    updated_at: datetime = field(description="When it last changed.")
    deleted_at: datetime | None = field(description="When it was deleted; its number and place stay.")
    intent: IntentType | None = field(description="What the user wants; null when that is not known.")
    context_items: ContextItemsType = field(description="What it was written with in view.")
    generation: GenerationType = field(description="How it came about.")
    pipeline: PipelineType = field(description="What the server found out when it stored it.")

    @field(graphql_type=ChatSessionType | None, description="The session it belongs to.")
    async def session(self, info: Info, root: strawberry.Parent[ChatMessage]) -> ChatSession | None:
        return await info.context.loader(SessionById).load(SessionId(root.session_id))

    @field(
        graphql_type=Annotated["ChatMessageType", strawberry.lazy("app.messages.graphql")] | None,
        description="The message it answers; null for the first one.",
    )
    def parent(self, info: Info, root: strawberry.Parent[ChatMessage]) -> Any:
        if root.parent_message_id is None:
            return None
        return info.context.loader(MessageById).load(MessageId(root.parent_message_id))

    @field(
        graphql_type=Connection[Annotated["ChatMessageType", strawberry.lazy("app.messages.graphql")]],
        description="The messages that answer it, by number: several where it was answered anew; 100 by default.",
    )
    async def children(
        self,
        info: Info,
        root: strawberry.Parent[ChatMessage],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Page[ChatMessage]:
        request = PageRequest.of(first, last, after, before, DEFAULT_MESSAGES)
        return await info.context.loader(ChildrenOfMessage).load((root.id, request))

    @field(graphql_type=list[ToolCallNode], description="What the model asked for in it, in order; at most 128.")
    def tool_calls(self, info: Info, root: strawberry.Parent[ChatMessage]) -> Any:
        # Most messages have none, and know it.
        if not root.tool_call_count:
            return []
        return info.context.loader(ToolCallsOfMessage).load(MessageId(root.id))


@strawberry.type
class MessageQueries:
    @query(ChatMessageType | None, "A message by its id; null when it is not there, or not yours.")
    async def message(self, info: Info, id: Id) -> ChatMessage | None:
        return await info.context.loader(MessageById).load(message_id(id, "id"))


@input_type("What a message is written with in view: objects of four kinds.", name="ContextItemsInput")
class ContextItemsInput:
    document_chunks: list[Json] = field(default_factory=list, description="Parts of documents, at most 100.")
    insights: list[Json] = field(default_factory=list, description="Findings, at most 100.")
    jtbds: list[Json] = field(default_factory=list, description="Jobs to be done, at most 100.")
    metrics: list[Json] = field(default_factory=list, description="Measured values, at most 100.")


@input_type("What the user wanted, as the application found out.", name="IntentInput")
class IntentInput:
    name: str = field(description="The intent's name.")
    confidence: float = field(default=1.0, description="How sure it is: above 0, at most 1.")
    keywords: list[str] = field(default_factory=list, description="The words that told.")


@input_type("Facts about the streaming of an answer.")
class StreamingInput:
    duration_ms: int | None = field(default=None, description="From the first piece to the last.")
    chunk_count: int | None = field(default=None, description="How many pieces there were.")
    first_token_ms: int | None = field(default=None, description="From the request to the first piece.")


@input_type("A message of the person.")
class PersistUserMessageInput:
    session_id: strawberry.ID = field(description="The session it goes into.")
    content: str = field(description="What is said, at most 1,000,000 characters.")
    parent_message_id: strawberry.ID | None = field(default=None, description="What it answers; by default the latest.")
    context_items: ContextItemsInput | None = field(default=None, description="What it is written with in view.")
    metadata: Json | None = field(default=None, description="Free JSON object of the application.")
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@input_type("A message of the model, which the application has called itself.")
class PersistAssistantMessageInput:
    session_id: strawberry.ID = field(description="The session it goes into.")
    content: str = field(description="What is said, at most 1,000,000 characters; may be empty with `callsTools`.")
    parent_message_id: strawberry.ID | None = field(default=None, description="What it answers; by default the latest.")
    status: MessageStatus | None = field(
        default=None, description="By default COMPLETED, or FAILED with an error code."
    )
    calls_tools: bool = field(default=False, description="Whether it asks for tools, which `addToolCall` adds.")
    intent: IntentInput | None = field(default=None, description="What the user wanted.")
    context_items: ContextItemsInput | None = field(default=None, description="What it was written with in view.")
    processing_time_ms: int | None = field(default=None, description="How long the model took.")
    tokens_used: int | None = field(default=None, description="Tokens by the provider's count; counted when left out.")
    model_used: str | None = field(default=None, description="The model that wrote it.")
    temperature: float | None = field(default=None, description="The temperature it was asked with.")
    generation_source: str | None = field(default=None, description="What produced it, as you name it.")
    streaming: StreamingInput | None = field(default=None, description="Facts about its streaming.")
    metadata: Json | None = field(default=None, description="Free JSON object of the application.")
    error_code: str | None = field(default=None, description="Why it failed, as a name.")
    error_message: str | None = field(default=None, description="Why it failed, in words.")
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


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


@strawberry.interface(name="PersistedMessagePayload", description="What storing a message answers.")
class PersistedMessagePayload(Payload):
    message: ChatMessageType | None = field(description="The message as it is stored.")
    message_id: strawberry.ID | None = field(description="Its id.")
    tokens_used: int | None = field(description="Its tokens.")


@strawberry.type(description="What persistUserMessage answers.")
class PersistUserMessagePayload(PersistedMessagePayload):
    pass


@strawberry.type(description="What persistAssistantMessage answers.")
class PersistAssistantMessagePayload(PersistedMessagePayload):
    pass


@strawberry.type(description="What updateMessage answers.")
class UpdateMessagePayload(Payload):
    message: ChatMessageType | None = field(description="The message after the change.")


@strawberry.type(description="What deleteMessage answers.")
class DeleteMessagePayload(Payload):
    message: ChatMessageType | None = field(description="What is left: its number and its place.")


@strawberry.type
class MessageMutations:
    @mutation(PersistUserMessagePayload, "Store a message of the person; its intent and tokens are found out.")
    async def persist_user_message(self, info: Info, input: PersistUserMessageInput) -> Changed:
        draft = Draft(
            session_id(input.session_id),
            MessageRole.USER,
            input.content,
            _parent(input.parent_message_id),
            context_items=context_items(input.context_items),
            metadata=json_object(input.metadata, "metadata"),
        )
        return await _persist(info, draft, input)

    @mutation(PersistAssistantMessagePayload, "Store an answer of a model that the application has called itself.")
    async def persist_assistant_message(self, info: Info, input: PersistAssistantMessageInput) -> Changed:
        ended = MessageStatus.FAILED if input.error_code else MessageStatus.COMPLETED
        draft = Draft(
            session_id(input.session_id),
            MessageRole.ASSISTANT,
            input.content,
            _parent(input.parent_message_id),
            input.status or ended,
            context_items(input.context_items),
            json_object(input.metadata, "metadata"),
            _generation(input),
            calls_tools=input.calls_tools,
        )
        return await _persist(info, draft, input)

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


async def _persist(info: Info, draft: Draft, input_: PersistUserMessageInput | PersistAssistantMessageInput) -> Changed:
    context = info.context
    pipeline = context.service(MessagePipeline)
    outcome = await pipeline.persist(context.database, context.actor, draft, client_key(info, input_))
    stored = outcome.message
    answer = {"message": stored, "message_id": stored.global_id, "tokens_used": stored.token_count}
    return Changed(answer, outcome.deduplicated, stored.pipeline.warnings)


def message_id(value: str, place: str = "messageId") -> MessageId:
    """The id of a message from its global id; ValidationError naming `place`."""
    return MessageId(parse_global_id(value, ChatMessage.node_type, place))


def _parent(value: str | None) -> MessageId | None:
    return None if value is None else message_id(value, "parentMessageId")


def context_items(items: ContextItemsInput | None) -> ContextItems:
    if items is None:
        return ContextItems()
    kinds = {name: getattr(items, name) for name in ("document_chunks", "insights", "jtbds", "metrics")}
    for name, objects in kinds.items():
        for index, item in enumerate(objects):
            json_object(item if item is not None else [], f"contextItems.{name}[{index}]")
    return ContextItems(**kinds)


def _generation(input_: PersistAssistantMessageInput) -> Generation:
    intent, streaming = input_.intent, input_.streaming
    facts = (
        {
            "durationMs": streaming.duration_ms,
            "chunkCount": streaming.chunk_count,
            "firstTokenMs": streaming.first_token_ms,
        }
        if streaming
        else {}
    )
    return Generation(
        model=input_.model_used,
        temperature=input_.temperature,
        source=input_.generation_source,
        processing_time_ms=input_.processing_time_ms,
        tokens_used=input_.tokens_used,
        intent=Intent(intent.name, intent.confidence, tuple(intent.keywords)) if intent else None,
        streaming={name: value for name, value in facts.items() if value is not None},
        error_code=input_.error_code,
        error_message=input_.error_message,
    )
