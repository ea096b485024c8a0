"""Root query fields: their arguments are checked once, before the resolver runs."""

from collections.abc import Callable
from typing import Any

import strawberry
from strawberry.extensions import FieldExtension

from app.core.text import require_storable
from app.graph.context import Info
from app.graph.inputs import as_sent


class _Checking(FieldExtension):
    """Refuses text that no row can hold: PostgreSQL would refuse the statement instead."""

    async def resolve_async(self, next_: Any, source: Any, info: Info, **kwargs: Any) -> Any:
        """Called by Strawberry in the resolver's place."""
        for name, value in kwargs.items():
            require_storable(as_sent(value), name)
        return await next_(source, info, **kwargs)


def query(graphql_type: Any, description: str) -> Callable[[Callable[..., Any]], Any]:
    """A root query field; its resolver is async."""

    def declare(resolver: Callable[..., Any]) -> Any:
        return strawberry.field(resolver, graphql_type=graphql_type, description=description, extensions=[_Checking()])

    return declare
