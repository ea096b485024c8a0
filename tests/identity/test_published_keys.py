"""Keys that a provider publishes: fetched when they are needed, and not more often, whatever the provider does."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import RSAAlgorithm

from app.core.settings import load_settings
from app.identity.errors import KeysAway
from app.identity.published import LARGEST_SET_BYTES, PAUSE_SECONDS, FetchedKeys, keys_of
from app.identity.service import door
from tests.graph.wire import until, wire
from tests.identity.credentials import KeyProvider, bearer, ec_key, jwk, rsa_key, token

LIFETIME = 300.0


@dataclass
class Clock:
    """Stands still until it is set on."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Scene:
    """A provider, and what knows its keys."""

    provider: KeyProvider
    keys: FetchedKeys
    clock: Clock

    async def knows(self, key_id: str | None, algorithm: str = "RS256") -> bool:
        """Whether there is such a key; KeysAway."""
        return await self.keys.named(key_id, algorithm) is not None

    @property
    def asked(self) -> int:
        """How often the provider was."""
        return len(self.provider.asked)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    """A provider with the RSA key `a`, which nobody has asked yet."""
    clock = Clock()
    with KeyProvider(jwk(rsa_key(), "a")) as provider:
        async with FetchedKeys(provider.url, LIFETIME, clock) as keys:
            yield Scene(provider, keys, clock)


async def test_keys_are_fetched_once_for_all_who_come_and_again_when_they_are_old(scene: Scene) -> None:
    assert scene.asked == 0

    assert all(await asyncio.gather(*(scene.knows("a") for _ in range(50))))
    assert scene.asked == 1

    scene.clock.now += LIFETIME
    assert await scene.knows("a")
    assert scene.asked == 1
    scene.clock.now += 1
    assert await scene.knows("a")
    assert scene.asked == 2


async def test_a_new_key_is_found_at_once_and_one_that_is_gone_is_forgotten(scene: Scene) -> None:
    assert await scene.knows("a")
    scene.provider.publish(jwk(rsa_key(number=1), "b"), jwk(ec_key(), "c"))
    scene.clock.now += PAUSE_SECONDS

    assert await scene.knows("b")

    assert scene.asked == 2
    assert not await scene.knows("a")
    assert await scene.knows("c", "ES256")
    assert not await scene.knows("c", "RS256")
    assert await scene.knows(None, "RS256"), "it is the only one"


async def test_a_flood_of_ids_that_nobody_has_is_one_request(scene: Scene) -> None:
    assert await scene.knows("a")
    for flood in range(1, 4):
        scene.clock.now += PAUSE_SECONDS
        found = await asyncio.gather(*(scene.knows(f"made up {number}") for number in range(100)))
        found += [await scene.knows(f"later {number}") for number in range(100)]

        assert not any(found)
        assert scene.asked == 1 + flood


async def test_who_leaves_does_not_end_the_fetch_for_the_others(scene: Scene) -> None:
    scene.provider.gate.clear()
    waiting = [asyncio.create_task(scene.knows("a")) for _ in range(3)]
    await until(lambda: scene.asked == 1)

    waiting[0].cancel()
    scene.provider.gate.set()

    assert await asyncio.gather(*waiting[1:]) == [True, True]
    assert scene.asked == 1


async def test_keys_that_are_known_are_used_while_the_address_is_away(scene: Scene) -> None:
    assert await scene.knows("a")
    scene.provider.go()
    scene.clock.now += 100 * LIFETIME

    assert await scene.knows("a")
    with pytest.raises(KeysAway):
        await scene.knows("new")

    scene.provider.publish(jwk(rsa_key(), "new"))
    scene.provider.come()
    with pytest.raises(KeysAway):
        await scene.knows("new")
    scene.clock.now += PAUSE_SECONDS
    assert await scene.knows("new")
    assert not await scene.knows("a")


