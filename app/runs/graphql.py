"""Runs in the graph: asking for answers, calling them off, and following them."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from decimal import Decimal
from typing import Annotated

import strawberry
from strawberry import field

from app.core.ids import parse_global_id
from app.graph.context import Info
from app.graph.enums import described
from app.graph.errors import UserError
from app.graph.inputs import input_type
from app.graph.nodes import Id, Node, OfRecords
from app.graph.payloads import Changed, Payload, json_object, mutation
from app.graph.queries import query, subscription
from app.graph.scalars import BigInt, Json
from app.idempotency.graphql import KEY_DESCRIPTION, client_key
from app.messages.graphql import ChatMessageType, message_id
from app.messages.graphql.inputs import ContextItemsInput, context_items
from app.messages.loaders import MessageById, MessageOfRow, large_columns
from app.messages.models import ChatMessage
from app.messages.values import MessageId
from app.runs.following import CalledTool, Completions, Ended, Told
from app.runs.loaders import RunById
from app.runs.models import Run
from app.runs.pipeline import RunOutcome, RunPipeline
from app.runs.values import Asked, OnBusy, RunId, RunStatus, Wanted
from app.sessions.graphql import ChatSessionType, session_id
from app.sessions.loaders import SessionById
from app.sessions.models import ChatSession
from app.sessions.values import SessionId
from app.tools.graphql import ToolCallType
from app.tools.loaders import ToolCallById
from app.tools.models import ToolCall

described(
    RunStatus,
    "How far a run is.",
    {
        RunStatus.QUEUED: "Accepted; it waits for a worker, or for its turn in the session.",
        RunStatus.RUNNING: "A worker has it.",
        RunStatus.COMPLETED: "The whole answer is there.",
        RunStatus.FAILED: "Ended by an error; what had been written is kept.",
        RunStatus.CANCELLED: "Ended on request; what had been written is kept.",
        RunStatus.INTERRUPTED: "The server stopped in the middle; what had been written is kept, and can be retried.",
    },
)
described(
    OnBusy,
    "What to do while the session has an answer that is not finished.",
    {
        OnBusy.REJECT: "Refuse with RUN_ACTIVE; nothing is stored.",
        OnBusy.ENQUEUE: "Store it, and answer it when those before it are finished, in the order they came.",
        OnBusy.INTERRUPT: "Cancel all that is not finished, keep what was written, and answer this.",
    },
)


@strawberry.type(name="Usage", description="Tokens of one answer, in buckets that do not overlap.")
class UsageType:
    input: BigInt = field(description="Read anew.")
    cached_input: BigInt = field(description="Read from the provider's cache.")
    cache_write: BigInt = field(description="Read, and written to the provider's cache.")
    output: BigInt = field(description="Written, and shown.")
    reasoning: BigInt = field(description="Thought, and not shown.")
    total: BigInt = field(description="All of them: the provider's total.")


@strawberry.type(name="Run", description="One attempt of a model to write one message.")
class RunType(Node):
    status: RunStatus = field(description="How far it is.")
    waiting: bool = field(description="Whether another run of the session has its turn.")
    model: str = field(description="The model, as `provider:model`.")
    temperature: float | None = field(description="The temperature it is asked with; null for the provider's own.")
    max_output_tokens: int | None = field(description="The most it may write; null for the provider's own limit.")
    stop_reason: str | None = field(description="Why the model stopped: stop, length, tool_calls or content_filter.")
    error: UserError | None = field(description="Why it failed or was interrupted.")
    usage: UsageType | None = field(description="What it used; null while it is not finished.")
    usage_estimated: bool | None = field(description="Whether the provider did not say, and tokens were counted here.")
    cost: Decimal | None = field(description="What that costs, in US dollars; null where the price is not known.")
    attempts: int = field(description="How many workers took it.")
    created_at: datetime = field(description="When it was asked for.")
    started_at: datetime | None = field(description="When a worker took it.")
    finished_at: datetime | None = field(description="When it ended.")

    @field(graphql_type=ChatSessionType | None, description="The session it belongs to.")
    async def session(self, info: Info, root: strawberry.Parent[Run]) -> ChatSession | None:
        return await info.context.loader(SessionById).load(SessionId(root.session_id))

    @field(graphql_type=ChatMessageType | None, description="The message that it writes.")
    async def message(self, info: Info, root: strawberry.Parent[Run]) -> ChatMessage | None:
        return await info.context.loader(MessageOfRow).load((MessageId(root.message_id), large_columns(info)))

    @field(graphql_type=ChatMessageType | None, description="The message that it answers.")
    async def prompt_message(self, info: Info, root: strawberry.Parent[Run]) -> ChatMessage | None:
        return await info.context.loader(MessageOfRow).load((MessageId(root.prompt_message_id), large_columns(info)))

    @field(
        graphql_type=Annotated["RunType", strawberry.lazy("app.runs.graphql")] | None,
        description="The run that this one tries again.",
    )
    async def retry_of(self, info: Info, root: strawberry.Parent[Run]) -> Run | None:
        return await info.context.loader(RunById).load(RunId(root.retry_of_id)) if root.retry_of_id else None


@strawberry.type(description="All of the answer so far: it replaces what one has.")
class CompletionSnapshot:
    seq: int = field(description="Its position: pass it as `after` to go on from here.")
    text: str = field(description="The answer so far.")


@strawberry.type(description="More of the answer: append it to what one has.")
class CompletionDelta:
    seq: int = field(description="Its position: pass it as `after` to go on from here.")
    text: str = field(description="What to append.")


@strawberry.type(description="The model asks for a tool.")
class CompletionToolCall:
    seq: int = field(description="Its position: pass it as `after` to go on from here.")

    @field(graphql_type=ToolCallType | None, description="The call; null once its message is deleted.")
    async def tool_call(self, info: Info, root: strawberry.Parent[CalledTool]) -> ToolCall | None:
        return await info.context.loader(ToolCallById).load(root.tool_call_id)


@strawberry.interface(description="What the ends of a run have in common.")
class CompletionEnd(OfRecords):
    seq: int = field(description="Its position; nothing follows.")
    run: RunType = field(description="The run, which has ended.")

    @field(graphql_type=ChatMessageType | None, description="The message, with all that was written.")
    async def message(self, info: Info, root: strawberry.Parent[Ended]) -> ChatMessage | None:
        return await info.context.loader(MessageOfRow).load((MessageId(root.run.message_id), large_columns(info)))


@strawberry.type(description="The whole answer is there.")
class CompletionFinished(CompletionEnd):
    @field(graphql_type=UsageType | None, description="What it used.")
    def usage(self, root: strawberry.Parent[Ended]) -> object:
        return root.run.usage

    @field(graphql_type=Decimal | None, description="What that costs, in US dollars; null where that is not known.")
    def cost(self, root: strawberry.Parent[Ended]) -> Decimal | None:
        return root.run.cost


@strawberry.type(description="The run ended by an error; what had been written is kept.")
class CompletionFailed(CompletionEnd):
    @field(graphql_type=UserError | None, description="Why.")
    def error(self, root: strawberry.Parent[Ended]) -> object:
        return root.run.error


@strawberry.type(description="The run was cancelled; what had been written is kept.")
class CompletionCancelled(CompletionEnd):
    pass


@strawberry.type(description="The server stopped in the middle; what had been written is kept. `retryRun` asks again.")
class CompletionInterrupted(CompletionEnd):
    pass


CompletionEvent = Annotated[
    CompletionSnapshot
    | CompletionDelta
    | CompletionToolCall
    | CompletionFinished
    | CompletionFailed
    | CompletionCancelled
    | CompletionInterrupted,
    strawberry.union("CompletionEvent", description="What one is told of an answer that is being written."),
]


@input_type("A message of the person that a model is to answer.")
class SendMessageInput:
    content: str = field(description="What is said, at most 1,000,000 characters.")
    session_id: strawberry.ID | None = field(
        default=None, description="The session it goes into; a new one is created when it is left out."
    )
    model: str | None = field(
        default=None, description="The model, as `provider:model`; by default the session's, else the server's."
    )
    temperature: float | None = field(default=None, description="From 0 to 2; by default the provider's.")
    max_output_tokens: int | None = field(default=None, description="The most the model may write.")
    parent_message_id: strawberry.ID | None = field(default=None, description="What it answers; by default the latest.")
    edited_message_id: strawberry.ID | None = field(
        default=None,
        description="A message of the person that this is another version of: it stands beside that one, which stays.",
    )
    context_items: ContextItemsInput | None = field(default=None, description="What it is written with in view.")
    metadata: Json | None = field(default=None, description="Free JSON object of the application.")
    on_busy: OnBusy = field(
        default=OnBusy.REJECT, description="What to do while the session has an answer that is not finished."
    )
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@input_type("An answer that is to be given once more.")
class RegenerateMessageInput:
    message_id: strawberry.ID = field(description="The assistant's message; it stays, and the new stands beside it.")
    model: str | None = field(
        default=None, description="The model, as `provider:model`; by default the session's, else the server's."
    )
    temperature: float | None = field(default=None, description="From 0 to 2; by default the provider's.")
    max_output_tokens: int | None = field(default=None, description="The most the model may write.")
    on_busy: OnBusy = field(
        default=OnBusy.REJECT, description="What to do while the session has an answer that is not finished."
    )
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@input_type("A run that is to end.")
class CancelRunInput:
    run_id: strawberry.ID = field(description="The run.")
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@input_type("A run that is to be tried again.")
class RetryRunInput:
    run_id: strawberry.ID = field(description="A run that failed, was cancelled or interrupted.")
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


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
class RunQueries:
    @query(RunType | None, "A run by its id; null when it is not there, or not yours.")
    async def run(self, info: Info, id: Id) -> Run | None:
        return await info.context.loader(RunById).load(run_id(id, "id"))


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


@strawberry.type
class RunSubscriptions:
    @subscription(CompletionEvent, "Follow an answer while it is written, or after; ends with the run.")
    async def message_completion(
        self,
        info: Info,
        run_id: Annotated[strawberry.ID, strawberry.argument(description="The run.")],
        after: Annotated[
            int | None,
            strawberry.argument(
                description="The `seq` of the last event one kept of this run; without it, a snapshot comes first."
            ),
        ] = None,
    ) -> AsyncGenerator[Told, None]:
        completions = info.context.service(Completions)
        followed = completions.follow(info.context.actor, run_id_of(run_id), after)
        async with aclosing(followed) as events:
            async for event in events:
                yield event


def run_id(value: str, place: str = "runId") -> RunId:
    """The run a global id names; ValidationError naming `place`."""
    return RunId(parse_global_id(value, Run.node_type, place))


run_id_of = run_id
"""By another name, for a resolver whose argument is called `run_id`."""


async def _changed(info: Info, outcome: RunOutcome) -> Changed:
    """The run with its messages and session, as they are now."""
    run, loader = outcome.run, info.context.loader
    messages = [MessageId(run.message_id), MessageId(run.prompt_message_id)]
    message, question = await loader(MessageById).load_many(messages)
    session = await loader(SessionById).load(SessionId(run.session_id))
    objects = {"run": run, "message": message, "user_message": question, "session": session}
    return Changed(objects, outcome.deduplicated)
