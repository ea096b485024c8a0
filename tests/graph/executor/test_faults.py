"""Each kind of fault by itself, in each kind of place: both executors tell the same of it, to the byte."""

import asyncio
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any

import pytest

from app.core.actor import Actor
from app.db.database import Database
from app.graph.body import GraphQLRequest
from tests.graph.executor.asking import Both, Told
from tests.graph.executor.faults import RAISED, TYPES, WRONG
from tests.graph.executor.things import MISSING, Made, Row, World, schema_of_things

SCHEMA = schema_of_things()

OBJECTS = (
    "{ __typename }",
    "{ ... on HasText { text } }",
    "{ ... on Thing { path } }",
    "{ __typename ... on Thing { later now } }",
)
"""What is selected of objects: nothing of theirs, an attribute, and what is resolved with and without one."""

LEAVES = (
    "id", "text", "number", "big", "fraction", "truth", "moment", "amount", "free", "color", "texts", "table", "mayBe",
    "mayBeTexts", "now", "later",
)  # fmt: skip

PLACES = ("thing", "needed", "things", "some", "named", "piece", "pieces", "loaded")
"""Where objects are."""

ATTRIBUTES = {
    "id": "global_id", "mayBe": "may_be", "mayBeTexts": "may_be_texts", "now": "key", "later": "said", "loaded": "key",
}  # fmt: skip


def raising(make: Callable[[], Exception]) -> Made:
    def raised() -> Any:
        raise make()

    return Made(raised)


class Once:
    """Can be gone through once."""

    def __init__(self, items: list[Any]) -> None:
        self._items = iter(items)

    def __iter__(self) -> Iterator[Any]:
        return self._items

    def __repr__(self) -> str:
        return "once"