async def test_what_is_no_set_of_keys_counts_as_away(scene: Scene) -> None:
    good = json.dumps({"keys": [jwk(rsa_key(), "b")]}).encode()
    elsewhere = KeyProvider(jwk(rsa_key(), "b"))
    answers: list[tuple[bytes, int, dict[str, str]]] = [
        (b"", 200, {}), (b"<html>", 200, {}), (b"[]", 200, {}), (b'{"keys": {}}', 200, {}), (b"{}", 200, {}),
        (b"[" * 100_000, 200, {}), (good + b" " * LARGEST_SET_BYTES, 200, {}), (good, 500, {}), (good, 404, {}),
        (good, 204, {}), (good[:-5], 200, {}), (good, 200, {"Content-Length": str(len(good) + 5)}),
    ]  # fmt: skip
    assert await scene.knows("a")
    with elsewhere:
        for status in (301, 302, 307, 308):
            answers.append((b"", status, {"Location": elsewhere.url}))
        for number, (body, status, headers) in enumerate(answers, 2):
            scene.provider.answer(body, status, **headers)
            scene.clock.now += PAUSE_SECONDS

            with pytest.raises(KeysAway):
                await scene.knows("b")

            assert scene.asked == number, (body[:20], status)
            assert await scene.knows("a")
        assert elsewhere.asked == []


async def test_a_provider_that_does_not_answer_is_not_waited_for() -> None:
    with KeyProvider(jwk(rsa_key(), "a")) as provider:
        provider.gate.clear()
        async with FetchedKeys(provider.url, LIFETIME, fetch_seconds=0.1) as keys:
            with pytest.raises(KeysAway):
                await keys.named("a", "RS256")


def test_only_keys_that_check_signatures_are_taken() -> None:
    good = jwk(rsa_key(), "good")
    unfit: list[Any] = [
        jwk(rsa_key(), use="enc"), jwk(rsa_key(), alg="RS512"), jwk(rsa_key(), alg="PS256"), jwk(rsa_key(1024)),
        jwk(rsa_key(), key_ops=["sign"]), jwk(rsa_key(), key_ops=5), jwk(ec.generate_private_key(ec.SECP384R1())),
        {"kty": "oct", "k": "c2VjcmV0" * 8, "alg": "HS256"}, {"kty": "RSA"}, {"kty": "EC", "crv": "P-256"}, {"kty": 5},
        {**good, "n": 5}, {**good, "n": "!"}, {**good, "e": ""}, {**good, "kid": 5}, None, [], "RSA",
        {**jwk(ec_key()), "x": "AAAA"}, json.loads(RSAAlgorithm.to_jwk(rsa_key())),
    ]  # fmt: skip

    found = keys_of(json.dumps({"keys": [*unfit, good, jwk(ec_key(), use="sig", alg="ES256")]}).encode())

    assert [(key.id, key.verifying.algorithm) for key in found] == [("good", "RS256"), (None, "ES256")]


async def test_without_its_provider_nobody_is_told_to_come_with_another_token() -> None:
    provider = KeyProvider(jwk(rsa_key(), "a"))
    with provider:
        provider.go()
        settings: dict[str, Any] = {"auth": "on", "jwt_jwks_url": provider.url}
        shown = bearer(token(rsa_key(), headers={"kid": "a"}))
        async with (
            door(load_settings(**settings)) as authenticator,
            wire(authenticator=authenticator, **settings) as served,
            served.http() as http,
        ):
            answer = await http.post("/graphql", json={"query": "{ me }"}, headers=shown)
            async with served.socket(init=False) as socket:
                await socket.say(type="connection_init", payload=shown)
                closed = await socket.closed()

    assert (answer.status_code, "www-authenticate" in answer.headers) == (503, False)
    [error] = answer.json()["errors"]
    assert (error["extensions"]["code"], error["extensions"]["retryable"]) == ("UNAUTHENTICATED", True)
    assert closed == (1013, "tokens cannot be checked for now")
