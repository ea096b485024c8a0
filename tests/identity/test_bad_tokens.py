"""Who comes with a bad token is refused, over HTTP and over a socket, and learns nothing by it."""

import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import httpx2
import pytest

from app.core.settings import load_settings
from app.identity.service import door
from tests.graph.wire import Wire, wire
from tests.identity.credentials import SECRET, KeyProvider, bearer, ec_key, forged, jwk, pem, rsa_key, token

NOW = int(time.time())
INVALID = "the token is not valid"
NOBODY_NAMED = "nobody is named"
NAME = "must be a name of 1 to 128 characters without spaces"
ISSUED: dict[str, Any] = {"iss": "https://issuer", "aud": "colloquy", "org": "acme"}
"""What a good token says besides: the walk's server wants all of it."""

SAID: list[tuple[dict[str, Any], str]] = [
    ({"exp": NOW - 60}, "the token has expired"),
    ({"exp": -1}, "the token has expired"),
    ({"exp": None}, "the token has no exp"),
    ({"exp": str(NOW + 3600)}, "the token's exp is not a moment of the calendar"),
    ({"exp": True}, "the token has expired"),
    ({"exp": "soon"}, INVALID),
    ({"exp": [NOW + 3600]}, INVALID),
    ({"exp": float("nan")}, INVALID),
    ({"exp": float("inf")}, INVALID),
    ({"exp": 10**30}, "the token's exp is not a moment of the calendar"),
    ({"exp": 10**300}, "the token's exp is not a moment of the calendar"),
    ({"nbf": NOW + 3600}, "the token is not valid yet"),
    ({"nbf": {}}, INVALID),
    ({"iat": NOW + 3600}, "the token is not valid yet"),
    ({"iat": "today"}, INVALID),
    ({"aud": "somebody else"}, "the token is for somebody else"),
    ({"aud": ["some", "others"]}, "the token is for somebody else"),
    ({"aud": 5}, "the token is for somebody else"),
    ({"aud": None}, "the token has no aud"),
    ({"iss": "https://issuer/"}, "the token is from somebody else"),
    ({"iss": ["https://issuer"]}, "the token is from somebody else"),
    ({"iss": None}, "the token has no iss"),
    ({"sub": None}, "the token has no sub"),
    ({"sub": 5}, INVALID),
    ({"sub": ["alice"]}, INVALID),
    ({"sub": ""}, f"the token's subject {NAME}"),
    ({"sub": "erased user"}, f"the token's subject {NAME}"),
    ({"sub": "a\x00b"}, f"the token's subject {NAME}"),
    ({"sub": "a\ud800b"}, f"the token's subject {NAME}"),
    ({"sub": "a\u2028b"}, f"the token's subject {NAME}"),
    ({"sub": "a" * 129}, f"the token's subject {NAME}"),
    ({"org": None}, f"the token's tenant {NAME}"),
    ({"org": 5}, f"the token's tenant {NAME}"),
    ({"org": "two words"}, f"the token's tenant {NAME}"),
    ({"roles": 5}, "the token's roles must be a list of names, or one text"),
    ({"roles": [["admin"]]}, "the token's roles must be a list of names, or one text"),
    ({"roles": {"admin": True}}, "the token's roles must be a list of names, or one text"),
]  # fmt: skip
"""What a token says whose signature is right, and what is told of it."""


def shown() -> Iterator[tuple[str, str]]:
    """What stands in the header Authorization, and what is told of it."""
    for claims, reason in SAID:
        yield f"Bearer {token(**{**ISSUED, **claims})}", reason
    good = token(**ISSUED)
    head, body, signature = good.split(".")
    tampered = forged({"alg": "HS256"}, **ISSUED, roles=["admin"]).split(".")[1]
    for text in (
        forged({"alg": "none"}, **ISSUED), forged({"alg": "None", "typ": "JWT"}, **ISSUED), forged({}, **ISSUED),
        forged({"alg": "HS256"}, **ISSUED), forged({"alg": "HS512"}, SECRET, **ISSUED),
        forged({"alg": ["HS256"]}, SECRET, **ISSUED), forged({"alg": "HS256", "kid": 5}, SECRET, **ISSUED),
        forged({"alg": "HS256", "crit": ["exp"]}, SECRET, **ISSUED), forged({"alg": "HS256"}, SECRET + ".", **ISSUED),
        forged({"alg": "HS256"}, "", **ISSUED), f"{head}.{tampered}.{signature}", f"{head}.{body}",
        f"{good}.{signature}", f"{head}..{signature}", "..", "garbage", "a.b.c", "=" * 100, "ö.ö.ö", '{"alg":"none"}',
        token(**ISSUED, more="x" * 20_000), token(rsa_key(), **ISSUED), token(ec_key(), **ISSUED),
        token(rsa_key(), headers={"jwk": jwk(rsa_key()), "jku": "http://127.0.0.1:9/"}, **ISSUED), SECRET,
    ):  # fmt: skip
        yield f"Bearer {text}", INVALID
    yield "Bearer colloquy_made_up", "the key is not valid"
    for text in ("", "Bearer", f"Basic {good}", good, f"Bearer\t{good}"):
        yield text, NOBODY_NAMED


