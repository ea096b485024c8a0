"""Subscriptions as the schema runs them: a result for each row, and an end however it comes."""

from typing import Any, cast

import pytest
from graphql import ExecutionResult
from structlog.testing import capture_logs

from app.core.settings.limits import LimitSettings
from app.db.database import Database
from app.graph.body import GraphQLRequest
from app.graph.context import Context
from app.graph.errors import formatted
from app.graph.preparing import Preparation
from tests.conftest import an_actor
from tests.graph.small_schema import Running, small_schema

SCHEMA = small_schema()
PREPARATION = Preparation(SCHEMA.core, LimitSettings())


class Subscriber:
    """Runs subscriptions over a database, or over none."""

    def __init__(self, database: Database | None = None) -> None:
        self.running = Running()
        self._context = Context(an_actor("alice"), cast(Database, database), {Running: self.running})

    async def start(self, text: str, **variables: Any) -> Any:
        """What subscribing gives."""
        asked = GraphQLRequest(text, variables)
        prepared = PREPARATION.prepare(text)
        assert not prepared.errors, prepared.errors
        return await SCHEMA.subscribe(asked, prepared, self._context)

    async def results(self, text: str, **variables: Any) -> list[ExecutionResult]:
        """All results of a subscription that ends by itself."""
        return [result async for result in await self.start(text, **variables)]

    async def refusal(self, text: str, **variables: Any) -> dict[str, Any]:
        """The one error, as a client sees it, of a subscription that does not start."""
        result = await self.start(text, **variables)
        assert isinstance(result, ExecutionResult)
        assert result.data is None
        [error] = result.errors or []
        assert self.running.started == 0
        return formatted(error, self._context.actor.correlation_id)


async def test_each_row_is_a_result() -> None:
    results = await Subscriber().results("subscription ($n: Int!) { c: count(to: $n) }", n=3)

    assert results == [ExecutionResult({"c": 1}), ExecutionResult({"c": 2}), ExecutionResult({"c": 3})]


async def test_rows_of_a_union_name_their_type() -> None:
    subscriber = Subscriber()

    results = await subscriber.results(
        'subscription { letters(of: "ab") { __typename ... on Delta { seq text } ... on Ended { seq reason } } }'
    )

    assert [result.data for result in results] == [
        {"letters": {"__typename": "Delta", "seq": 0, "text": "a"}},
        {"letters": {"__typename": "Delta", "seq": 1, "text": "b"}},
        {"letters": {"__typename": "Ended", "seq": 2, "reason": "said"}},
    ]
    assert subscriber.running.open == 0


async def test_every_event_has_loaders_of_its_own(database: Database) -> None:
    results = await Subscriber(database).results("subscription { numbers(to: 3) { value twice } }")

    assert [result.data for result in results] == [
        {"numbers": {"value": number, "twice": 2 * number}} for number in (1, 2, 3)
    ]


async def test_nothing_is_kept_of_what_was_loaded_for_an_earlier_event(database: Database) -> None:
    subscriber = Subscriber(database)

    results = await subscriber.results("subscription { numbers(to: 2) { loaded } }")

    assert [result.data for result in results] == [{"numbers": {"loaded": 1}}, {"numbers": {"loaded": 2}}]


async def test_a_refusal_of_the_stream_is_its_last_result() -> None:
    subscriber = Subscriber()

    first, last = await subscriber.results("subscription { failing(expected: true) }")

    assert first.data == {"failing": 1}
    assert formatted(last.errors[0], an_actor("alice").correlation_id)["extensions"]["field"] == "expected"  # type: ignore[index]
    assert last.errors[0].path == ["failing"]  # type: ignore[index]
    assert subscriber.running.open == 0


async def test_a_fault_of_the_stream_is_masked_and_logged() -> None:
    subscriber = Subscriber()

    with capture_logs() as lines:
        _, last = await subscriber.results("subscription { failing(expected: false) }")

    [error] = last.errors or []
    assert "secret" not in str(formatted(error, an_actor("alice").correlation_id))
    assert [line["event"] for line in lines] == ["resolver_failed"]
    assert subscriber.running.open == 0


async def test_a_fault_of_one_event_is_told_with_it_and_the_next_is_clean() -> None:
    results = await Subscriber().results("subscription { numbers(to: 3) { value oddOnly needsOdd } }")

    one, two, three = results
    assert one == ExecutionResult({"numbers": {"value": 1, "oddOnly": 1, "needsOdd": 1}})
    assert two.data is None
    assert {tuple(error.path or ()) for error in two.errors or ()} >= {("numbers", "needsOdd")}
    assert three == ExecutionResult({"numbers": {"value": 3, "oddOnly": 3, "needsOdd": 3}})


async def test_a_subscription_that_is_closed_early_closes_its_stream() -> None:
    subscriber = Subscriber()
    results = await subscriber.start("subscription { patience }")

    assert await anext(results) == ExecutionResult({"patience": 1})
    assert subscriber.running.open == 1
    await results.aclose()

    assert subscriber.running.open == 0


@pytest.mark.parametrize(
    ("text", "code", "field"),
    [
        ("subscription ($t: String!) { letters(of: $t) { __typename } }", "VALIDATION_ERROR", "of"),
        ("subscription ($t: Int!) { count(to: $t) }", "BAD_USER_INPUT", None),
    ],
)
async def test_what_cannot_start_is_refused_before_the_stream(text: str, code: str, field: str | None) -> None:
    refused = await Subscriber().refusal(text, t="a\x00b")

    assert (refused["extensions"]["code"], refused["extensions"].get("field")) == (code, field)


async def test_a_subscription_whose_only_field_is_skipped_is_refused() -> None:
    text = "subscription ($skip: Boolean!) { count(to: 1) @skip(if: $skip) }"

    assert PREPARATION.prepare(text).errors or (await Subscriber().refusal(text, skip=True))["extensions"]["code"]
