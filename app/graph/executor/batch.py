"""graphql-core's executor, which hands what a root field gives to a plan that completes it a level at a time."""

from typing import Any

from graphql.execution import Executor


class BatchExecutor(Executor[Any]):
    """Executes operations a level at a time."""
