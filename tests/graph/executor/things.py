"""A schema of every kind of field, over rows that hold what a test wants them to."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

import strawberry

from app.core.actor import Actor
from app.db.scopes import ReadScope
from app.graph.context import Info
from app.graph.enums import described
from app.graph.inputs import input_type
from app.graph.loading import Loader
from app.graph.nodes import Node, OfRecords
from app.graph.payloads import Changed, Payload, mutation
from app.graph.queries import query, subscription
from app.graph.scalars import BigInt, Json
from app.graph.schema import Schema, build_schema

told = strawberry.field


class Color(StrEnum):
    """A closed set."""

    RED = "red"
    BLUE = "blue"


described(Color, "A color.", {Color.RED: "Red.", Color.BLUE: "Blue."})


@dataclass(frozen=True)
class Made:
    """What an attribute gives is made anew each time that it is read, or raised."""

    make: Callable[[], Any]


class Row:
    """A row that holds what it is given, and for the rest what is right."""

    def __init__(self, **given: Any) -> None:
        self._given = given

    def __getattr__(self, name: str) -> Any:
        if name not in RIGHT or self._given.get(name) is MISSING:
            raise AttributeError(name)
        found = self._given.get(name, RIGHT[name])
        return found.make() if isinstance(found, Made) else found

    def __repr__(self) -> str:
        return "a row"


MISSING = object()
"""Stands for an attribute that is not there."""

RIGHT: dict[str, Any] = {
    "node_type": "Thing", "global_id": "VGhpbmc=", "text": "a", "number": 1, "big": 2**40, "fraction": 0.5,
    "truth": True, "moment": datetime(2026, 1, 31, tzinfo=UTC), "amount": Decimal("1.50"), "free": {"a": [1]},
    "color": Color.RED, "texts": ["a", "b"], "table": [[1], [2, 3]], "may_be": "a", "may_be_texts": ["a", None],
    "key": "known", "said": "a", "thing": Made(lambda: Row()), "needed": Made(lambda: Row()),
    "named": Made(lambda: Row()),
    "piece": Made(lambda: Row(node_type="Other")), "things": Made(lambda: [Row(), Row()]),
    "some": Made(lambda: [Row(), None]), "pieces": Made(lambda: [Row(), Row(node_type="Other")]),
}  # fmt: skip


@dataclass(eq=False)
class World:
    """What the root fields find, and what was done."""

    row: Any = None
    events: list[Any] = field(default_factory=list)
    done: int = 0


class Loads(Loader[Any, Any]):
    """Gives a row for the key `known`, and other keys as they are."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[Any]) -> list[Any]:
        """Keys may be errors; `fails` fails all, `few` is not there."""
        if "fails" in keys:
            raise RuntimeError("nothing is loaded")
        return [Row() if key == "known" else key for key in keys if key != "few"]


@strawberry.interface(description="What has a text.")
class HasText(OfRecords):
    text: str = told(description="A text.")


@strawberry.type(name="Other", description="Another thing.")
class OtherType(Node, HasText):
    number: int = told(description="A number.")


@strawberry.type(name="Thing", description="A thing.")
class ThingType(Node, HasText):
    number: int = told(description="A number.")
    big: BigInt = told(description="A big number.")
    fraction: float = told(description="A fraction.")
    truth: bool = told(description="Whether.")
    moment: datetime = told(description="A moment.")
    amount: Decimal = told(description="An amount.")
    free: Json = told(description="Anything.")
    color: Color = told(description="A color.")
    texts: list[str] = told(description="Texts.")
    table: list[list[int]] = told(description="Numbers.")
    may_be: str | None = told(description="Perhaps a text.")
    may_be_texts: list[str | None] | None = told(description="Perhaps texts.")
    thing: "ThingType | None" = told(description="Perhaps another.")
    needed: "ThingType" = told(description="Another.")
    things: "list[ThingType]" = told(description="Others.")
    some: "list[ThingType | None] | None" = told(description="Perhaps others.")
    named: HasText | None = told(description="What has a text.")
    piece: "Piece" = told(description="One of two.")
    pieces: "list[Piece]" = told(description="Some of two.")

    @told(graphql_type="ThingType | None", description="Loaded.")
    async def loaded(self, info: Info, root: strawberry.Parent[Any]) -> Any:
        return await info.context.loader(Loads).load(root.key)

    @told(graphql_type=str | None, description="Resolved at once.")
    def now(self, root: strawberry.Parent[Any]) -> Any:
        return root.key

    @told(graphql_type=str, description="Resolved later.")
    async def later(self, root: strawberry.Parent[Any]) -> Any:
        return root.said

    @told(graphql_type=str, description="Says nothing of the row.")
    def path(self, info: Info) -> str:
        return ".".join(map(str, info.path.as_list()))


Piece = Annotated[ThingType | OtherType, strawberry.union("Piece", description="One of two.")]


@input_type("What to make.")
class MakeInput:
    text: str = told(description="Its text.")


@strawberry.type(description="What was made.")
class MakePayload(Payload):
    thing: ThingType | None = told(description="The thing.")


@strawberry.type
class Query:
    @query(ThingType | None, "A thing.")
    async def thing(self, info: Info) -> Any:
        return info.context.service(World).row

    @query(list[ThingType], "Two of it.")
    async def things(self, info: Info) -> Any:
        return [Row(), info.context.service(World).row]


@strawberry.type
class Mutation:
    @mutation(MakePayload, "Makes it.")
    async def make(self, info: Info, input: MakeInput) -> Changed:
        world = info.context.service(World)
        world.done += 1
        return Changed({"thing": world.row})


@strawberry.type
class Subscription:
    @subscription(ThingType, "Things, one after the other.")
    async def happened(self, info: Info) -> AsyncGenerator[Any, None]:
        for row in info.context.service(World).events:
            yield row


def schema_of_things() -> Schema:
    """Such a schema."""
    return build_schema(Query, Mutation, Subscription, [OtherType])
