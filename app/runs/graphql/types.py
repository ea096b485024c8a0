"""A run as it is read."""

from collections.abc import Awaitable
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import field

from app.core.ids import parse_global_id
from app.execution.loaders import ExecutionOfRun
from app.execution.models import PromptExecution
from app.graph.context import Info
from app.graph.enums import described
from app.graph.errors import UserError
from app.graph.loading import Loaded
from app.graph.nodes import Id, Node, OfRecords
from app.graph.queries import query
from app.graph.scalars import BigInt, Json
from app.messages.graphql import ChatMessageType
from app.messages.loaders import MESSAGE_COLUMNS, MessageOfRow
from app.messages.models import ChatMessage
from app.messages.values import MessageId
from app.runs.loaders import MessagesOfRun, RunById, ToolsOfRun
from app.runs.models import Run
from app.runs.values import RunId, RunStatus
from app.sessions.graphql import ChatSessionType
from app.sessions.loaders import SessionById
from app.sessions.models import ChatSession
from app.sessions.values import SessionId
from app.toolbox.values import OfferedTool

if TYPE_CHECKING:
    from app.execution.graphql import PromptExecutionType

ExecutionNode = Annotated["PromptExecutionType", strawberry.lazy("app.execution.graphql")]

described(
    RunStatus,
    "How far a run is.",
    {
        RunStatus.QUEUED: "Accepted; it waits for a worker, or for its turn in the session.",
        RunStatus.RUNNING: "A worker has it.",
        RunStatus.REQUIRES_ACTION: "The model called tools: it goes on once their executions have ended.",
        RunStatus.COMPLETED: "The whole answer is there.",
        RunStatus.FAILED: "Ended by an error; what had been written is kept.",
        RunStatus.CANCELLED: "Ended on request; what had been written is kept.",
        RunStatus.INTERRUPTED: "The server stopped in the middle; what had been written is kept, and can be retried.",
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


@strawberry.type(name="ContextWindow", description="What of its conversation a model has in view.")
class ContextWindowType:
    budget_tokens: int = field(description="Tokens there are for the conversation and the tools, beside the answer.")
    used_tokens: int = field(
        description="Tokens of what it is sent, tools included: counted here, and estimated for models whose "
        "vocabulary is not known. 0 where what it must have in view did not fit, and nothing was sent."
    )
    messages: int = field(description="How many messages it has in view.")
    left_out_messages: int = field(description="How many earlier messages were left out, because they did not fit.")
    left_out_tokens: int = field(description="About how many tokens those have.")


@strawberry.type(name="OfferedTool", description="A tool that a run offers to its model.")
class OfferedToolType(OfRecords):
    name: str = field(description="As the model calls it.")
    description: str = field(description="What it does, as the model is told.")
    parameters: Json = field(description="JSON Schema of its arguments.")
    requires_approval: bool = field(description="Whether each call needs a person's approval.")
    on_server: bool = field(description="Whether the server executes it; else whoever asked does.")


@strawberry.type(name="Run", description="One attempt of a model to answer; in each of its turns it writes a message.")
class RunType(Node):
    status: RunStatus = field(description="How far it is.")
    waiting: bool = field(description="Whether another run of the session has its turn.")
    model: str = field(description="The model, as `provider:model`.")
    temperature: float | None = field(description="The temperature it is asked with; null for the provider's own.")
    max_output_tokens: int | None = field(description="The most it may write; null for the provider's own limit.")
    stop_reason: str | None = field(description="Why the model stopped: stop, length, tool_calls or content_filter.")
    error: UserError | None = field(description="Why it failed or was interrupted.")
    usage: UsageType | None = field(description="What its turns used; null before the first has ended.")
    usage_estimated: bool | None = field(description="Whether the provider did not say, and tokens were counted here.")
    cost: Decimal | None = field(description="What that costs, in US dollars; null where the price is not known.")
    context_window: ContextWindowType | None = field(
        description="What the model has in view in the turn that the run is at; null before a worker took it."
    )
    attempts: int = field(description="How many workers took it.")
    turns: int = field(description="How many turns it has begun: each but the last called tools.")
    created_at: datetime = field(description="When it was asked for.")
    started_at: datetime | None = field(description="When a worker took it.")
    finished_at: datetime | None = field(description="When it ended.")

    @field(graphql_type=ChatSessionType | None, description="The session it belongs to.")
    def session(self, info: Info, root: strawberry.Parent[Run]) -> Awaitable[ChatSession | None]:
        return info.context.loader(SessionById).load(SessionId(root.session_id))

    @field(graphql_type=ChatMessageType | None, description="The message that it writes, in the turn it is at.")
    def message(self, info: Info, root: strawberry.Parent[Run]) -> Awaitable[ChatMessage | None]:
        return info.context.loader(MessageOfRow).load((MessageId(root.message_id), MESSAGE_COLUMNS.wanted(info)))

    @field(graphql_type=list[ChatMessageType], description="What it has written, a message for each turn, in order.")
    async def messages(self, info: Info, root: strawberry.Parent[Run]) -> list[ChatMessage]:
        before = await info.context.loader(MessagesOfRun).load(RunId(root.id))
        columns = MESSAGE_COLUMNS.wanted(info)
        keys = [(message_id, columns) for message_id in (*before, MessageId(root.message_id))]
        found = await info.context.loader(MessageOfRow).load_many(keys)
        return [message for message in found if message is not None]

    @field(graphql_type=list[OfferedToolType], description="The tools that it offers to its model.")
    def tools(self, info: Info, root: strawberry.Parent[Run]) -> Awaitable[list[OfferedTool]]:
        return info.context.loader(ToolsOfRun).load(RunId(root.id))

    @field(graphql_type=ChatMessageType | None, description="The message that it answers.")
    def prompt_message(self, info: Info, root: strawberry.Parent[Run]) -> Awaitable[ChatMessage | None]:
        return info.context.loader(MessageOfRow).load((MessageId(root.prompt_message_id), MESSAGE_COLUMNS.wanted(info)))

    @field(
        graphql_type=Annotated["RunType", strawberry.lazy("app.runs.graphql.types")] | None,
        description="The run that this one tries again.",
    )
    def retry_of(self, info: Info, root: strawberry.Parent[Run]) -> Loaded[Run | None]:
        return info.context.loader(RunById).load(RunId(root.retry_of_id)) if root.retry_of_id else None

    @field(graphql_type=ExecutionNode | None, description="The prompt that it answers; null for other messages.")
    def prompt_execution(self, info: Info, root: strawberry.Parent[Run]) -> Awaitable[PromptExecution | None]:
        return info.context.loader(ExecutionOfRun).load(RunId(root.id))


@strawberry.type
class RunQueries:
    @query(RunType | None, "A run by its id; null when it is not there, or not yours.")
    async def run(self, info: Info, id: Id) -> Run | None:
        return await info.context.loader(RunById).load(run_id(id, "id"))


def run_id(value: str, place: str = "runId") -> RunId:
    """The run a global id names; ValidationError naming `place`."""
    return RunId(parse_global_id(value, Run.node_type, place))