class Late:
    """Is awaited, and as often as anybody wants to."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __await__(self) -> Generator[Any, Any, Any]:
        yield from asyncio.sleep(0).__await__()
        if isinstance(self._value, Exception):
            raise self._value
        return self._value


def faults() -> Iterator[tuple[str, Any]]:
    """By their names; what is used up as it is read is made anew each time."""
    yield from ((name, Made(make)) for name, make in WRONG.items())
    yield from ((name, raising(make)) for name, make in RAISED.items())
    yield "missing", MISSING
    yield "used up", Made(lambda: Once(["a", "b"]))
    yield "nulls", [None, None]
    yield "a row and an error", Made(lambda: [Row(), RuntimeError("not this one")])
    yield "a row and nothing", Made(lambda: [Row(), None])
    yield "a row", Row()
    yield "many", (Row(), Row(number=None))
    yield "none of it", ["a", 1, None]
    yield "a list of lists", [[1], [None], ["a"], 5]
    yield "fails", "fails"
    yield "few", "few"
    yield from ((f"is a {name!r}", Row(node_type=name)) for name in TYPES)


FAULTS = dict(faults())


@pytest.fixture
def world() -> World:
    """What is found."""
    return World()


@pytest.fixture
def both(world: World, database: Database, actor: Actor) -> Both:
    """Both executors over it."""
    return Both(SCHEMA, database, {World: world}, actor)


async def same(both: Both, text: str, **variables: Any) -> Told:
    told, exactly = await both.same(both.prepared(GraphQLRequest(text, variables or None)))
    assert exactly, text
    return told


@pytest.mark.parametrize("field", [*LEAVES, *PLACES])
async def test_a_wrong_attribute_is_told_the_same(field: str, both: Both, world: World) -> None:
    asked = [field] if field in LEAVES else [f"{field} {below}" for below in OBJECTS]
    told: dict[str, frozenset[str]] = {}

    for name, fault in FAULTS.items():
        row = Row(**{ATTRIBUTES.get(field, field): fault})
        for one in asked:
            for text, found in around(one, row):
                world.row = found
                told[name] = (await same(both, text)).codes

    assert "INTERNAL_SERVER_ERROR" in {*told["raises"], *told["error"]}


def around(field: str, row: Any) -> Iterator[tuple[str, Any]]:
    """A field where nulls end at once, and where they go up: through lists, and to the root."""
    yield f"{{ thing {{ {field} }} }}", row
    yield f"{{ things {{ number {field} }} }}", row
    yield f"{{ thing {{ text thing {{ needed {{ {field} mayBe }} mayBe }} }} }}", Row(thing=Row(needed=row))
    yield f"{{ thing {{ some {{ {field} }} loaded {{ text }} }} }}", Row(some=[Row(), row, None])
    yield f"{{ thing {{ pieces {{ ... on Thing {{ {field} }} }} number }} }}", Row(pieces=(row, Row()))


@pytest.mark.parametrize("root", FAULTS)
async def test_a_wrong_root_is_told_the_same(root: str, both: Both, world: World) -> None:
    fault = FAULTS[root]
    world.row = fault.make() if isinstance(fault, Made) and root not in RAISED else fault

    for below in OBJECTS:
        await same(both, f"{{ thing {below} }}")
        await same(both, f"{{ things {below} __typename }}")


@pytest.mark.parametrize("name", FAULTS)
async def test_a_mutation_is_done_once_and_tells_the_same(name: str, both: Both, world: World) -> None:
    fields = "success deduplicated error { code } warnings { code }"
    for field in ("number", "later", "mayBe", "things { text }", "loaded { number }"):
        plain = field.partition(" ")[0]
        world.row = Row(**{ATTRIBUTES.get(plain, plain): FAULTS[name]})
        world.done = 0

        await same(
            both,
            f"""mutation {{ a: make(input: {{ text: "a" }}) {{ {fields} thing {{ {field} text }} }}
            b: make(input: {{ text: "b" }}) {{ thing {{ text {field} }} success }} }}""",
        )

        # Two fields, by each of two executors.
        assert world.done == 4


@pytest.mark.parametrize("name", FAULTS)
async def test_events_of_a_subscription_are_told_the_same(name: str, both: Both, world: World) -> None:
    for field in ("number", "later", "needed { text }", "pieces { __typename }", "loaded { number }"):
        plain = field.partition(" ")[0]
        wrong = Row(**{ATTRIBUTES.get(plain, plain): FAULTS[name]})
        world.events = [Row(), wrong, Row(), wrong, Row()]

        told = await same(both, f"subscription {{ happened {{ {field} text }} }}")

        assert len(told.answers) == 5
        assert told.answers[0] == told.answers[2] == told.answers[4]


@pytest.mark.parametrize("name", ["fine", "fails", "null"])
async def test_what_is_awaited_is_told_the_same(name: str, both: Both, world: World) -> None:
    value: Mapping[str, Any] = {"fine": "a", "fails": RuntimeError("later"), "null": None}
    late = Late(value[name])

    for field in ("text", "mayBe", "now", "later"):
        world.row = Row(**{ATTRIBUTES.get(field, field): late})
        await same(both, f"{{ thing {{ {field} }} }}")
    for below in OBJECTS:
        world.row = Row(needed=Late(Row() if name == "fine" else value[name]))
        await same(both, f"{{ thing {{ needed {below} }} }}")


async def test_what_a_failed_neighbor_was_loading_is_loaded_for_others(both: Both, world: World) -> None:
    world.row = Row(some=[Row(said=raising(lambda: RuntimeError("said nothing"))), Row()])

    for text in (
        "{ thing { some { later loaded { text } } } }",
        "{ thing { some { loaded { text } later } } }",
        "{ thing { some { loaded { needed { later } text } later } loaded { text } } }",
    ):
        told = await same(both, text)
        assert b'"loaded":{' in told.answers[0]


async def test_what_is_needed_is_not_there(both: Both, world: World) -> None:
    for below in OBJECTS:
        for field, nothing in (("needed", None), ("piece", None), ("things", [None]), ("pieces", [None])):
            world.row = Row(**{field: nothing})
            told = await same(both, f"{{ thing {{ {field} {below} }} }}")
            assert told.codes == {"BAD_USER_INPUT"} or told.codes == {"INTERNAL_SERVER_ERROR"}, (field, below)
