"""Executions of prompts in the graph."""

from app.execution.graphql.ask import ExecutionMutations
from app.execution.graphql.types import (
    ExecutionQueries,
    PromptExecutionStatisticsType,
    PromptExecutionType,
    execution_id,
)

__all__ = [
    "ExecutionMutations",
    "ExecutionQueries",
    "PromptExecutionStatisticsType",
    "PromptExecutionType",
    "execution_id",
]
