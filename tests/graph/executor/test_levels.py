"""Levels: each loader is called once for all of one, and what fails is told as graphql-core tells it."""

import asyncio
from collections.abc import Iterator

import pytest

from app.telemetry.meters import GIVEN_BACK
from tests.graph.executor.family import FETCHED, asked


@pytest.fixture(autouse=True)
def _nobody_fails() -> Iterator[None]:
    FETCHED.both_wait = asyncio.Event()
    yield
    FETCHED.failing = frozenset()


def given_back() -> float:
    """How many root fields were left to graphql-core."""
    return next(iter(next(iter(GIVEN_BACK.collect())).samples)).value


async def test_each_level_is_one_call() -> None:
    answer = await asked("{ eve { children { number children { number children { number } } } } }")

    assert FETCHED.calls == [("children", [1]), ("children", [2, 3]), ("children", [4, 5, 6, 7])]
    below = answer["data"]["eve"]["children"][1]["children"][0]["children"]
    assert below == [{"number": 12}, {"number": 13}]


async def test_fields_of_one_level_share_a_call_of_their_loader() -> None:
    await asked("{ eve { a: children { number } b: children { name } } }")

    assert FETCHED.calls == [("children", [1]), ("names", [2, 3])]


async def test_what_one_field_is_loading_is_not_loaded_for_another() -> None:
    answer = await asked("{ eve { children { greeting name } } }")

    assert answer["data"]["eve"]["children"][1] == {"greeting": "Hello, number 3!", "name": "number 3"}
    assert FETCHED.calls == [("children", [1]), ("names", [2, 3])]


async def test_root_fields_share_their_loads() -> None:
    roots = " ".join(f"a{number}: person(number: {number}) {{ children {{ name }} }}" for number in range(2, 6))

    answer = await asked(f"{{ {roots} }}")

    assert [call for call, _ in FETCHED.calls] == ["children", "names"]
    assert answer["data"]["a5"]["children"][1] == {"name": "number 11"}


async def test_nothing_is_loaded_twice_in_one_operation() -> None:
    await asked("{ eve { name children { number } } again: eve { name children { name } } }")

    assert sorted(FETCHED.calls) == [("children", [1]), ("names", [1]), ("names", [2, 3])]


async def test_async_resolvers_of_a_level_run_at_once_with_its_loaders() -> None:
    answer = await asked("{ eve { children { name plus more: plus(n: 10) } } }")

    assert answer["data"]["eve"]["children"] == [
        {"name": "number 2", "plus": 3, "more": 12},
        {"name": "number 3", "plus": 4, "more": 13},
    ]


async def test_what_failed_is_told_and_not_asked_for_again() -> None:
    FETCHED.failing = frozenset({3})
    text = "{ eve { name children { number children { number } } } }"

    answer = await asked(text)

    assert FETCHED.calls == [("names", [1]), ("children", [1]), ("children", [2, 3])]
    assert answer["data"] is None
    [error] = answer["errors"]
    assert error["path"] == ["eve", "children", 0, "children"]
    assert answer == await asked(text, "standard")


async def test_a_value_of_another_type_is_completed_as_ever() -> None:
    before = given_back()
    text = "{ eve { children { number text } } }"

    answer = await asked(text)

    assert answer["data"]["eve"]["children"] == [{"number": 2, "text": "2"}, {"number": 3, "text": "3"}]
    assert given_back() == before + 1
    assert FETCHED.calls == [("children", [1])]
    assert answer == await asked(text, "standard")


async def test_what_is_expected_is_not_given_back() -> None:
    before = given_back()

    await asked("{ count __typename eve { __typename number children { name plus(n: 3) } } }")

    assert given_back() == before


async def test_a_cancelled_operation_leaves_nothing_running() -> None:
    running = asyncio.create_task(asked("{ eve { children { slow name } } }"))
    await FETCHED.both_wait.wait()

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert FETCHED.waiting == 0


async def test_a_failure_ends_what_waits_beside_it() -> None:
    FETCHED.failing = frozenset({2})
    # graphql-core would let it wait, too, were it not for the failure.
    async with asyncio.timeout(10):
        answer = await asked("{ eve { children { slow children { number } } } }")

    assert answer["errors"][0]["path"] == ["eve", "children", 0, "children"]
    assert FETCHED.waiting == 0
