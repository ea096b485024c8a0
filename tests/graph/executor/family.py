"""A small schema of people and their children, whose loaders count what they are asked for."""

import asyncio
from collections.abc import Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import strawberry

from app.core.actor import Actor
from app.core.errors import ValidationError
from app.db.database import Database
from app.db.scopes import ReadScope
from app.graph.body import GraphQLRequest
from app.graph.context import Context, Info
from app.graph.executor import ExecutorName
from app.graph.loading import Loader
from app.graph.operations import Answer, Operations
from app.graph.queries import query
from app.graph.schema import build_schema
from tests.conftest import an_actor


@dataclass(eq=False)
class Fetched:
    """What the loaders were asked for, call by call."""

    calls: list[tuple[str, list[int]]] = field(default_factory=list)
    failing: frozenset[int] = frozenset()
    """The people whose children nobody may know: whoever asks for one of them gets none at all."""
    waiting: int = 0
    """Resolvers that wait at the moment."""
    both_wait: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when two of them do."""


FETCHED = Fetched()


class Children(Loader[int, "list[Person]"]):
    """Each has two, up to a number."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[int]) -> list["list[Person]"]:
        """The next generation."""
        FETCHED.calls.append(("children", keys))
        if FETCHED.failing & set(keys):
            raise ValidationError("there is nobody")
        return [[Person(number=2 * key), Person(number=2 * key + 1)] if key < 8 else [] for key in keys]


class Names(Loader[int, str]):
    """A name for each."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[int]) -> list[str]:
        """Of their number."""
        FETCHED.calls.append(("names", keys))
        return [f"number {key}" for key in keys]


@strawberry.type
class Person:
    number: int

    @strawberry.field(graphql_type=list["Person"])
    def children(self, info: Info) -> Awaitable[list["Person"]]:
        return info.context.loader(Children).load(self.number)

    @strawberry.field(graphql_type=str)
    def name(self, info: Info) -> Awaitable[str]:
        return info.context.loader(Names).load(self.number)

    @strawberry.field
    async def greeting(self, info: Info) -> str:
        return f"Hello, {await info.context.loader(Names).load(self.number)}!"

    @strawberry.field
    async def slow(self) -> int:
        FETCHED.waiting += 1
        if FETCHED.waiting == 2:
            FETCHED.both_wait.set()
        try:
            await asyncio.Event().wait()
        finally:
            FETCHED.waiting -= 1
        return 0

    @strawberry.field
    async def plus(self, n: int = 1) -> int:
        await asyncio.sleep(0)
        return self.number + n

    @strawberry.field
    def text(self) -> str:
        # Not what the schema says, on purpose.
        return cast(str, self.number) if self.number == 3 else str(self.number)


@strawberry.type
class Query:
    @query(Person, "The first.")
    async def eve(self) -> Person:
        return Person(number=1)

    @query(Person, "Anybody.")
    async def person(self, number: int) -> Person:
        return Person(number=number)

    @query(int, "No object at all.")
    async def count(self) -> int:
        return 1


FAMILY = build_schema(Query)


class _Database:
    """Lends nothing that anybody uses."""

    async def for_query(self) -> "_Database":
        return self

    @asynccontextmanager
    async def read(self) -> Any:
        yield None


async def asked(text: str, executor: ExecutorName = "batch", **variables: Any) -> Answer:
    """The answer of one executor."""
    FETCHED.calls.clear()
    operations = Operations(FAMILY, executor=executor)
    context = Context(an_actor("alice"), cast(Database, _Database()), {})
    answers = await operations.start(operations.prepare(GraphQLRequest(text, variables), context), context)
    [answer] = [answer async for answer in answers]
    for error in answer.get("errors", []):
        error["extensions"].pop("correlationId")
    return answer
