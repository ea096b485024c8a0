"""The schema object: caches for parsing and validating, and our way with errors."""

from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.types import ExecutionContext

from app.graph.context import Context
from app.graph.errors import log_unexpected
from app.graph.scalars import CONFIG

CACHED_DOCUMENTS = 1_000
"""A front end has some dozens of operations; bounded, so that made-up ones cannot fill the memory."""


class Schema(strawberry.Schema):
    """Strawberry's schema, logging only what is a fault of ours."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Called by Strawberry with the errors of an operation; refusals are answers, not log lines."""
        context: Context | None = execution_context.context if execution_context else None
        log_unexpected(errors, context.actor.correlation_id if context else None)


def build_schema(query: type, mutation: type, types: list[Any]) -> Schema:
    """The schema over the merged root types; `types` are those that only an interface leads to."""
    return Schema(
        query=query,
        mutation=mutation,
        types=types,
        config=CONFIG,
        extensions=[lambda: ParserCache(CACHED_DOCUMENTS), lambda: ValidationCache(CACHED_DOCUMENTS)],
    )
