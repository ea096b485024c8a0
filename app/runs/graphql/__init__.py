"""Runs in the graph: asking for answers, calling them off, and following them."""

from app.runs.graphql.ask import RunMutations
from app.runs.graphql.follow import RunSubscriptions
from app.runs.graphql.types import RunQueries, RunType, run_id

__all__ = ["RunMutations", "RunQueries", "RunSubscriptions", "RunType", "run_id"]
