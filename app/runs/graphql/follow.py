"""What one is told of an answer that is being written."""

from collections.abc import AsyncGenerator, Awaitable
from decimal import Decimal
from typing import Annotated

import strawberry
from strawberry import field

from app.graph.context import Info
from app.graph.errors import UserError
from app.graph.nodes import OfRecords
from app.graph.queries import subscription
from app.messages.graphql import ChatMessageType
from app.messages.loaders import MESSAGE_COLUMNS, MessageOfRow
from app.messages.models import ChatMessage
from app.messages.values import MessageId
from app.runs.following import CalledTool, Completions, Ended, NewTurn, Snapshot, Told
from app.runs.graphql.types import RunType, UsageType
from app.runs.graphql.types import run_id as run_id_of
from app.tools.graphql.types import ToolCallType, ToolExecutionType
from app.tools.loaders import ExecutionOfCall, ToolCallById
from app.tools.models import ToolCall, ToolExecution


@strawberry.type(description="All of a message so far: it replaces what one has of it.")
class CompletionSnapshot(OfRecords):
    seq: int = field(description="Its position: pass it as `after` to go on from here.")
    text: str = field(description="The message so far.")

    @field(graphql_type=ChatMessageType | None, description="The message: the one that the run is, or was last, at.")
    def message(self, info: Info, root: strawberry.Parent[Snapshot]) -> Awaitable[ChatMessage | None]:
        return info.context.loader(MessageOfRow).load((root.message_id, MESSAGE_COLUMNS.wanted(info)))


@strawberry.type(description="More of the answer: append it to what one has.")
class CompletionDelta:
    seq: int = field(description="Its position: pass it as `after` to go on from here.")
    text: str = field(description="What to append.")


@strawberry.type(description="The model asks for a tool.")
class CompletionToolCall:
    seq: int = field(description="Its position: pass it as `after` to go on from here.")

    @field(graphql_type=ToolCallType | None, description="The call; null once its message is deleted.")
    def tool_call(self, info: Info, root: strawberry.Parent[CalledTool]) -> Awaitable[ToolCall | None]:
        return info.context.loader(ToolCallById).load(root.tool_call_id)

    @field(graphql_type=ToolExecutionType | None, description="What is done about it; null once that is gone.")
    def tool_execution(self, info: Info, root: strawberry.Parent[CalledTool]) -> Awaitable[ToolExecution | None]:
        return info.context.loader(ExecutionOfCall).load(root.tool_call_id)


@strawberry.type(description="The run goes on with another message: text from here on is its.")
class CompletionTurn(OfRecords):
    seq: int = field(description="Its position: pass it as `after` to go on from here.")

    @field(graphql_type=ChatMessageType | None, description="The message.")
    def message(self, info: Info, root: strawberry.Parent[NewTurn]) -> Awaitable[ChatMessage | None]:
        return info.context.loader(MessageOfRow).load((root.message_id, MESSAGE_COLUMNS.wanted(info)))


@strawberry.interface(description="What the ends of a run have in common.")
class CompletionEnd(OfRecords):
    seq: int = field(description="Its position; nothing follows.")
    run: RunType = field(description="The run, which has ended.")

    @field(graphql_type=ChatMessageType | None, description="The message, with all that was written.")
    def message(self, info: Info, root: strawberry.Parent[Ended]) -> Awaitable[ChatMessage | None]:
        return info.context.loader(MessageOfRow).load((MessageId(root.run.message_id), MESSAGE_COLUMNS.wanted(info)))


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
    | CompletionTurn
    | CompletionFinished
    | CompletionFailed
    | CompletionCancelled
    | CompletionInterrupted,
    strawberry.union("CompletionEvent", description="What one is told of an answer that is being written."),
]


@strawberry.type
class RunSubscriptions:
    @subscription(CompletionEvent, "Follow an answer while it is written, or after; ends with the run.")
    def message_completion(
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
        # Not a generator around it: each event would pass through one more.
        return info.context.service(Completions).follow(info.context.actor, run_id_of(run_id), after)
