"""Root fields that read, once or as a stream: their arguments are checked before the resolver runs."""

from collections.abc import Callable
from functools import cache
from typing import Any

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.utils.str_converters import to_camel_case

from app.core.text import require_storable
from app.graph.context import Info
from app.graph.inputs import as_sent


class _Checking(FieldExtension):
    """Refuses text that no row can hold: PostgreSQL would refuse the statement instead."""

    def resolve_async(self, next_: Any, source: Any, info: Info, **kwargs: Any) -> Any:
        """Called by Strawberry in the resolver's place. What comes back is awaited, unless it is a stream."""
        for name, value in kwargs.items():
            require_storable(as_sent(value), _shown(name))
        return next_(source, info, **kwargs)


@cache
def _shown(name: str) -> str:
    """An argument's name in the graph."""
    return to_camel_case(name.rstrip("_"))


def query(graphql_type: Any, description: str) -> Callable[[Callable[..., Any]], Any]:
    """A root query field; its resolver is async."""

    def declare(resolver: Callable[..., Any]) -> Any:
        return strawberry.field(resolver, graphql_type=graphql_type, description=description, extensions=[_Checking()])

    return declare


def subscription(graphql_type: Any, description: str) -> Callable[[Callable[..., Any]], Any]:
    """A root subscription field; its resolver is an async generator of rows.

    An AppError that it raises is told to the client, and ends the subscription. However that ends, the generator is
    closed and its end awaited. It must hold no connection of the database while it waits.
    """

    def declare(resolver: Callable[..., Any]) -> Any:
        return strawberry.subscription(
            resolver, graphql_type=graphql_type, description=description, extensions=[_Checking()]
        )

    return declare
