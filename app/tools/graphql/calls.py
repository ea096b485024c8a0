"""The mutation that stores what a model asked for."""

from datetime import datetime

import strawberry
from strawberry import field

from app.core.ids import new_id
from app.graph.context import Info
from app.graph.inputs import input_type
from app.graph.payloads import Changed, Payload, mutation
from app.idempotency.graphql import KEY_DESCRIPTION, keyed_write
from app.messages.graphql import message_id
from app.tools import service
from app.tools.graphql.types import ToolCallType
from app.tools.values import NewToolCall, ToolCallId


@input_type("A call that a model asked for.")
class AddToolCallInput:
    message_id: strawberry.ID = field(description="The assistant's message that asked for it.")
    name: str = field(description="The tool's name, at most 255 characters.")
    arguments: str = field(description="The arguments as the model wrote them, at most 8,000 characters.")
    call_id: str | None = field(default=None, description="The id that the model gave to it, unique in the message.")
    result: str | None = field(
        default=None, description="What the tool answered; of more than 8,000 characters the first are kept."
    )
    success: bool | None = field(default=None, description="Whether it succeeded.")
    error: str | None = field(default=None, description="Why it failed, at most 4,000 characters.")
    executed_at: datetime | None = field(default=None, description="When it was executed.")
    duration_ms: int | None = field(default=None, description="How long that took.")
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@strawberry.type(description="What addToolCall answers.")
class AddToolCallPayload(Payload):
    tool_call: ToolCallType | None = field(description="The call as it is stored.")


@strawberry.type
class CallMutations:
    @mutation(AddToolCallPayload, "Add a tool call to an assistant's message.")
    async def add_tool_call(self, info: Info, input: AddToolCallInput) -> Changed:
        new = NewToolCall(
            ToolCallId(new_id()),
            message_id(input.message_id),
            input.name,
            input.arguments,
            input.call_id,
            input.result,
            input.success,
            input.error,
            input.executed_at,
            input.duration_ms,
        )
        async with keyed_write(info, input) as (uow, key):
            outcome = await service.add(uow, info.context.actor, new, key)
        return Changed({"tool_call": outcome.tool_call}, outcome.deduplicated)
