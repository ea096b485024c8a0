"""Rates: buckets of points that fill again, for users and for addresses."""

from collections.abc import Mapping
from typing import Any

import pytest

from app.core.actor import Actor, CorrelationId
from app.core.settings import SettingsError, load_settings
from app.graph.rates import Buckets
from app.identity.errors import Unauthenticated
from app.identity.service import OpenDoor
from tests.graph.wire import wire


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class NoDoor(OpenDoor):
    """Lets in whoever knows the word."""

    async def actor(self, headers: Mapping[str, str], correlation: CorrelationId) -> Actor:
        """The actor of the open door."""
        if headers.get("x-word") != "sesame":
            raise Unauthenticated("who is there?", hint="say the word")
        return await super().actor(headers, correlation)


def test_a_bucket_gives_what_it_holds_and_fills_at_its_pace() -> None:
    clock = Clock()
    buckets = Buckets[str](60, 10, clock)

    assert buckets.spend("a", 10) == 0
    assert buckets.left("a") == 0
    assert buckets.spend("a", 1) == pytest.approx(1)
    assert buckets.spend("a", 4) == pytest.approx(4)
    assert buckets.spend("b", 1) == 0

    clock.now += 3.9
    assert buckets.left("a") == 3
    assert buckets.spend("a", 4) == pytest.approx(0.1)
    clock.now += 0.1
    assert buckets.spend("a", 4) == 0
    clock.now += 3_600
    assert buckets.left("a") == 10
    assert buckets.spend("a", 11) > 0


def test_full_buckets_are_forgotten_and_their_number_is_bounded() -> None:
    clock = Clock()
    buckets = Buckets[int](60, 10, clock, most=100)

    for key in range(1_000):
        buckets.spend(key, 10)
    assert len(buckets) == 100
    assert buckets.left(999) == 0

    clock.now += 60
    for key in range(60):
        buckets.spend(key, 1)
    assert len(buckets) < 100


def test_an_operation_that_could_never_be_paid_is_told_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("RATE_POINTS_PER_MINUTE", "500"), ("MAX_COST", "501")):
        monkeypatch.setenv(f"COLLOQUY_{name}", value)

    with pytest.raises(SettingsError, match=r"COLLOQUY_RATE_BURST_POINTS=500 .* COLLOQUY_MAX_COST=501"):
        load_settings()
    assert load_settings(rate_burst_points=501).rate_capacity == 501


async def test_who_asks_for_too_much_is_told_when_to_come_again_and_others_are_answered() -> None:
    rates: dict[str, Any] = {"rate_points_per_minute": 60, "rate_burst_points": 10, "max_cost": 10}
    async with wire(**rates) as served, served.http() as alice, served.http("bob") as bob:
        told = await alice.post("/graphql", json={"query": "{ me }", "extensions": {"cost": True}})
        assert told.json()["extensions"] == {"cost": {"requested": 1, "limit": 10, "remaining": 9}}
        for _ in range(8):
            # What cannot be read costs as much.
            assert (await alice.post("/graphql", json={"query": "{ me"})).status_code == 400
        refused = await alice.post("/graphql", json={"query": "{ a: __typename b: me } #" + "x" * 100})
        while refused.status_code == 200:
            refused = await alice.post("/graphql", json={"query": "{ me }"})

        found = refused.json()["errors"][0]["extensions"]
        assert (refused.status_code, found["code"], found["retryable"]) == (429, "LIMIT_EXCEEDED", True)
        assert refused.headers["retry-after"] == "1"
        assert 0 < found["details"]["retryAfterSeconds"] <= 1
        assert (await bob.post("/graphql", json={"query": "{ me }"})).status_code == 200
        async with served.socket() as socket:
            await socket.subscribe("a", "{ number(value: 1) { value } }")
            (heard,) = await socket.hear_all("a")
            assert heard["payload"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"


async def test_an_address_whose_attempts_fail_is_not_listened_to_for_a_while() -> None:
    async with wire(authenticator=NoDoor(), failed_logins_per_minute=3) as served, served.http() as client:
        word, query = {"X-Word": "sesame"}, {"query": "{ me }"}
        assert (await client.post("/graphql", json=query, headers=word)).status_code == 200
        statuses = [(await client.post("/graphql", json=query)).status_code for _ in range(4)]
        refused = await client.post("/graphql", json=query, headers=word)

        assert statuses == [401, 401, 401, 429]
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["retry-after"]) <= 20
        async with served.socket(init=False) as socket:
            await socket.say(type="connection_init")
            assert (await socket.closed())[0] == 1013
