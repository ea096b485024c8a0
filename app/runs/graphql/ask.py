"""Asking for an answer, asking again, and calling it off."""

import strawberry
from strawberry import field

from app.graph.context import Info
from app.graph.payloads import Changed, Payload, json_object, mutation
from app.idempotency.graphql import client_key
from app.messages.graphql import ChatMessageType, message_id
from app.messages.graphql.inputs import context_items
from app.messages.loaders import MessageById
from app.messages.values import MessageId
from app.runs.graphql.inputs import (
    CancelRunInput,
    RegenerateMessageInput,
    RetryRunInput,
    SendMessageInput,
    given_tools,
)
from app.runs.graphql.types import RunType, run_id
from app.runs.pipeline import RunOutcome, RunPipeline
from app.runs.values import Asked, Wanted
from app.sessions.graphql import ChatSessionType, session_id
from app.sessions.loaders import SessionById
from app.sessions.values import SessionId


@strawberry.type(description="What sendMessage answers.")
class SendMessagePayload(Payload):
    session: ChatSessionType | None = field(description="The session.")
    user_message: ChatMessageType | None = field(description="The person's message.")
    message: ChatMessageType | None = field(description="The message that will be the answer.")
    run: RunType | None = field(description="The run that writes it: subscribe to `messageCompletion` with its id.")


@strawberry.type(description="What regenerateMessage answers.")
class RegenerateMessagePayload(Payload):
    message: ChatMessageType | None = field(description="The message that will be the new answer.")
    run: RunType | None = field(description="The run that writes it.")


@strawberry.type(description="What cancelRun answers.")
class CancelRunPayload(Payload):
    run: RunType | None = field(description="The run, which has ended.")
    message: ChatMessageType | None = field(description="The message, with all that was written.")


@strawberry.type(description="What retryRun answers.")
class RetryRunPayload(Payload):
    message: ChatMessageType | None = field(description="The message that will be the new answer.")
    run: RunType | None = field(description="The new run.")


@strawberry.type
class RunMutations:
    @mutation(SendMessagePayload, "Say something and have a model answer it; returns at once with the run to follow.")
    async def send_message(self, info: Info, input: SendMessageInput) -> Changed:
        asked = Asked(
            session_id(input.session_id) if input.session_id is not None else None,
            input.content,
            Wanted(input.model, input.temperature, input.max_output_tokens),
            message_id(input.parent_message_id, "parentMessageId") if input.parent_message_id is not None else None,
            context_items(input.context_items),
            json_object(input.metadata, "metadata"),
            input.on_busy,
            given_tools(input.tools),
            message_id(input.edited_message_id, "editedMessageId") if input.edited_message_id is not None else None,
        )
        pipeline = info.context.service(RunPipeline)
        outcome = await pipeline.send(info.context.database, info.context.actor, asked, client_key(info, input))
        return await _changed(info, outcome)

    @mutation(RegenerateMessagePayload, "Have a question answered once more, beside the answers it has.")
    async def regenerate_message(self, info: Info, input: RegenerateMessageInput) -> Changed:
        outcome = await info.context.service(RunPipeline).regenerate(
            info.context.database,
            info.context.actor,
            message_id(input.message_id),
            Wanted(input.model, input.temperature, input.max_output_tokens),
            input.on_busy,
            client_key(info, input),
            given_tools(input.tools),
        )
        return await _changed(info, outcome)

    @mutation(CancelRunPayload, "End a run, wherever it is worked; what it has written is kept.")
    async def cancel_run(self, info: Info, input: CancelRunInput) -> Changed:
        outcome = await info.context.service(RunPipeline).cancel(
            info.context.database, info.context.actor, run_id(input.run_id), client_key(info, input)
        )
        return await _changed(info, outcome)

    @mutation(RetryRunPayload, "Ask again what a run did not finish, as a new run beside it.")
    async def retry_run(self, info: Info, input: RetryRunInput) -> Changed:
        outcome = await info.context.service(RunPipeline).retry(
            info.context.database, info.context.actor, run_id(input.run_id), client_key(info, input)
        )
        return await _changed(info, outcome)


async def _changed(info: Info, outcome: RunOutcome) -> Changed:
    """The run with its messages and session, as they are now."""
    run, loader = outcome.run, info.context.loader
    messages = [MessageId(run.message_id), MessageId(run.prompt_message_id)]
    message, question = await loader(MessageById).load_many(messages)
    session = await loader(SessionById).load(SessionId(run.session_id))
    objects = {"run": run, "message": message, "user_message": question, "session": session}
    return Changed(objects, outcome.deduplicated)
