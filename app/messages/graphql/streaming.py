"""Mutations of an answer that the application generates over time: it is begun, and then it ends."""

import strawberry
from strawberry import field

from app.core.errors import ValidationError
from app.graph.context import Info
from app.graph.inputs import input_type
from app.graph.payloads import Changed, Payload, json_object, mutation
from app.graph.scalars import Json
from app.idempotency.graphql import KEY_DESCRIPTION, client_key
from app.messages.graphql.inputs import (
    ContextItemsInput,
    IntentInput,
    StreamingInput,
    context_items,
    intent_of,
    parent_id,
    streaming_facts,
)
from app.messages.graphql.persist import PersistedMessagePayload, persist, persisted
from app.messages.graphql.types import ChatMessageType, message_id
from app.messages.pipeline import MessagePipeline
from app.messages.values import Completion, Draft, Generation, MessageRole, MessageStatus
from app.sessions.graphql import session_id


@input_type("An answer that a model is about to write, which the application calls itself.")
class CreateStreamingContextInput:
    session_id: strawberry.ID = field(description="The session it goes into.")
    parent_message_id: strawberry.ID | None = field(
        default=None, description="What it answers; by default `activeLeaf`."
    )
    intent: IntentInput | None = field(default=None, description="What the user wanted.")
    context_items: ContextItemsInput | None = field(default=None, description="What it is written with in view.")
    model: str | None = field(default=None, description="The model that writes it; its tokens are counted by this.")
    temperature: float | None = field(default=None, description="The temperature it is asked with.")
    generation_source: str | None = field(default=None, description="What produces it, as you name it.")
    metadata: Json | None = field(default=None, description="Free JSON object of the application.")
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@input_type("The end of an answer: completed, failed with an error code, or cancelled.")
class CompleteStreamingMessageInput:
    message_id: strawberry.ID = field(description="The message, as createStreamingContext answered it.")
    content: str | None = field(
        default=None,
        description="All that is said, at most 1,000,000 characters. Left out of a failed or cancelled answer, what "
        "was stored of it stays.",
    )
    calls_tools: bool = field(default=False, description="Whether it asks for tools: its content may then be empty.")
    tokens_used: int | None = field(default=None, description="Tokens by the provider's count; counted when left out.")
    processing_time_ms: int | None = field(default=None, description="How long the model took.")
    streaming: StreamingInput | None = field(default=None, description="Facts about its streaming.")
    cancelled: bool = field(default=False, description="Whether it was ended on request.")
    error_code: str | None = field(default=None, description="Why it failed, as a name.")
    error_message: str | None = field(default=None, description="Why it failed, in words.")
    metadata: Json | None = field(
        default=None, description="Its free JSON object from now on; left out, that stays which it was begun with."
    )
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@strawberry.type(description="What createStreamingContext answers.")
class CreateStreamingContextPayload(Payload):
    message: ChatMessageType | None = field(
        description="The answer, PROCESSING and empty: its id is what completeStreamingMessage takes."
    )


@strawberry.type(description="What completeStreamingMessage answers.")
class CompleteStreamingMessagePayload(PersistedMessagePayload):
    pass


@strawberry.type
class StreamingMutations:
    @mutation(CreateStreamingContextPayload, "Begin an answer that a model of the application is about to write.")
    async def create_streaming_context(self, info: Info, input: CreateStreamingContextInput) -> Changed:
        draft = Draft(
            session_id(input.session_id),
            MessageRole.ASSISTANT,
            "",
            parent_id(input.parent_message_id),
            MessageStatus.PROCESSING,
            context_items(input.context_items),
            json_object(input.metadata, "metadata"),
            Generation(
                model=input.model,
                temperature=input.temperature,
                source=input.generation_source,
                intent=intent_of(input.intent),
                model_place="model",
            ),
        )
        return await persist(info, draft, input)

    @mutation(CompleteStreamingMessagePayload, "End an answer that was begun: its text, and how it went.")
    async def complete_streaming_message(self, info: Info, input: CompleteStreamingMessageInput) -> Changed:
        completion = Completion(
            message_id(input.message_id),
            _status(input),
            input.content,
            calls_tools=input.calls_tools,
            tokens_used=input.tokens_used,
            processing_time_ms=input.processing_time_ms,
            streaming=streaming_facts(input.streaming),
            error_code=input.error_code,
            error_message=input.error_message,
            metadata=None if input.metadata is None else json_object(input.metadata, "metadata"),
        )
        context = info.context
        pipeline = context.service(MessagePipeline)
        return persisted(await pipeline.complete(context.database, context.actor, completion, client_key(info, input)))


def _status(input_: CompleteStreamingMessageInput) -> MessageStatus:
    """How it ended: ValidationError for what both failed and was cancelled."""
    if input_.cancelled and input_.error_code is not None:
        raise ValidationError(
            "an answer is either cancelled or has failed", field="cancelled", hint="leave out cancelled or errorCode"
        )
    if input_.cancelled:
        return MessageStatus.CANCELLED
    return MessageStatus.COMPLETED if input_.error_code is None else MessageStatus.FAILED
