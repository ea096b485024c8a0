"""Executions of prompts in the graph."""

from app.execution.graphql.ask import ExecutionMutations
from app.execution.graphql.types import (
    DEFAULT_EXECUTIONS,
    ExecutionQueries,
    PromptExecutionStatisticsType,
    PromptExecutionType,
    execution_id,
)

__all__ = [
    "DEFAULT_EXECUTIONS",
    "ExecutionMutations",
    "ExecutionQueries",
    "PromptExecutionStatisticsType",
    "PromptExecutionType",
    "execution_id",
]
