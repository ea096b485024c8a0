"""Keys are made, listed and revoked: never with more than their maker has, and their text is told once."""

import json
import logging
from base64 import urlsafe_b64decode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.core.actor import Role
from app.core.errors import AppError, ValidationError
from app.db.database import Database
from app.identity.errors import BeyondYourRights, KeyNotFound, NotWithThisKey, Unauthenticated
from app.identity.keyring import Keyring
from app.identity.values import ApiKeyScope, KeyDigests, KeyText, NewKey
from tests.client import GraphQLClient
from tests.conftest import an_actor
from tests.failing import everything_stored
from tests.identity.keys import PIPELINE, a_key, by_key
from tests.identity.test_keyring import CORRELATION
from tests.worlds import ClientAs, rows

MADE = "secret apiKey { id name userId scope roles createdBy createdAt lastUsedAt expiresAt revokedAt revokedBy }"
READ, WRITE, ADMIN = ApiKeyScope


async def test_text_of_a_key_is_told_once_and_is_nowhere_else(
    client: GraphQLClient, database: Database, dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    input_ = {"name": "mine", "scope": "WRITE", "expiresAt": "2126-01-01T00:00:00Z", "clientKey": "once"}
    caplog.set_level(logging.DEBUG)

    with capture_logs() as lines:
        made = await client.mutate("createApiKey", MADE, input_)
        again = await client.mutate("createApiKey", MADE, input_)
        actor = await Keyring(database, KeyDigests()).admit(made["secret"], CORRELATION)
        with pytest.raises(Unauthenticated):
            await Keyring(database, KeyDigests()).admit(made["secret"][:-1], CORRELATION)
        await client.mutate("revokeApiKey", "success", {"apiKeyId": made["apiKey"]["id"]})

    text = KeyText.parse(made["secret"])
    assert text is not None
    assert made["apiKey"] == again["apiKey"]
    assert made["apiKey"] | {"id": "", "createdAt": ""} == {
        "id": "", "name": "mine", "userId": "alice", "scope": "WRITE", "roles": ["EDITOR", "MEMBER", "REVIEWER"],
        "createdBy": "alice", "createdAt": "", "lastUsedAt": None, "expiresAt": "2126-01-01T00:00:00+00:00",
        "revokedAt": None, "revokedBy": None,
    }  # fmt: skip
    assert (made["warnings"], again["secret"], again["deduplicated"]) == ([], None, True)
    assert [warning["code"] for warning in again["warnings"]] == ["SECRET_NOT_REPEATED"]
    assert (actor.user_id, actor.key_id) == ("alice", text.ref.id)
    # Neither as it is, nor its random part, as text or as bytes; though the row is there, and the log has its lines.
    kept = json.dumps(await everything_in(dsn)) + json.dumps(lines, default=str) + caplog.text
    assert str(text.ref.id) in kept
    assert [line["event"] for line in lines if line["event"].startswith("api_key")] == [
        "api_key_made", "api_key_revoked",
    ]  # fmt: skip
    for part in secret_parts(made["secret"]):
        assert part not in kept


async def everything_in(dsn: str) -> dict[str, list[str]]:
    """Every row of every table as text; bytes as they are written in hexadecimal."""
    return {
        table: [row["line"] for row in await rows(dsn, f"SELECT t::text AS line FROM {table} t")]
        for table in await everything_stored(dsn)
    }


def secret_parts(text: str) -> list[str]:
    """A key's text, the middle of it, and its random bytes in hexadecimal."""
    return [text, text[32:70], urlsafe_b64decode(text.removeprefix("colloquy_") + "==")[16:48].hex()]


ALICE, SYSTEM = an_actor("alice"), an_actor("system")
SOON = datetime.now(UTC) + timedelta(hours=1)


def wanted(scope: ApiKeyScope, user: str = "alice", *roles: Role, **more: Any) -> NewKey:
    """A key that is asked for."""
    return NewKey("wanted", scope, user, frozenset(roles) if roles else None, **more)  # type: ignore[arg-type]


async def test_key_has_no_more_than_its_maker(database: Database, dsn: str) -> None:
    reviewer = replace(ALICE, roles=frozenset({Role.MEMBER, Role.REVIEWER}))
    given = [
        (reviewer, wanted(WRITE), "{member,reviewer}"),
        (reviewer, wanted(WRITE, "alice", Role.MEMBER), "{member}"),
        (SYSTEM, wanted(READ, "bob"), "{editor,member,reviewer}"),
        (SYSTEM, wanted(ADMIN, "bob"), "{admin,editor,member,reviewer}"),
        (SYSTEM, wanted(ADMIN, "system", Role.MEMBER), "{admin,member}"),
    ]
    refused: list[tuple[Any, NewKey, type[AppError], str]] = [
        (reviewer, wanted(WRITE, "alice", Role.EDITOR), BeyondYourRights, "roles"),
        (reviewer, wanted(WRITE, "alice", Role.ADMIN), BeyondYourRights, "roles"),
        (reviewer, wanted(ADMIN), BeyondYourRights, "scope"),
        (reviewer, wanted(READ, "bob"), BeyondYourRights, "userId"),
        (SYSTEM, wanted(WRITE, "bob", Role.ADMIN), ValidationError, "roles"),
        (SYSTEM, wanted(WRITE, "b" * 129), ValidationError, "userId"),
        (SYSTEM, wanted(WRITE, "bob", expires_at=SOON.replace(year=2001)), ValidationError, "expiresAt"),
        (SYSTEM, replace(wanted(WRITE), name="n" * 201), ValidationError, "name"),
    ]

    for actor, new, roles in given:
        made = await PIPELINE.create(database, actor, new, None)
        [row] = await rows(dsn, "SELECT roles::text, created_by FROM api_keys WHERE id = $1", made.key_id)
        assert (row["roles"], row["created_by"]) == (roles, actor.user_id)
    for actor, new, error, field in refused:
        with pytest.raises(error) as refusal:
            await PIPELINE.create(database, actor, new, None)
        assert refusal.value.field == field

    assert await rows(dsn, "SELECT count(*) FROM api_keys") == [{"count": len(given)}]


async def test_keys_make_and_revoke_others_with_the_scope_of_an_admin_alone(database: Database, dsn: str) -> None:
    (writing, _), (other, _), (acting, _) = [await a_key(database, scope=scope) for scope in (WRITE, WRITE, ADMIN)]
    writer, admin = by_key(ALICE, writing, *ALICE.roles), by_key(ALICE, acting, *Role)

    for work in (
        lambda: PIPELINE.create(database, writer, wanted(READ), None),
        lambda: PIPELINE.revoke(database, writer, other, None),
    ):
        with pytest.raises(NotWithThisKey):
            await work()
    assert await rows(dsn, "SELECT count(*) FROM api_keys WHERE revoked_at IS NULL") == [{"count": 3}]
    await PIPELINE.create(database, admin, wanted(WRITE, "bob"), None)
    await PIPELINE.revoke(database, admin, other, None)
    await PIPELINE.revoke(database, writer, writing, None)

    # Revoked by another process, it makes none, though this one has not heard of it.
    await rows(dsn, "UPDATE api_keys SET revoked_at = now(), revoked_by = 'system' WHERE id = $1", acting)
    with pytest.raises(Unauthenticated):
        await PIPELINE.create(database, admin, wanted(WRITE, "bob"), None)
    assert await rows(dsn, "SELECT count(*) FROM api_keys WHERE revoked_at IS NULL") == [{"count": 1}]


async def test_one_revokes_ones_own_and_an_admin_those_of_the_tenant(database: Database, dsn: str) -> None:
    (own, _), (bobs, _), (strange, _) = [
        await a_key(database, *user, tenant=tenant)
        for user, tenant in ((("alice",), "default"), (("bob",), "default"), (("alice",), "acme"))
    ]
    for actor, key_id in ((ALICE, bobs), (ALICE, strange), (SYSTEM, strange)):
        with pytest.raises(KeyNotFound):
            await PIPELINE.revoke(database, actor, key_id, None)

    await PIPELINE.revoke(database, ALICE, own, None)
    await PIPELINE.revoke(database, SYSTEM, bobs, None)
    before = await rows(dsn, "SELECT id, revoked_by, revoked_at FROM api_keys ORDER BY revoked_by")
    await PIPELINE.revoke(database, SYSTEM, own, None)

    assert [(row["id"], row["revoked_by"]) for row in before] == [(own, "alice"), (bobs, "system"), (strange, None)]
    assert await rows(dsn, "SELECT id, revoked_by, revoked_at FROM api_keys ORDER BY revoked_by") == before


async def test_one_lists_ones_own_keys_and_an_admin_those_of_the_tenant(
    client_as: ClientAs, database: Database
) -> None:
    for number, (user, tenant) in enumerate([("alice", "default"), ("bob", "default"), ("alice", "acme")] * 2):
        await a_key(database, user, tenant=tenant, scope=list(ApiKeyScope)[number % 3])
    listing = "{ apiKeys(first: 3%s) { totalCount nodes { userId scope } pageInfo { hasNextPage endCursor } } }"

    own, strangers, admins = [
        (await (await client_as(user)).data(listing % ""))["apiKeys"] for user in ("alice", "alice@acme", "system")
    ]
    more = await (await client_as("system")).data(listing % f', after: "{admins["pageInfo"]["endCursor"]}"')

    assert (own["totalCount"], {key["userId"] for key in own["nodes"]}) == (2, {"alice"})
    assert [key["scope"] for key in strangers["nodes"]] == ["ADMIN", "ADMIN"]
    assert (admins["totalCount"], [key["userId"] for key in admins["nodes"]]) == (4, ["alice", "bob", "alice"])
    assert ([key["userId"] for key in more["apiKeys"]["nodes"]], more["apiKeys"]["pageInfo"]["hasNextPage"]) == (
        ["bob"], False,
    )  # fmt: skip
