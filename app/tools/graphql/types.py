"""What the graph shows of tool calls and executions."""

from collections.abc import Awaitable
from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import field

from app.core.ids import parse_global_id
from app.graph.context import Info
from app.graph.enums import described
from app.graph.nodes import Node
from app.messages.graphql import ChatMessageType
from app.messages.loaders import MESSAGE_COLUMNS, MessageOfRow
from app.messages.models import ChatMessage
from app.messages.values import MessageId
from app.sessions.graphql import ChatSessionType
from app.sessions.loaders import SessionById
from app.sessions.models import ChatSession
from app.sessions.values import SessionId
from app.tools.loaders import ExecutionOfCall, InputOfExecution, OutputOfExecution, ToolCallById
from app.tools.models import ToolCall, ToolExecution
from app.tools.values import ExecutionStatus, ToolCallId, ToolExecutionId

described(
    ExecutionStatus,
    "How far an execution is.",
    {
        ExecutionStatus.PENDING: "Free to be executed: it needs no approval, or was approved.",
        ExecutionStatus.RUNNING: "Being executed.",
        ExecutionStatus.COMPLETED: "Ended with an output.",
        ExecutionStatus.FAILED: "Ended by an error.",
        ExecutionStatus.CANCELLED: "Ended before it was done: denied, expired, or called off.",
        ExecutionStatus.AWAITING_APPROVAL: "Waits for a person: `decideToolExecution`.",
    },
)


@strawberry.type(name="ToolCall", description="A call that a model asked for, and what came of it.")
class ToolCallType(Node):
    call_id: str | None = field(description="The id that the model gave to it.")
    position: int = field(description="Its place in the message: 1, 2, 3 …")
    name: str = field(description="The tool's name.")
    arguments: str = field(description="The arguments as the model wrote them: JSON text, where it kept to JSON.")
    result: str | None = field(description="What the tool answered; of a long answer the first 8,000 characters.")
    result_truncated: bool = field(description="Whether the answer was longer.")
    success: bool | None = field(description="Whether it succeeded; null while that is not known.")
    error: str | None = field(description="Why it failed.")
    executed_at: datetime | None = field(description="When it was executed.")
    duration_ms: int | None = field(description="How long that took.")
    created_at: datetime = field(description="When it was stored.")

    @field(graphql_type=ChatMessageType | None, description="The message that asked for it.")
    def message(self, info: Info, root: strawberry.Parent[ToolCall]) -> Awaitable[ChatMessage | None]:
        return info.context.loader(MessageOfRow).load((MessageId(root.message_id), MESSAGE_COLUMNS.wanted(info)))

    @field(
        graphql_type=Annotated["ToolExecutionType", strawberry.lazy("app.tools.graphql.types")] | None,
        description="What was done about it; null while nothing was.",
    )
    def execution(self, info: Info, root: strawberry.Parent[ToolCall]) -> Awaitable[ToolExecution | None]:
        return info.context.loader(ExecutionOfCall).load(ToolCallId(root.id))


@strawberry.type(
    name="ToolExecution", description="What was done about a tool call, with a decision where it needs one."
)
class ToolExecutionType(Node):
    tool_name: str = field(description="The tool's name.")
    status: ExecutionStatus = field(description="How far it is.")
    error: str | None = field(description="Why it failed, or was cancelled.")
    required_approval: bool = field(description="Whether a person had to approve it first.")
    approved: bool | None = field(description="What the person decided; null while, or where, nobody has.")
    approved_by: str | None = field(description="Who decided, also where it was denied.")
    approved_at: datetime | None = field(description="When that was.")
    decision_comment: str | None = field(description="What they said about it.")
    approval_expires_at: datetime | None = field(
        description="Until when it can be decided; after that it is cancelled. Null where it needs no approval."
    )
    agent_id: str | None = field(description="The agent that executes it, as the application names it.")
    started_at: datetime | None = field(description="When it began; when it ended, where it never was RUNNING.")
    completed_at: datetime | None = field(description="When it ended, however that was.")
    duration_ms: int | None = field(description="How long it took, once it has ended.")
    created_at: datetime = field(description="When it was stored.")
    updated_at: datetime = field(description="When it last changed.")

    @field(graphql_type=str, description="What the tool is given: the call's arguments, or what was made of them.")
    async def input(self, info: Info, root: strawberry.Parent[ToolExecution]) -> str:
        return await info.context.loader(InputOfExecution).load(ToolExecutionId(root.id)) or ""

    @field(graphql_type=str | None, description="What the tool answered, all of it.")
    def output(self, info: Info, root: strawberry.Parent[ToolExecution]) -> Awaitable[str | None]:
        return info.context.loader(OutputOfExecution).load(ToolExecutionId(root.id))

    @field(graphql_type=ToolCallType | None, description="The call that it executes.")
    def tool_call(self, info: Info, root: strawberry.Parent[ToolExecution]) -> Awaitable[ToolCall | None]:
        return info.context.loader(ToolCallById).load(ToolCallId(root.tool_call_id))

    @field(graphql_type=ChatMessageType | None, description="The message that asked for it.")
    def message(self, info: Info, root: strawberry.Parent[ToolExecution]) -> Awaitable[ChatMessage | None]:
        return info.context.loader(MessageOfRow).load((MessageId(root.message_id), MESSAGE_COLUMNS.wanted(info)))

    @field(graphql_type=ChatSessionType | None, description="The session it belongs to.")
    def session(self, info: Info, root: strawberry.Parent[ToolExecution]) -> Awaitable[ChatSession | None]:
        return info.context.loader(SessionById).load(SessionId(root.session_id))


def tool_execution_id(value: str, place: str = "toolExecutionId") -> ToolExecutionId:
    """The id of an execution from its global id; ValidationError naming `place`."""
    return ToolExecutionId(parse_global_id(value, ToolExecution.node_type, place))


def tool_call_id(value: str, place: str = "toolCallId") -> ToolCallId:
    """The id of a tool call from its global id; ValidationError naming `place`."""
    return ToolCallId(parse_global_id(value, ToolCall.node_type, place))
