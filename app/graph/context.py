"""What a resolver may reach: the actor, the database, the request's loaders and the process's services."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

import strawberry

from app.core.actor import Actor, CorrelationId
from app.db.database import Database
from app.graph.loading import Loader, Loaders

Withdrawn = Callable[[], Awaitable[object]]
"""Returns when what let the caller in was taken back; else it waits for ever. It is cancelled with the connection."""


async def never() -> None:
    """What let the caller in is not taken back."""
    await asyncio.Event().wait()


S = TypeVar("S")
L = TypeVar("L", bound=Loader[Any, Any])


@dataclass(slots=True)
class Context:
    """One per request, or per operation on a socket."""

    actor: Actor
    database: Database
    services: Mapping[type, object]
    withdrawn: Withdrawn = never
    loaders: Loaders = field(init=False)
    selections: dict[tuple[object, ...], frozenset[str]] = field(init=False, default_factory=dict)
    """What is known of the operation's selections (`selected`, `OnDemand`), by the identity of its nodes."""

    def __post_init__(self) -> None:
        self.loaders = Loaders(self.database, self.actor)

    def for_operation(self, correlation_id: CorrelationId) -> "Context":
        """The same caller in another operation: with loaders of its own, told apart by its correlation id."""
        actor = replace(self.actor, correlation_id=correlation_id)
        return Context(actor, self.database, self.services, self.withdrawn)

    async def for_query(self) -> "Context":
        """The same caller in an operation that only reads, perhaps from a replica."""
        database = await self.database.for_query()
        return self if database is self.database else replace(self, database=database)

    def loader(self, kind: type[L]) -> L:
        """The request's own instance of a loader class."""
        return self.loaders.of(kind)

    def service(self, kind: type[S]) -> S:
        """The process's one instance of `kind`, as the container built it."""
        return cast("S", self.services[kind])


Info = strawberry.Info[Context, None]
