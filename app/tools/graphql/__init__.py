"""Tool calls and executions in the graph."""

import strawberry

from app.tools.graphql.approvals import ApprovalMutations, ApprovalQueries, ApprovalSubscriptions
from app.tools.graphql.calls import CallMutations
from app.tools.graphql.executions import ExecutionMutations, ExecutionQueries
from app.tools.graphql.types import ToolCallType, ToolExecutionType

__all__ = ["ToolCallType", "ToolExecutionType", "ToolMutations", "ToolQueries", "ToolSubscriptions"]


@strawberry.type
class ToolQueries(ExecutionQueries, ApprovalQueries):
    pass


@strawberry.type
class ToolMutations(CallMutations, ExecutionMutations, ApprovalMutations):
    pass


@strawberry.type
class ToolSubscriptions(ApprovalSubscriptions):
    pass
