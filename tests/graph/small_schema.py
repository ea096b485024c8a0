"""A small schema with subscriptions, for what the wire does with them."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import strawberry
from sqlalchemy import Integer, String, bindparam, cast, func, select

from app.core.actor import Actor
from app.core.errors import ValidationError
from app.db.scopes import ReadScope
from app.db.statement import Query as Statement
from app.graph.context import Info
from app.graph.inputs import input_type
from app.graph.loading import Loader
from app.graph.payloads import Changed, Payload, mutation
from app.graph.queries import query, subscription
from app.graph.schema import Schema, build_schema

NAP = Statement(str, select(cast(func.pg_sleep(bindparam("seconds", type_=Integer)), String).label("slept")))


@dataclass(eq=False)
class Running:
    """What the subscriptions of a server are doing."""

    open: int = 0
    started: int = 0
    sent: int = 0
    loaded: int = 0

    def __enter__(self) -> None:
        self.open += 1
        self.started += 1

    def __exit__(self, *_: object) -> None:
        self.open -= 1


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of text."""

    seq: int
    text: str

    node_type: ClassVar[str] = "Delta"


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of the text."""

    seq: int
    reason: str

    node_type: ClassVar[str] = "Ended"


@strawberry.type(name="Delta", description="A piece of text.")
class DeltaType:
    seq: int = strawberry.field(description="Its place.")
    text: str = strawberry.field(description="The piece.")


@strawberry.type(name="Ended", description="The end of the text.")
class EndedType:
    seq: int = strawberry.field(description="Its place.")
    reason: str = strawberry.field(description="Why it ended.")


Piece = Annotated[DeltaType | EndedType, strawberry.union("Piece", description="What a text is made of.")]


class Twice(Loader[int, int]):
    """Doubles numbers."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[int]) -> list[int]:
        """Twice each number."""
        return [key * 2 for key in keys]


class Asked(Loader[Running, int]):
    """How often this was loaded, as if a row had changed in between."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[Running]) -> list[int]:
        """A higher number each time."""
        for key in keys:
            key.loaded += 1
        return [key.loaded for key in keys]


class Naps(Loader[int, int]):
    """Sleeps in the database."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[int]) -> list[int]:
        """The seconds, one by one."""
        return [len(await scope.all(NAP, seconds=key)) for key in keys]


@strawberry.type(description="A number.")
class Number:
    value: int = strawberry.field(description="Itself.")

    @strawberry.field(description="Its double, from a loader.")
    async def twice(self, info: Info) -> int:
        return await info.context.loader(Twice).load(self.value)

    @strawberry.field(description="How often this was loaded.")
    async def loaded(self, info: Info) -> int:
        return await info.context.loader(Asked).load(running(info))

    @strawberry.field(description="The one after it.")
    def next(self) -> "Number":
        return Number(value=self.value + 1)

    @strawberry.field(description="Itself where it is odd, else an error.")
    async def odd_only(self) -> int | None:
        return odd(self.value)

    @strawberry.field(description="Itself where it is odd, else an error for the whole.")
    def needs_odd(self) -> int:
        return odd(self.value)


def odd(number: int) -> int:
    """The number; refused where it is even."""
    if number % 2 == 0:
        raise ValidationError("that is even")
    return number


@strawberry.type
class Query:
    @query(str, "Who asks.")
    async def me(self, info: Info) -> str:
        return f"{info.context.actor.user_id}@{info.context.actor.tenant_id}"

    @query(int | None, "Nothing, and an error.")
    async def missing(self, info: Info) -> int | None:
        return odd(0)

    @query(int, "An error, which leaves nothing of the whole.")
    async def broken(self, info: Info) -> int:
        return odd(0)

    @query(str, "Under which id.")
    async def correlation(self, info: Info) -> str:
        return info.context.actor.correlation_id

    @query(int, "Sleeps in the database, in a statement of its own or in a loader's.")
    async def nap(self, info: Info, seconds: int, loaded: bool = False) -> int:
        if loaded:
            return await info.context.loader(Naps).load(seconds)
        async with info.context.database.read() as scope:
            return len(await scope.all(NAP, seconds=seconds))

    @query(Number | None, "A number.")
    async def number(self, value: int) -> Number:
        return Number(value=value)


@input_type("What to say.")
class SayInput:
    text: str = strawberry.field(description="The text.")


@strawberry.type(description="What was said.")
class SayPayload(Payload):
    said: str | None = strawberry.field(description="The text.")


@strawberry.type
class Mutation:
    @mutation(SayPayload, "Says it.")
    async def say(self, info: Info, input: SayInput) -> Changed:
        return Changed({"said": input.text})

    @mutation(SayPayload, "Says it in a transaction that takes a while.")
    async def mumble(self, info: Info, input: SayInput) -> Changed:
        async with info.context.database.unit_of_work() as uow:
            await uow.all(NAP, seconds=600)
        return Changed({"said": input.text})


@strawberry.type
class Subscription:
    @subscription(int, "Counts up to a number.")
    async def count(self, info: Info, to: int, pause: float = 0) -> AsyncGenerator[int, None]:
        with running(info):
            for number in range(1, to + 1):
                yield number
                await asyncio.sleep(pause)

    @subscription(str, "Greets who asks.")
    async def greetings(self, info: Info, count: int) -> AsyncGenerator[str, None]:
        actor = info.context.actor
        for number in range(1, count + 1):
            yield f"greeting {number} to {actor.user_id}@{actor.tenant_id}"

    @subscription(Number, "Counts up to a number, as objects.")
    async def numbers(self, info: Info, to: int) -> AsyncGenerator[Number, None]:
        with running(info):
            for number in range(1, to + 1):
                yield Number(value=number)

    @subscription(Piece, "The letters of a text, and its end.")
    async def letters(self, info: Info, of: str) -> AsyncGenerator[Any, None]:
        with running(info):
            for seq, letter in enumerate(of):
                yield Delta(seq, letter)
            yield Ended(len(of), "said")

    @subscription(int, "One number, and then an error.")
    async def failing(self, info: Info, expected: bool) -> AsyncGenerator[int, None]:
        with running(info):
            yield 1
            raise ValidationError("that was all", field="expected") if expected else RuntimeError("the secret")

    @subscription(int, "One number, and then nothing for ever.")
    async def patience(self, info: Info) -> AsyncGenerator[int, None]:
        with running(info):
            yield 1
            await asyncio.Event().wait()

    @subscription(Number, "One number, and then nothing for ever.")
    async def patient_number(self, info: Info) -> AsyncGenerator[Number, None]:
        with running(info):
            yield Number(value=1)
            await asyncio.Event().wait()

    @subscription(str, "Large texts without end.")
    async def flood(self, info: Info, size: int) -> AsyncGenerator[str, None]:
        with running(info):
            while True:
                running(info).sent += 1
                yield "x" * size


def running(info: Info) -> Running:
    """What the server of a resolver is doing."""
    return info.context.service(Running)


def small_schema() -> Schema:
    """Such a schema."""
    return build_schema(Query, Mutation, Subscription)
