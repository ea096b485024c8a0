"""How operations are executed: row by row, as graphql-core does, or a level at a time."""

from collections.abc import Mapping
from typing import Any, Literal

from graphql.execution import Executor

from app.graph.executor.batch import BatchExecutor

ExecutorName = Literal["batch", "standard"]

EXECUTORS: Mapping[ExecutorName, type[Executor[Any]]] = {"batch": BatchExecutor, "standard": Executor}
"""By their names in the settings."""

__all__ = ["EXECUTORS", "BatchExecutor", "ExecutorName"]
