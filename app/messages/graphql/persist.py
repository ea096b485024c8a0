"""Mutations that store messages."""

import strawberry
from strawberry import field

from app.graph.context import Info
from app.graph.inputs import input_type
from app.graph.payloads import Changed, Payload, json_object, mutation
from app.graph.scalars import Json
from app.idempotency.graphql import KEY_DESCRIPTION, Keyed, client_key
from app.messages.graphql.inputs import (
    ContextItemsInput,
    IntentInput,
    StreamingInput,
    context_items,
    intent_of,
    parent_id,
    streaming_facts,
)
from app.messages.graphql.types import ChatMessageType
from app.messages.pipeline import MessagePipeline
from app.messages.service import MessageOutcome
from app.messages.values import Draft, Generation, MessageRole, MessageStatus
from app.sessions.graphql import session_id


@input_type("A message of the person.")
class PersistUserMessageInput:
    session_id: strawberry.ID = field(description="The session it goes into.")
    content: str = field(description="What is said, at most 1,000,000 characters.")
    parent_message_id: strawberry.ID | None = field(
        default=None, description="What it answers; by default `activeLeaf`."
    )
    context_items: ContextItemsInput | None = field(default=None, description="What it is written with in view.")
    metadata: Json | None = field(default=None, description="Free JSON object of the application.")
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@input_type("A message of the model, which the application has called itself.")
class PersistAssistantMessageInput:
    session_id: strawberry.ID = field(description="The session it goes into.")
    content: str = field(description="What is said, at most 1,000,000 characters; may be empty with `callsTools`.")
    parent_message_id: strawberry.ID | None = field(
        default=None, description="What it answers; by default `activeLeaf`."
    )
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


@strawberry.type
class PersistMutations:
    @mutation(PersistUserMessagePayload, "Store a message of the person; its intent and tokens are found out.")
    async def persist_user_message(self, info: Info, input: PersistUserMessageInput) -> Changed:
        draft = Draft(
            session_id(input.session_id),
            MessageRole.USER,
            input.content,
            parent_id(input.parent_message_id),
            context_items=context_items(input.context_items),
            metadata=json_object(input.metadata, "metadata"),
        )
        return await persist(info, draft, input)

    @mutation(PersistAssistantMessagePayload, "Store an answer of a model that the application has called itself.")
    async def persist_assistant_message(self, info: Info, input: PersistAssistantMessageInput) -> Changed:
        ended = MessageStatus.FAILED if input.error_code else MessageStatus.COMPLETED
        draft = Draft(
            session_id(input.session_id),
            MessageRole.ASSISTANT,
            input.content,
            parent_id(input.parent_message_id),
            input.status or ended,
            context_items(input.context_items),
            json_object(input.metadata, "metadata"),
            _generation(input),
            calls_tools=input.calls_tools,
        )
        return await persist(info, draft, input)


async def persist(info: Info, draft: Draft, input_: Keyed) -> Changed:
    """Store a message by the pipeline; what a payload tells of it."""
    context = info.context
    pipeline = context.service(MessagePipeline)
    return persisted(await pipeline.persist(context.database, context.actor, draft, client_key(info, input_)))


def persisted(outcome: MessageOutcome) -> Changed:
    """What a payload tells of a message that was stored."""
    stored = outcome.message
    answer = {"message": stored, "message_id": stored.global_id, "tokens_used": stored.token_count}
    return Changed(answer, outcome.deduplicated, stored.pipeline.warnings)


def _generation(input_: PersistAssistantMessageInput) -> Generation:
    return Generation(
        model=input_.model_used,
        temperature=input_.temperature,
        source=input_.generation_source,
        processing_time_ms=input_.processing_time_ms,
        tokens_used=input_.tokens_used,
        intent=intent_of(input_.intent),
        streaming=streaming_facts(input_.streaming),
        error_code=input_.error_code,
        error_message=input_.error_message,
    )
