"""What a person is asked to approve: listed, followed, and decided."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import strawberry
from strawberry import field

from app.core.paging import Page, PageRequest
from app.graph.connections import After, Before, Connection, First, Last
from app.graph.context import Info
from app.graph.inputs import input_type
from app.graph.payloads import Changed, Payload, mutation
from app.graph.queries import query, subscription
from app.idempotency.graphql import KEY_DESCRIPTION, client_key
from app.sessions.graphql import DEFAULT_EXECUTIONS
from app.tools.approvals import page_of_approvals
from app.tools.errors import AlreadyDecided, ApprovalExpired, ExecutionTransition, StatusConflict
from app.tools.following import Approvals
from app.tools.graphql.types import ToolExecutionType, tool_execution_id
from app.tools.loaders import ToolExecutionById
from app.tools.models import ToolExecution
from app.tools.pipeline import ToolPipeline
from app.tools.values import Decision, ExecutionStatus


@input_type("A person's decision about an execution that awaits it.")
class DecideToolExecutionInput:
    tool_execution_id: strawberry.ID = field(description="The execution.")
    approve: bool = field(description="Whether it may be executed; a denied one is CANCELLED.")
    comment: str | None = field(default=None, description="Why, at most 4,000 characters.")
    expected_status: ExecutionStatus = field(
        default=ExecutionStatus.AWAITING_APPROVAL,
        description="The status that the person saw; in any other the decision is refused with VERSION_CONFLICT.",
    )
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@strawberry.type(description="What decideToolExecution answers.")
class DecideToolExecutionPayload(Payload):
    tool_execution: ToolExecutionType | None = field(
        description="The execution after the decision; where that was refused, as it is now, with who decided and when."
    )


@strawberry.type
class ApprovalQueries:
    @query(
        Connection[ToolExecutionType],
        "What awaits your approval in all of your sessions, oldest first; 50 by default.",
    )
    async def pending_approvals(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Page[ToolExecution]:
        request = PageRequest.of(first, last, after, before, DEFAULT_EXECUTIONS)
        return await page_of_approvals(info.context.database, info.context.actor, request)


@strawberry.type
class ApprovalMutations:
    @mutation(
        DecideToolExecutionPayload,
        "Approve or deny an execution. The first decision holds: the same again changes nothing, another is refused.",
    )
    async def decide_tool_execution(self, info: Info, input: DecideToolExecutionInput) -> Changed:
        context = info.context
        execution_id = tool_execution_id(input.tool_execution_id)
        decision = Decision(execution_id, input.approve, input.comment, input.expected_status)
        try:
            outcome = await context.service(ToolPipeline).decide(
                context.database, context.actor, decision, client_key(info, input)
            )
        except (AlreadyDecided, ApprovalExpired, ExecutionTransition, StatusConflict) as refused:
            return Changed(
                {"tool_execution": await context.loader(ToolExecutionById).load(execution_id)}, refused=refused
            )
        return Changed({"tool_execution": outcome.execution}, outcome.deduplicated)


@strawberry.type
class ApprovalSubscriptions:
    @subscription(
        ToolExecutionType,
        "Follow what awaits your approval in all of your sessions: what does already, then each as it comes, once.",
    )
    async def approval_requested(self, info: Info) -> AsyncGenerator[ToolExecution, None]:
        approvals = info.context.service(Approvals)
        async with aclosing(approvals.follow(info.context.actor)) as requested:
            async for execution in requested:
                yield execution
