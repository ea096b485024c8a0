"""What is encoded of an event for one subscriber is sent to all who select the same, and to nobody else."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, cast

import orjson
import pytest
import strawberry

from app.core.errors import ValidationError
from app.core.settings.limits import LimitSettings
from app.db.database import Database
from app.graph.body import GraphQLRequest
from app.graph.context import Context, Info
from app.graph.executor import ExecutorName
from app.graph.executor.sharing import MOST_KEPT, SharedRow
from app.graph.operations import Operations
from app.graph.queries import query, subscription
from app.graph.schema import build_schema
from tests.conftest import an_actor
from tests.fakes import NoDatabase


@dataclass(frozen=True, slots=True)
class Said(SharedRow):
    """An event that notes each time it is looked at."""

    text: Any
    looks: list[Any] = field(default_factory=list, compare=False)
    node_type: ClassVar[str] = "Word"

    @property
    def word(self) -> Any:
        """The text."""
        self.looks.append(self.text)
        return self.text


class Events(list[Any]):
    """What every subscriber is told: the same objects."""


@strawberry.type(description="A word.")
class Word:
    word: str = strawberry.field(description="Itself.")

    @strawberry.field(description="Who asks.")
    async def reader(self, info: Info) -> str:
        return info.context.actor.user_id


@strawberry.type(description="Silence.")
class Pause:
    seconds: int = strawberry.field(description="How long.")


Event = Annotated[Word | Pause, strawberry.union("Event", description="What is heard.")]


@strawberry.type
class Query:
    @query(int, "Nothing.")
    async def nothing(self) -> int:
        return 0


@strawberry.type
class Subscription:
    @subscription(Event, "What is said.")
    async def heard(self, info: Info) -> AsyncGenerator[Any, None]:
        for event in info.context.service(Events):
            yield event
        if not info.context.service(Events):
            raise ValidationError("nothing was said")


SCHEMA = build_schema(Query, None, Subscription, [])
WORD = "subscription { heard { __typename ... on Word { word } } }"


async def told(
    events: list[Any], text: str, user: str = "alice", executor: ExecutorName = "batch", yes: bool | None = None
) -> list[bytes]:
    """The answers that a subscriber is sent."""
    operations = Operations(SCHEMA, LimitSettings(), executor=executor)
    context = Context(an_actor(user), cast(Database, NoDatabase()), {Events: Events(events)})
    operation = operations.prepare(GraphQLRequest(text, {"yes": yes}), context)
    return [orjson.dumps(answer) async for answer in await operations.start(operation, context)]


async def test_an_event_is_encoded_once_for_all_who_select_the_same() -> None:
    event = Said("hello", encoded={})

    answers = [await told([event], WORD, user) for user in ("alice", "bob", "carol")]

    assert answers == [[b'{"data":{"heard":{"__typename":"Word","word":"hello"}}}']] * 3
    assert event.looks == ["hello"]


@pytest.mark.parametrize(
    "text",
    [
        "subscription Named { heard { ... on Pause { seconds } ... on Word { __typename word } } }",
        "subscription { heard { ...F } } fragment F on Event { __typename ... on Word { word } }",
        "subscription ($yes: Boolean!) { heard { __typename ... on Word { word other: word @skip(if: $yes) } } }",
    ],
)
async def test_the_same_selection_is_the_same_however_it_is_written(text: str) -> None:
    event = Said("hello", encoded={})

    first = await told([event], WORD)
    second = await told([event], text, yes=True)

    assert first == second
    assert event.looks == ["hello"]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (
            "subscription { said: heard { __typename ... on Word { word } } }",
            {"said": {"__typename": "Word", "word": "hello"}},
        ),
        ("subscription { heard { ... on Word { word } } }", {"heard": {"word": "hello"}}),
        (
            "subscription { heard { ... on Word { word __typename } } }",
            {"heard": {"word": "hello", "__typename": "Word"}},
        ),
        (
            "subscription { heard { __typename ... on Word { text: word } } }",
            {"heard": {"__typename": "Word", "text": "hello"}},
        ),
    ],
)
async def test_another_selection_has_its_own_answer(text: str, answer: Any) -> None:
    event = Said("hello", encoded={})

    await told([event], WORD)

    assert await told([event], text) == [orjson.dumps({"data": answer})]
    assert await told([event], WORD) == [b'{"data":{"heard":{"__typename":"Word","word":"hello"}}}']
    assert event.looks == ["hello"] * 2


async def test_what_depends_on_the_subscriber_is_never_shared() -> None:
    event = Said("hello", encoded={})
    text = "subscription { heard { ... on Word { word reader } } }"

    for user in ("alice", "bob"):
        assert await told([event], text, user) == [orjson.dumps({"data": {"heard": {"word": "hello", "reader": user}}})]
    assert event.encoded == {}


async def test_equal_events_that_are_two_share_nothing() -> None:
    one, other = Said("hello", encoded={}), Said("hello", encoded={})

    assert await told([one], WORD) == await told([other], WORD)

    assert (one.looks, other.looks) == (["hello"], ["hello"])


async def test_nothing_is_kept_of_an_event_that_one_is_given_alone() -> None:
    event = Said("hello")

    for _ in range(2):
        await told([event], WORD)

    assert (event.looks, event.encoded) == (["hello"] * 2, None)


async def test_errors_are_each_subscribers_own() -> None:
    event = Said(None, encoded={})

    for user in ("alice", "bob"):
        [answer] = await told([event], WORD, user)
        assert b'"errors"' in answer
    assert event.encoded == {}


async def test_no_more_selections_of_an_event_are_kept_than_are_counted() -> None:
    event = Said("hello", encoded={})

    for number in range(MOST_KEPT * 2):
        text = f"subscription {{ heard {{ ... on Word {{ w{number}: word }} }} }}"
        assert await told([event], text) == [orjson.dumps({"data": {"heard": {f"w{number}": "hello"}}})]

    assert len(event.encoded or ()) == MOST_KEPT


async def test_the_standard_executor_shares_nothing() -> None:
    event = Said("hello", encoded={})

    for _ in range(2):
        await told([event], WORD, executor="standard")

    assert (event.looks, event.encoded) == (["hello"] * 2, {})
