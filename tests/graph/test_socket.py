"""Operations over a socket: many at once, each with its answers and its end."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.db.database import Database, PoolSettings
from tests.graph.wire import Wire, wire

COUNT = "subscription ($to: Int!, $pause: Float) { count(to: $to, pause: $pause) }"
PATIENCE = "subscription { patience }"


@pytest.fixture
async def served() -> AsyncIterator[Wire]:
    """A server of the small schema."""
    async with wire() as started:
        yield started


def answered(id_: str, *answers: Any) -> list[dict[str, Any]]:
    """What is heard of an operation that answers so and completes."""
    return [
        *({"id": id_, "type": "next", "payload": {"data": answer}} for answer in answers),
        {"id": id_, "type": "complete"},
    ]


async def test_a_subscription_answers_each_event_and_completes(served: Wire) -> None:
    async with served.socket() as socket:
        await socket.subscribe("a", COUNT, to=3)

        assert await socket.hear_all("a") == answered("a", {"count": 1}, {"count": 2}, {"count": 3})

    await served.is_quiet()


async def test_operations_are_interleaved_and_each_keeps_its_order(served: Wire) -> None:
    async with served.socket() as socket:
        for id_ in "abc":
            await socket.subscribe(id_, COUNT, to=20, pause=0.001)

        heard = await socket.hear_all("a", "b", "c")

    for id_ in "abc":
        own = [message for message in heard if message["id"] == id_]
        assert own == answered(id_, *({"count": number} for number in range(1, 21)))
    assert len({message["id"] for message in heard[:20]}) > 1


async def test_queries_and_mutations_are_answered_once(served: Wire) -> None:
    async with served.socket(user="carol@acme") as socket:
        await socket.subscribe("q", "{ me }")
        assert await socket.hear_all("q") == answered("q", {"me": "carol@acme"})

        await socket.subscribe("m", 'mutation { say(input: { text: "hello" }) { success said } }')
        assert await socket.hear_all("m") == answered("m", {"say": {"success": True, "said": "hello"}})


async def test_an_id_may_be_used_again_when_its_operation_has_ended(served: Wire) -> None:
    async with served.socket() as socket:
        for _ in range(20):
            await socket.subscribe("a", COUNT, to=1)
            assert await socket.hear_all("a") == answered("a", {"count": 1})
            await socket.subscribe("a", PATIENCE)
            assert (await socket.hear())["type"] == "next"
            await socket.say(id="a", type="complete")


async def test_complete_ends_one_operation_and_no_other(served: Wire) -> None:
    async with served.socket() as socket:
        await socket.subscribe("a", PATIENCE)
        await socket.subscribe("b", PATIENCE)
        await served.runs(2)

        await socket.say(id="a", type="complete")
        await socket.say(id="unknown", type="complete")
        await served.runs(1)
        await socket.subscribe("c", COUNT, to=1)

        heard = await socket.hear_all("c")
        assert {message["id"] for message in heard if message["type"] == "complete"} == {"c"}


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"query": "subscription { count(to: 1) "}, "BAD_USER_INPUT"),
        ({"query": "subscription { nonsense }"}, "BAD_USER_INPUT"),
        ({"query": "{ me } { me }"}, "BAD_USER_INPUT"),
        ({"query": "{ me }", "operationName": "Other"}, "BAD_USER_INPUT"),
        ({"query": COUNT, "variables": {"to": "one"}}, "BAD_USER_INPUT"),
        ({"query": "{ me }", "variables": []}, "BAD_USER_INPUT"),
        ({"query": "{ me }", "extensions": []}, "BAD_USER_INPUT"),
        ({"query": 5}, "BAD_USER_INPUT"),
        ({}, "BAD_USER_INPUT"),
        (None, "BAD_USER_INPUT"),
        ([], "BAD_USER_INPUT"),
        ("text", "BAD_USER_INPUT"),
        ({"query": "subscription { " * 5000}, "BAD_USER_INPUT"),
    ],
)
async def test_what_is_wrong_with_one_operation_ends_no_other(served: Wire, payload: Any, code: str) -> None:
    async with served.socket() as socket:
        await socket.subscribe("good", PATIENCE)
        await served.runs(1)
        assert (await socket.hear())["id"] == "good"

        await socket.say(id="bad", type="subscribe", payload=payload)

        heard = await socket.hear()
        assert (heard["id"], heard["type"]) == ("bad", "error")
        assert {error["extensions"]["code"] for error in heard["payload"]} <= {code, "LIMIT_EXCEEDED"}
        assert served.running.open == 1


async def test_text_that_cannot_be_stored_is_refused_for_its_operation(served: Wire) -> None:
    text = '{"id": "a", "type": "subscribe", "payload": {"query": "{ me }", "variables": {"x": "\\ud800"}}}'
    async with served.socket() as socket:
        await socket.connection.send(text)

        heard = await socket.hear()

    assert heard["type"] == "error"
    assert heard["payload"][0]["extensions"]["field"] == "x"


async def test_an_error_of_the_stream_is_its_last_answer(served: Wire) -> None:
    async with served.socket() as socket:
        await socket.subscribe("a", "subscription { failing(expected: true) }")
        _, refusal, complete = await socket.hear_all("a")
        assert refusal["payload"]["errors"][0]["extensions"]["field"] == "expected"
        assert complete["type"] == "complete"

        await socket.subscribe("b", "subscription { failing(expected: false) }")
        _, fault, complete = await socket.hear_all("b")
        assert fault["payload"]["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
        assert "secret" not in str(fault)
        assert complete["type"] == "complete"


async def test_one_operation_more_than_the_limit_is_refused_and_the_others_go_on() -> None:
    async with wire(socket_operations=100) as served, served.socket() as socket:
        for number in range(100):
            await socket.subscribe(str(number), PATIENCE)
        await served.runs(100)

        await socket.subscribe("one more", PATIENCE)
        heard = [await socket.hear() for _ in range(101)]
        assert [m["payload"][0]["extensions"]["code"] for m in heard if m["type"] == "error"] == ["LIMIT_EXCEEDED"]
        assert served.running.open == 100

        await socket.say(id="0", type="complete")
        await socket.subscribe("one more", COUNT, to=1)
        assert await socket.hear_all("one more") == answered("one more", {"count": 1})


async def test_each_operation_has_a_correlation_id_below_that_of_the_socket(served: Wire) -> None:
    async with served.socket(init={"X-Correlation-Id": "mine"}) as socket:
        await socket.subscribe("a", "{ correlation }")
        await socket.subscribe("b", "{ nonsense }")
        heard = await socket.hear_all("a", "b")

    told = {message["id"]: message for message in heard if message["type"] != "complete"}
    assert told["a"]["payload"] == {"data": {"correlation": "mine/1"}}
    assert told["b"]["payload"][0]["extensions"]["correlationId"] == "mine/2"


async def test_pings_are_answered(served: Wire) -> None:
    async with served.socket(init=False) as socket:
        await socket.say(type="ping")
        assert await socket.hear() == {"type": "pong"}

        await socket.say(type="ping", payload={"a": [1, "b"]})
        assert await socket.hear() == {"type": "pong", "payload": {"a": [1, "b"]}}


async def test_a_client_that_answers_pings_stays() -> None:
    async with wire(socket_ping_seconds=0.2) as served, served.socket() as socket:
        await socket.subscribe("a", PATIENCE)
        assert (await socket.hear())["id"] == "a"
        for _ in range(4):
            assert await socket.hear() == {"type": "ping"}
            await socket.say(type="pong")

        assert served.running.open == 1


async def test_a_client_that_answers_no_ping_is_dropped() -> None:
    async with wire(socket_ping_seconds=0.1) as served, served.socket() as socket:
        await socket.subscribe("a", PATIENCE)

        assert await socket.closed() == (1001, "no answer to a ping")
        await served.is_quiet()


async def test_dropped_sockets_leave_nothing_behind(served: Wire) -> None:
    for _ in range(5):
        async with served.socket() as socket:
            for id_ in "abc":
                await socket.subscribe(id_, PATIENCE)
            await served.runs(3)
            socket.connection.transport.abort()
        await served.is_quiet()

    assert served.running.started == 15


async def test_a_client_that_does_not_read_holds_its_stream_back(served: Wire) -> None:
    async with served.socket(max_queue=1) as socket:
        await socket.subscribe("a", "subscription { flood(size: 1000000) }")
        await served.runs(1)
        sent = -1
        while sent != served.running.sent:
            sent = served.running.sent
            await asyncio.sleep(0.2)

        assert 0 < sent < 50
        async with served.socket() as other:
            await other.subscribe("b", COUNT, to=2)
            assert len(await other.hear_all("b")) == 3
        socket.connection.transport.abort()

    await served.is_quiet()


async def test_waiting_subscriptions_hold_no_connection_of_the_database(dsn: str) -> None:
    database = await Database.connect(dsn, PoolSettings(size=2))
    async with wire(database=database) as served, served.socket() as socket:
        for number in range(50):
            await socket.subscribe(str(number), "subscription { patientNumber { twice } }")
        heard = [await socket.hear() for _ in range(50)]
        assert {message["payload"]["data"]["patientNumber"]["twice"] for message in heard} == {2}
        assert served.running.open == 50

        await socket.subscribe("a", "subscription { numbers(to: 2) { twice } }")
        assert await socket.hear_all("a") == answered("a", {"numbers": {"twice": 2}}, {"numbers": {"twice": 4}})
    await database.close()