@dataclass(frozen=True, slots=True)
class Guarded:
    """A server behind which nobody comes without a token, and both ways to it."""

    served: Wire
    http: httpx2.AsyncClient
    """One for all that is asked: making one reads all certificates."""

    async def posted(self, **headers: str) -> httpx2.Response:
        """Who one is, over HTTP."""
        sent = {name: value.encode() for name, value in headers.items()}
        return await self.http.post("/graphql", json={"query": "{ me }"}, headers=cast(Any, sent))

    async def refuses(self, authorization: str, reason: str = INVALID) -> None:
        """Nobody comes in with this, by either way; what is told is the reason and nothing else."""
        answer = await self.posted(authorization=authorization)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), authorization
        [error] = answer.json()["errors"]
        assert (error["message"], error["extensions"]["code"]) == (reason, "UNAUTHENTICATED"), authorization
        assert error["extensions"]["retryable"] is False
        async with self.served.socket(init=False) as socket:
            await socket.say(type="connection_init", payload={"Authorization": authorization})
            assert await socket.closed() == (4403, f"Forbidden: {reason}"), authorization

    async def lets_in(self, shown: str, who: str) -> None:
        """Who shows this is let in by each way, and the development header has no say."""
        answer = await self.posted(authorization=f"Bearer {shown}")
        assert answer.json() == {"data": {"me": who}}
        ways: list[dict[str, Any]] = [
            {"init": bearer(shown)},
            {"init": {"authorization": f"bearer {shown}", "X-Colloquy-User": "mallory"}},
            {"additional_headers": bearer(shown)},
        ]
        for way in ways:
            async with self.served.socket(user="mallory", **way) as socket:
                await socket.subscribe("a", "{ me }")
                assert (await socket.hear())["payload"] == {"data": {"me": who}}


@asynccontextmanager
async def guarded(**settings: Any) -> AsyncIterator[Guarded]:
    """Such a server."""
    # More attempts fail here than are heard from one address.
    chosen = {"auth": "on", "jwt_leeway_seconds": 0, "failed_logins_per_minute": 0, **settings}
    async with (
        door(load_settings(**chosen)) as authenticator,
        wire(authenticator=authenticator, **chosen) as served,
        served.http(user="mallory") as http,
    ):
        yield Guarded(served, http)


async def test_a_bad_token_is_refused_by_either_way() -> None:
    wanted = {
        "jwt_secret": SECRET,
        "jwt_issuer": "https://issuer",
        "jwt_audience": "colloquy",
        "jwt_tenant_claim": "org",
    }
    async with guarded(**wanted) as server:
        await server.lets_in(token(**{**ISSUED, "aud": ["other", "colloquy"]}), "alice@acme")

        for authorization, reason in shown():
            await server.refuses(authorization, reason)

        good = token(**ISSUED)
        assert (await server.posted(cookie=f"Authorization=Bearer {good}; token={good}")).status_code == 401


@pytest.mark.parametrize("published", [False, True], ids=["set", "published"])
async def test_the_key_decides_by_which_algorithm_a_signature_is_checked(published: bool) -> None:
    for own, other in ((rsa_key(), ec_key()), (ec_key(), rsa_key())):
        with KeyProvider(jwk(own, "current"), jwk(other, "encrypts", use="enc")) as provider:
            source = {"jwt_jwks_url": provider.url} if published else {"jwt_public_key": pem(own)}
            async with guarded(**source) as server:
                await server.lets_in(token(own, headers={"kid": "current"}, sub="auth0|a@b"), "auth0|a@b@auth0|a@b")

                for algorithm in ("RS256", "ES256", "HS256", "none"):
                    await server.refuses(f"Bearer {forged({'alg': algorithm, 'kid': 'current'}, pem(own))}")
                await server.refuses(f"Bearer {forged({'alg': 'HS256', 'kid': 'current'}, json.dumps(jwk(own)))}")
                for key, key_id in ((other, "current"), (other, "encrypts"), (rsa_key(number=1), "current")):
                    await server.refuses(f"Bearer {token(key, headers={'kid': key_id})}")
                if published:
                    for key_id in ("unknown", "", "x" * 1000):
                        await server.refuses(f"Bearer {token(own, headers={'kid': key_id})}")


async def test_without_any_key_no_token_is_taken() -> None:
    async with guarded() as server:
        for text in (token(), forged({"alg": "none"}), forged({"alg": "HS256"}, "")):
            await server.refuses(f"Bearer {text}")


async def test_keys_of_several_kinds_are_taken_beside_each_other() -> None:
    with KeyProvider(jwk(rsa_key(number=1), "theirs")) as provider:
        keys = {"jwt_secret": SECRET, "jwt_public_key": pem(rsa_key()), "jwt_jwks_url": provider.url}
        async with guarded(**keys) as server:
            await server.lets_in(token(), "alice@alice")
            await server.lets_in(token(rsa_key()), "alice@alice")
            await server.lets_in(token(rsa_key(number=1), headers={"kid": "theirs"}), "alice@alice")
            await server.refuses(f"Bearer {token(rsa_key(number=2), headers={'kid': 'theirs'})}")
