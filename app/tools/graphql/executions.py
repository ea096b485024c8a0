"""Executions: added, changed while they are worked, and listed."""

from datetime import timedelta
from typing import Annotated

import strawberry
from strawberry import UNSET, field

from app.core.errors import ValidationError
from app.core.ids import new_id
from app.core.paging import Page, PageRequest
from app.core.text import require_range
from app.graph.connections import After, Before, Connection, First, Last
from app.graph.context import Info
from app.graph.inputs import input_type
from app.graph.nodes import Id
from app.graph.payloads import Changed, Payload, given, mutation
from app.graph.queries import query
from app.idempotency.graphql import KEY_DESCRIPTION, client_key, keyed_write
from app.sessions.errors import SessionNotFound
from app.sessions.graphql import DEFAULT_EXECUTIONS
from app.sessions.graphql import session_id as session_named
from app.sessions.loaders import SessionById
from app.tools import service
from app.tools.graphql.types import ToolExecutionType, tool_call_id, tool_execution_id
from app.tools.loaders import ExecutionsOfSession, ToolExecutionById
from app.tools.models import ToolExecution
from app.tools.pipeline import ToolPipeline
from app.tools.values import LONGEST_APPROVAL_SECONDS, ExecutionStatus, NewToolExecution, ToolExecutionId


@input_type("The execution of a tool call; a call has one.")
class AddToolExecutionInput:
    tool_call_id: strawberry.ID = field(description="The call.")
    input: str | None = field(
        default=None, description="What the tool is given, at most 100,000 characters; by default the arguments."
    )
    agent_id: str | None = field(default=None, description="The agent that executes it, as you name it.")
    status: ExecutionStatus = field(default=ExecutionStatus.PENDING, description="PENDING or RUNNING.")
    required_approval: bool = field(
        default=False, description="Whether a person must approve it: it then begins as AWAITING_APPROVAL."
    )
    approval_expires_in_seconds: int | None = field(
        default=None, description="How long the approval is waited for; by default what the server is set to."
    )
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@input_type("Changes of an execution: what is left out stays as it is.")
class UpdateToolExecutionInput:
    tool_execution_id: strawberry.ID = field(description="The execution.")
    status: ExecutionStatus | None = field(
        default=UNSET, description="How far it is; one that has ended stays ended, one that awaits approval is decided."
    )
    output: str | None = field(
        default=UNSET, description="What the tool answered, at most 1,000,000 characters; the call keeps the beginning."
    )
    error: str | None = field(default=UNSET, description="Why it failed, at most 4,000 characters; null clears it.")
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@strawberry.type(description="What addToolExecution answers.")
class AddToolExecutionPayload(Payload):
    tool_execution: ToolExecutionType | None = field(description="The execution as it is stored.")


@strawberry.type(description="What updateToolExecution answers.")
class UpdateToolExecutionPayload(Payload):
    tool_execution: ToolExecutionType | None = field(description="The execution after the change.")


@strawberry.type
class ExecutionMutations:
    @mutation(AddToolExecutionPayload, "Add the execution of a tool call.")
    async def add_tool_execution(self, info: Info, input: AddToolExecutionInput) -> Changed:
        new = NewToolExecution(
            ToolExecutionId(new_id()),
            tool_call_id(input.tool_call_id),
            input.input,
            input.agent_id,
            input.status,
            input.required_approval,
            approval_lasts=_approval_lasts(info, input.approval_expires_in_seconds),
        )
        async with keyed_write(info, input) as (uow, key):
            outcome = await service.execute(uow, info.context.actor, new, key)
        return Changed({"tool_execution": outcome.execution}, outcome.deduplicated)

    @mutation(UpdateToolExecutionPayload, "Tell how far an execution is; the call is told what came of it.")
    async def update_tool_execution(self, info: Info, input: UpdateToolExecutionInput) -> Changed:
        changes = given(input, "status", "output", "error")
        if "status" in changes and changes["status"] is None:
            raise ValidationError("status must not be null", field="status", hint="leave it out to keep it")
        outcome = await info.context.service(ToolPipeline).update(
            info.context.database,
            info.context.actor,
            tool_execution_id(input.tool_execution_id),
            changes,
            client_key(info, input),
        )
        return Changed({"tool_execution": outcome.execution}, outcome.deduplicated)


@strawberry.type
class ExecutionQueries:
    @query(ToolExecutionType | None, "An execution by its id; null when it is not there, or not yours.")
    async def tool_execution(self, info: Info, id: Id) -> ToolExecution | None:
        return await info.context.loader(ToolExecutionById).load(tool_execution_id(id, "id"))

    @query(Connection[ToolExecutionType], "The executions of a session, oldest first; 50 by default.")
    async def tool_executions(
        self,
        info: Info,
        session_id: Annotated[strawberry.ID, strawberry.argument(description="The session.")],
        status: Annotated[
            list[ExecutionStatus] | None, strawberry.argument(description="In one of these states.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Page[ToolExecution]:
        request = PageRequest.of(first, last, after, before, DEFAULT_EXECUTIONS)
        found = await info.context.loader(SessionById).load(session_named(session_id))
        if found is None:
            raise SessionNotFound
        statuses = None if status is None else tuple(status)
        return await info.context.loader(ExecutionsOfSession).load((found.id, statuses, request))


def _approval_lasts(info: Info, seconds: int | None) -> timedelta:
    # Before it is a timedelta, which ends at some million years.
    require_range(seconds, "approvalExpiresInSeconds", at_least=1, at_most=LONGEST_APPROVAL_SECONDS)
    return info.context.service(ToolPipeline).approval_lasts if seconds is None else timedelta(seconds=seconds)
