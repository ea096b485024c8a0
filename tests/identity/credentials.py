"""What callers show to come in: keys, tokens, and a provider that publishes its keys."""

import hashlib
import hmac
import json
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from app.core.actor import CorrelationId
from app.identity.service import GuardedDoor, local_actor, user_named
from app.identity.tokens import Claims, Tokens
from app.identity.values import VerifyingKey
from tests.client import Door

SECRET = "not a secret: it stands in a test, and is long enough"

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def rsa_key(bits: int = 2048, number: int = 0) -> rsa.RSAPrivateKey:
    """A key for RS256, the same each time; made when it is first asked for."""
    return rsa.generate_private_key(65537, bits)


@cache
def ec_key(number: int = 0) -> ec.EllipticCurvePrivateKey:
    """A key for ES256, the same each time."""
    return ec.generate_private_key(ec.SECP256R1())


def pem(key: PrivateKey) -> str:
    """The public half, as it is written into settings."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def algorithm_of(key: str | PrivateKey) -> str:
    """What a key signs by."""
    return "HS256" if isinstance(key, str) else "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"


def token(key: str | PrivateKey = SECRET, *, headers: Mapping[str, Any] | None = None, **claims: Any) -> str:
    """A token of alice for an hour, signed; a claim that is None is left out."""
    said = {"sub": "alice", "exp": int(time.time()) + 3600, **claims}
    kept = {name: value for name, value in said.items() if value is not None}
    # PyJWT checks some of what it is to sign: what is wrong must get through here.
    return jwt.PyJWS().encode(json.dumps(kept).encode(), key, algorithm_of(key), headers=dict(headers or {}))


def forged(header: Mapping[str, Any], secret: str | None = None, **claims: Any) -> str:
    """A token with a header that no library would write, and the signature of HS256 with any text as its secret."""
    said = {"sub": "alice", "exp": int(time.time()) + 3600, **claims}
    text = ".".join(_encoded(json.dumps(part).encode()) for part in (header, said))
    signature = b"" if secret is None else hmac.digest(secret.encode(), text.encode(), hashlib.sha256)
    return f"{text}.{_encoded(signature)}"


def _encoded(part: bytes) -> str:
    return urlsafe_b64encode(part).rstrip(b"=").decode()


def bearer(shown: str) -> dict[str, str]:
    """The header by which it is shown."""
    return {"Authorization": f"Bearer {shown}"}


def jwk(key: PrivateKey, key_id: str | None = None, **members: Any) -> dict[str, Any]:
    """The public half, as a provider publishes it."""
    found: dict[str, Any]
    if isinstance(key, rsa.RSAPrivateKey):
        found = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        found = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    found.pop("key_ops", None)
    return {**found, **({} if key_id is None else {"kid": key_id}), **members}


def token_of(user: str) -> str:
    """A token of `user` or `user@tenant`, with the roles they have where authentication is off."""
    found = user_named(user)
    assert found is not None
    name, tenant = found
    roles = sorted(local_actor(name, tenant, CorrelationId("unused")).roles)
    return token(sub=name, org=tenant, roles=roles)


TOKENS = Door(
    GuardedDoor(Tokens(Claims(None, None, "org", "roles", 0), [VerifyingKey("HS256", SECRET.encode())])),
    lambda user: bearer(token_of(user)),
)
"""Authentication is on."""


class KeyProvider:
    """A real server that publishes keys on loopback, and counts how often it was asked."""

    def __init__(self, *keys: Mapping[str, Any]) -> None:
        self.asked: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self._server: ThreadingHTTPServer | None = None
        self._port = 0
        self.publish(*keys)

    @property
    def url(self) -> str:
        """Where the keys are."""
        return f"http://127.0.0.1:{self._port}/keys"

    def publish(self, *keys: Mapping[str, Any]) -> None:
        """Answer with these keys from now on."""
        self.answer(json.dumps({"keys": keys}).encode())

    def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        """Answer with that, whatever it is."""
        self._answer = (status, headers, body)

    def go(self) -> None:
        """Be away: nobody listens any more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def come(self) -> None:
        """Be there, at the same address as before."""
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked.append(self.path)
                provider.gate.wait(20)
                status, headers, body = provider._answer
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def __enter__(self) -> Self:
        self.come()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.gate.set()
        self.go()
