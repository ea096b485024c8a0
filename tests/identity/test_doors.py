"""Whom a token names, what lets others in, and settings that cannot be meant."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from typer.testing import CliRunner

from app.cli import cli
from app.core.actor import Actor, CorrelationId, Role, TenantId, UserId
from app.core.settings import Settings, SettingsError, environment_name, load_settings
from app.identity.errors import Unauthenticated
from app.identity.service import GuardedDoor, door
from app.identity.tokens import Claims, Tokens, own_keys
from tests.graph.wire import wire
from tests.identity.credentials import SECRET, bearer, ec_key, jwk, pem, rsa_key, token

ONE = CorrelationId("one")
MEMBER, EDITOR, REVIEWER, ADMIN = Role.MEMBER, Role.EDITOR, Role.REVIEWER, Role.ADMIN
PERSON = {MEMBER, EDITOR, REVIEWER}


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(environment_name(name), raising=False)


async def actor_of(claims: Mapping[str, Any], **settings: Any) -> Actor:
    """Whom a token with these claims lets in."""
    async with door(load_settings(auth="on", jwt_secret=SECRET, **settings)) as opened:
        # Names of headers are in lower case there.
        return await opened.actor({"authorization": bearer(token(**claims))["Authorization"]}, ONE)


@pytest.mark.parametrize(
    ("claims", "settings", "expected"),
    [
        ({"sub": "alice"}, {}, ("alice", "alice", PERSON)),
        ({"sub": "auth0|5f7c8ec7"}, {}, ("auth0|5f7c8ec7", "auth0|5f7c8ec7", PERSON)),
        ({"sub": "a@b.example"}, {"jwt_tenant_claim": "org"}, None),
        ({"org": "acme"}, {"jwt_tenant_claim": "org"}, ("alice", "acme", {MEMBER})),
        ({"org": "acme", "roles": []}, {"jwt_tenant_claim": "org"}, ("alice", "acme", {MEMBER})),
        ({"org": "acme", "roles": ["editor", "boss", "ADMIN"]}, {"jwt_tenant_claim": "org"},
         ("alice", "acme", {MEMBER, EDITOR})),
        ({"org": "acme", "roles": "reviewer admin"}, {"jwt_tenant_claim": "org"},
         ("alice", "acme", {MEMBER, REVIEWER, ADMIN})),
        ({"https://acme.example/org": "@acme", "groups": ["admin"], "roles": ["editor"]},
         {"jwt_tenant_claim": "https://acme.example/org", "jwt_roles_claim": "groups"},
         ("alice", "@acme", {MEMBER, ADMIN})),
        ({"sub": "系統", "roles": ["member"]}, {}, ("系統", "系統", {MEMBER})),
        ({"sub": "a" * 128}, {}, ("a" * 128, "a" * 128, PERSON)),
    ],
)  # fmt: skip
async def test_a_token_names_user_tenant_and_roles(
    claims: dict[str, Any], settings: dict[str, Any], expected: tuple[str, str, set[Role]] | None
) -> None:
    if expected is None:
        with pytest.raises(Unauthenticated, match="tenant"):
            await actor_of(claims, **settings)
        return

    actor = await actor_of(claims, **settings)

    assert (str(actor.user_id), str(actor.tenant_id), set(actor.roles)) == expected
    assert (actor.correlation_id, actor.may_write, actor.key_id) == (ONE, True, None)


async def test_a_token_counts_until_its_end_and_the_leeway() -> None:
    end = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=30)

    actor = await actor_of({"exp": end.timestamp()}, jwt_leeway_seconds=60)

    assert actor.expires_at == end + timedelta(seconds=60)
    with pytest.raises(Unauthenticated, match="the token has expired"):
        await actor_of({"exp": end.timestamp()}, jwt_leeway_seconds=20)


class OneKey:
    """Knows one key, which is revoked when the event is set."""

    def __init__(self) -> None:
        self.revoked = asyncio.Event()

    async def admit(self, key: str, correlation: CorrelationId) -> Actor:
        if key != "colloquy_good":
            raise Unauthenticated("no such key")
        return Actor(TenantId("acme"), UserId("robot"), frozenset({MEMBER}), correlation, key_id=UUID(int=7))

    async def withdrawn(self, actor: Actor) -> None:
        assert actor.key_id == UUID(int=7)
        await self.revoked.wait()


async def test_an_api_key_lets_in_until_it_is_revoked() -> None:
    settings, keys = load_settings(auth="on", jwt_secret=SECRET), OneKey()
    opened = GuardedDoor(Tokens(Claims.of(settings), own_keys(settings)), keys)
    async with wire(authenticator=opened) as served, served.http() as http:
        async with served.socket(init=bearer("colloquy_good")) as socket, served.socket(init=bearer(token())) as other:
            await socket.subscribe("a", "{ me }")
            assert (await socket.hear())["payload"] == {"data": {"me": "robot@acme"}}

            keys.revoked.set()

            assert (await socket.closed())[0] == 4403
            await other.subscribe("a", "{ me }")
            assert (await other.hear())["payload"] == {"data": {"me": "alice@alice"}}
        bad = await http.post("/graphql", json={"query": "{ me }"}, headers=bearer("colloquy_bad"))
    assert (bad.status_code, bad.json()["errors"][0]["message"]) == (401, "no such key")


async def test_who_may_open_a_socket_from_a_page() -> None:
    pages = ["https://chat.example.com", "https://a.b.example.org:8443", "http://localhost", "https://evil.example"]
    own, all_ = [True, True, True, False], [True] * 4
    servers: list[tuple[dict[str, Any], list[bool]]] = [
        ({"auth": "on", "allowed_hosts": "chat.example.com, *.example.org,127.0.0.1,localhost"}, own),
        ({"auth": "on"}, all_),
        ({}, [False, False, True, False]),
    ]
    for settings, expected in servers:
        async with wire(**settings) as served, served.http() as http:
            found = []
            for page in pages:
                answer = await http.get(
                    "/graphql",
                    headers={
                        "Origin": page, "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
                        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
                    },
                )  # fmt: skip
                found.append(answer.status_code != 403)
            assert found == expected, settings


def private_pem() -> str:
    """A key that nobody should have shown."""
    return rsa_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def ed25519_pem() -> str:
    """A key of a kind that is not taken."""
    public = ed25519.Ed25519PrivateKey.generate().public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def refusals() -> list[tuple[dict[str, str], str]]:
    """Settings that cannot be meant, and which of them is named."""
    return [
        ({"AUTH": "yes"}, "AUTH"),
        ({"HOST": "0.0.0.0"}, "HOST"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": "*.example.com"}, "ALLOWED_HOSTS"),
        *(({"ALLOWED_HOSTS": name}, "ALLOWED_HOSTS") for name in ("a b", "http://a", "a:80", "a.*", "*a", "a/b")),
        *(
            ({"JWT_SECRET": secret}, "JWT_SECRET")
            for secret in (" ", "s3cret" * 5, pem(rsa_key()), json.dumps(jwk(ec_key())))
        ),
        *(
            ({"JWT_PUBLIC_KEY": key}, "JWT_PUBLIC_KEY")
            for key in (
                "/no/such/file", "/", "key", "-----BEGIN PUBLIC KEY-----", private_pem(), pem(rsa_key(1024)),
                ed25519_pem(), pem(ec.generate_private_key(ec.SECP384R1())), "a\ud800",
            )
        ),
        *(
            ({"JWT_JWKS_URL": url}, "JWT_JWKS_URL")
            for url in (
                "http://keys.example/", "ftp://127.0.0.1/", "file:///etc/passwd", "https://", "https://u:p@keys.example/",
                "https://keys.example/#a", "https://keys.example:x/", "https://keys.example/ a", "http://127.evil.example/",
            )
        ),
        ({"JWT_JWKS_SECONDS": "0"}, "JWT_JWKS_SECONDS"),
        ({"JWT_LEEWAY_SECONDS": "301"}, "JWT_LEEWAY_SECONDS"),
        ({"JWT_LEEWAY_SECONDS": "-1"}, "JWT_LEEWAY_SECONDS"),
        ({"JWT_TENANT_CLAIM": "two words"}, "JWT_TENANT_CLAIM"),
        ({"JWT_ROLES_CLAIM": "x" * 201}, "JWT_ROLES_CLAIM"),
    ]  # fmt: skip


def test_settings_that_cannot_be_meant_are_named_and_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for chosen, named in refusals():
        flags = {name.lower(): value for name, value in chosen.items()}
        with pytest.raises(SettingsError) as refused:
            load_settings(**flags)
        told = str(refused.value)
        assert told.startswith(f"COLLOQUY_{named}"), flags
        assert "\n" not in told
        assert "s3cret" not in told
        assert "PRIVATE" not in told

    monkeypatch.setenv("COLLOQUY_JWT_SECRET", "s3cret")
    shown = CliRunner().invoke(cli, ["serve"])
    assert (shown.exit_code, shown.output) == (2, "colloquy: COLLOQUY_JWT_SECRET: must have at least 32 bytes\n")


def test_settings_that_are_meant_are_taken(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text(pem(ec_key()))
    open_to_all = load_settings(auth="on", host="0.0.0.0")

    assert open_to_all.host_names == ["*"]
    assert load_settings().host_names == ["127.0.0.1", "localhost", "[::1]"]
    assert load_settings(allowed_hosts="a.example, [::1]").host_names == ["a.example", "[::1]"]
    algorithms = [
        [key.algorithm for key in own_keys(load_settings(**{"auth": "on", **chosen}))]
        for chosen in (
            {}, {"jwt_public_key": str(file)}, {"jwt_public_key": pem(rsa_key()).replace("\n", "\\n")},
            {"jwt_secret": SECRET, "jwt_public_key": pem(rsa_key())},
        )
    ]  # fmt: skip
    assert algorithms == [[], ["ES256"], ["RS256"], ["HS256", "RS256"]]
    for url in ("https://keys.example/jwks?app=1", "http://127.0.0.1:1/", "http://[::1]:80/keys", "http://localhost/"):
        assert load_settings(jwt_jwks_url=url).jwt_jwks_url == url
    assert SECRET not in repr(load_settings(jwt_secret=SECRET))
