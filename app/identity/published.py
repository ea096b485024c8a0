"""The public keys that a provider of tokens publishes (JWKS): fetched when they are needed, and kept."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, Self
from urllib.parse import urlsplit

import httpx2
import orjson
import structlog
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from app.core.settings.kinds import is_loopback
from app.core.verifying import is_accepted
from app.identity.errors import KeysAway
from app.identity.tokens import algorithm_of
from app.identity.values import Algorithm, VerifyingKey

log = structlog.get_logger("colloquy.identity")

FETCH_SECONDS = 5.0
"""How long a provider may take; who comes with a token waits for it."""

PAUSE_SECONDS = 10.0
"""From one fetch to the next at the least: anybody can make up ids of keys, and a provider must not be flooded."""

LARGEST_SET_BYTES = 256 * 1024
MOST_KEYS = 100
"""Providers publish two to ten keys, of half a kilobyte, or with their certificates of five."""

LONGEST_KEY_ID = 256


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """A key of a set, by the id that tokens name it by."""

    id: str | None
    verifying: VerifyingKey


class InvalidKeySet(Exception):
    """What was answered is no set of keys; the reason is for the log."""


class FetchedKeys:
    """The keys of one address; all who wait for them wait for one fetch.

    Where the address is away, the keys that are known go on being used, however old they are.
    """

    def __init__(
        self,
        url: str,
        lifetime_seconds: float,
        clock: Callable[[], float] = monotonic,
        fetch_seconds: float = FETCH_SECONDS,
    ) -> None:
        self._url = url
        self._lifetime_seconds = lifetime_seconds
        self._clock = clock
        self._fetch_seconds = fetch_seconds
        self._http: httpx2.AsyncClient | None = None
        self._keys: list[PublishedKey] = []
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._is_away = False
        self._fetching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait([self._fetching])
        if self._http is not None:
            await self._http.aclose()

    async def named(self, key_id: str | None, algorithm: str) -> VerifyingKey | None:
        """The key of that id for that algorithm, or without an id the only one; None where there is none. KeysAway."""
        if key_id is not None and len(key_id) > LONGEST_KEY_ID:
            return None
        if self._fetched_at is None or self._clock() - self._fetched_at > self._lifetime_seconds:
            await self._fetch()
        found = self._find(key_id, algorithm)
        if found is None:
            # It may be a new one.
            await self._fetch()
            found = self._find(key_id, algorithm)
        if found is None and self._is_away:
            raise KeysAway
        return found

    def _find(self, key_id: str | None, algorithm: str) -> VerifyingKey | None:
        of_algorithm = [key for key in self._keys if key.verifying.algorithm == algorithm]
        if key_id is None:
            return of_algorithm[0].verifying if len(of_algorithm) == 1 else None
        return next((key.verifying for key in of_algorithm if key.id == key_id), None)

    async def _fetch(self) -> None:
        """Have the newest keys, unless they were asked for a moment ago."""
        if self._fetching is None:
            if self._tried_at is not None and self._clock() - self._tried_at < PAUSE_SECONDS:
                return
            self._tried_at = self._clock()
            self._fetching = asyncio.create_task(self._refresh())
        # Whoever leaves meanwhile does not end it for the others.
        await asyncio.shield(self._fetching)

    async def _refresh(self) -> None:
        try:
            async with asyncio.timeout(self._fetch_seconds):
                keys = keys_of(await self._answer())
        except (httpx2.HTTPError, TimeoutError, InvalidKeySet, OSError) as error:
            self._is_away = True
            log.warning("keys_not_fetched", url=self._url, reason=f"{type(error).__name__}: {error}")
        else:
            self._keys, self._fetched_at, self._is_away = keys, self._clock(), False
        finally:
            self._fetching = None

    async def _answer(self) -> bytes:
        if self._http is None:
            url = urlsplit(self._url)
            is_near = is_loopback(url.hostname or "")
            # On loopback no proxy is asked; over http nothing is checked, and reading all certificates takes time.
            self._http = httpx2.AsyncClient(
                timeout=self._fetch_seconds, follow_redirects=False, trust_env=not is_near, verify=url.scheme == "https"
            )
        # Not compressed: a small answer could become a large one.
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        async with self._http.stream("GET", self._url, headers=headers) as response:
            if response.status_code != 200:
                raise InvalidKeySet(f"status {response.status_code}")
            body = bytearray()
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > LARGEST_SET_BYTES:
                    raise InvalidKeySet(f"more than {LARGEST_SET_BYTES:,} bytes")
        return bytes(body)


def keys_of(body: bytes) -> list[PublishedKey]:
    """The keys of a set that check signatures by RS256 or ES256, without all others; InvalidKeySet."""
    try:
        found = orjson.loads(body)
    except ValueError:
        raise InvalidKeySet("no JSON") from None
    listed = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(listed, list):
        raise InvalidKeySet("no list of keys")
    return [key for each in listed[:MOST_KEYS] if isinstance(each, dict) and (key := _key_of(each)) is not None]


def _key_of(member: Mapping[str, Any]) -> PublishedKey | None:
    """One key; None where it is for something else, or broken."""
    kind, key_id = member.get("kty"), member.get("kid")
    # "d": a private key that somebody has published is nobody's secret any more.
    if member.get("use", "sig") != "sig" or "d" in member or not (key_id is None or isinstance(key_id, str)):
        return None
    if kind not in ("RSA", "EC"):
        return None
    try:
        if "verify" not in member.get("key_ops", ["verify"]):
            return None
        key: Any = (RSAAlgorithm if kind == "RSA" else ECAlgorithm).from_jwk(dict(member))
    except Exception:
        # Whatever the libraries make of a broken one, the others are used.
        return None
    if not is_accepted(key):
        return None
    algorithm: Algorithm = algorithm_of(key)
    return PublishedKey(key_id, VerifyingKey(algorithm, key)) if member.get("alg", algorithm) == algorithm else None
