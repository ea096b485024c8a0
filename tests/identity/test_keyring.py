"""Who comes in with a key: its owner, until it is revoked or has expired; and nobody with anything like it."""

import asyncio
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.core.actor import Actor, CorrelationId, Role, TenantId, UserId
from app.db.database import Database, PoolSettings
from app.erasure.pipeline import ErasurePipeline
from app.identity.errors import Unauthenticated
from app.identity.keyring import KEPT_SECONDS, USED_SECONDS, Keyring
from app.identity.values import LONGEST_KEY_TEXT, ApiKeyId, ApiKeyScope, KeyDigests, KeyRef, KeyText
from tests.conftest import an_actor
from tests.conversations import eventually, rows
from tests.fakes import StatementRecorder
from tests.identity.keys import DIGESTS, PIPELINE, a_key

CORRELATION = CorrelationId("of-the-request")
PATIENCE_SECONDS = 20.0


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        """Called in the place of a clock."""
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    """The keyring's."""
    return Clock()


@pytest.fixture
def keyring(database: Database, clock: Clock) -> Keyring:
    """One that looks after nothing in the background."""
    return Keyring(database, DIGESTS, clock)


@asynccontextmanager
async def running(keyring: Keyring) -> AsyncIterator[None]:
    """The background of a keyring, for as long as the block lasts."""
    task = asyncio.create_task(keyring.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def hearing(keyring: Keyring, database: Database) -> None:
    """Have a keyring hear of what is revoked over its own database."""

    def tell(grown: frozenset[UUID]) -> None:
        for key_id in grown:
            keyring.heard(key_id)

    database.announce_to(tell)


async def is_refused(keyring: Keyring, text: str) -> bool:
    """Whether a text lets nobody in, and why is not told."""
    try:
        await keyring.admit(text, CORRELATION)
    except Unauthenticated as refusal:
        return refusal.message == "this API key lets nobody in"
    return False


async def test_key_lets_in_whose_it_is_with_what_its_scope_allows(database: Database, keyring: Keyring) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    reading, reads = await a_key(database, "bob", ApiKeyScope.READ, expires_at=soon)
    writing, writes = await a_key(database, "bob", tenant="grüße-株式会社")
    acting, acts = await a_key(database, "carol", ApiKeyScope.ADMIN)

    reader, writer, admin = [await keyring.admit(text, CORRELATION) for text in (reads, writes, acts)]

    roles = frozenset({Role.MEMBER, Role.EDITOR, Role.REVIEWER})
    assert reader == Actor(
        TenantId("default"), UserId("bob"), roles, CORRELATION, soon, may_write=False, key_id=reading
    )
    assert writer == Actor(TenantId("grüße-株式会社"), UserId("bob"), roles, CORRELATION, key_id=writing)
    assert admin == Actor(TenantId("default"), UserId("carol"), roles | {Role.ADMIN}, CORRELATION, key_id=acting)


def altered(text: str) -> list[str]:
    """The text with each of its letters changed, one at a time, and some with more wrong."""
    changed = [f"{text[:at]}{'B' if text[at] == 'A' else 'A'}{text[at + 1 :]}" for at in range(len(text))]
    return [
        *changed, "", "colloquy_", text[:-1], text + "A", f"{text}=", f" {text}", text.upper(), "é" * 80,
        "colloquy_" + "A" * LONGEST_KEY_TEXT,
    ]  # fmt: skip


def rewritten(text: str, *, tenant: bytes, key_id: bytes | None = None) -> str:
    """The same secret, said to be of another tenant, or another key's."""
    found = urlsafe_b64decode(text.removeprefix("colloquy_") + "==")
    return "colloquy_" + urlsafe_b64encode((key_id or found[:16]) + found[16:48] + tenant).decode().rstrip("=")


async def test_nothing_like_a_key_lets_anybody_in(database: Database, keyring: Keyring, clock: Clock) -> None:
    key_id, text = await a_key(database)
    _, other = await a_key(database, "bob")
    bobs = KeyText.parse(other)
    _, late = await a_key(database, expires_at=datetime.now(UTC) + timedelta(seconds=0.2))
    assert bobs is not None
    assert rewritten(text, tenant=b"default") == text
    wrong = [
        *altered(text), rewritten(text, tenant=b"acme"), rewritten(text, tenant=b""), rewritten(text, tenant=b"\x00"),
        rewritten(text, tenant=b"\xff"), rewritten(text, tenant=b"default", key_id=bobs.ref.id.bytes),
        KeyText.new(TenantId("default")).text,
    ]  # fmt: skip

    refused = [await is_refused(keyring, each) for each in wrong]

    assert all(refused)
    assert (await keyring.admit(text, CORRELATION)).key_id == key_id
    assert await is_refused(Keyring(database, KeyDigests()), text)
    # An expiry is seen though the key is remembered, on a clock that stands still.
    await eventually(lambda: is_refused(keyring, late), expected=True)


async def test_fifty_at_once_are_one_read_and_the_next_for_some_seconds_none(
    database: Database, keyring: Keyring, clock: Clock, statements: StatementRecorder
) -> None:
    _, text = await a_key(database)
    statements.clear()

    await asyncio.gather(*(keyring.admit(text, CORRELATION) for _ in range(50)))
    together = len(statements.sent)
    clock.seconds += KEPT_SECONDS - 0.1
    await keyring.admit(text, CORRELATION)
    kept = len(statements.sent)
    clock.seconds += 0.1
    await keyring.admit(text, CORRELATION)

    assert (together, kept, len(statements.sent)) == (1, 1, 2)


async def test_who_leaves_while_a_key_is_read_leaves_the_others_their_answer(
    database: Database, keyring: Keyring, statements: StatementRecorder
) -> None:
    _, text = await a_key(database)
    statements.clear()

    first, second = [asyncio.create_task(keyring.admit(text, CORRELATION)) for _ in range(2)]
    await asyncio.sleep(0)
    first.cancel()

    assert (await second).user_id == "alice"
    assert len(statements.sent) == 1


class Interrupting(StatementRecorder):
    """Tells a keyring of a revocation right after a key was read, before who reads it has what it read."""

    def __init__(self) -> None:
        super().__init__()
        self.keyring: Keyring | None = None
        self.revoked: UUID | None = None

    def ran(self, sql: str, elapsed_ms: float, rows: int) -> None:
        """Called after every statement."""
        super().ran(sql, elapsed_ms, rows)
        if self.keyring is not None and self.revoked is not None:
            revoked, self.revoked = self.revoked, None
            self.keyring.heard(revoked)


async def test_what_was_read_before_a_revocation_lets_nobody_in(dsn: str) -> None:
    log = Interrupting()
    database = await Database.connect(dsn, PoolSettings(), log)
    keyring = Keyring(database, DIGESTS)
    key_id, text = await a_key(database)
    log.clear()
    log.keyring, log.revoked = keyring, key_id

    try:
        actor = await keyring.admit(text, CORRELATION)
    finally:
        await database.close()

    # It was only said to be revoked, and so it lets them in: by what was read anew.
    assert actor.key_id == key_id
    assert len(log.sent) == 2


async def test_nobody_is_let_in_once_the_revocation_is_acknowledged(
    database: Database, keyring: Keyring, clock: Clock
) -> None:
    hearing(keyring, database)
    late = refused = admitted = 0

    for _ in range(10):
        key_id, text = await a_key(database)
        acknowledged = asyncio.Event()

        async def come_in(text: str = text, acknowledged: asyncio.Event = acknowledged) -> None:
            nonlocal late, refused, admitted
            while True:
                # Each reads the key anew.
                clock.seconds += KEPT_SECONDS
                try:
                    await keyring.admit(text, CORRELATION)
                except Unauthenticated:
                    refused += 1
                    return
                admitted += 1
                late += acknowledged.is_set()
                await asyncio.sleep(0)

        async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as group:
            for _ in range(8):
                group.create_task(come_in())
            await asyncio.sleep(0)
            await PIPELINE.revoke(database, an_actor("system"), key_id, None)
            acknowledged.set()

    assert (late, refused) == (0, 80)
    assert admitted > 0


async def test_use_is_noted_once_a_minute_and_at_the_end(
    database: Database, keyring: Keyring, clock: Clock, statements: StatementRecorder, dsn: str
) -> None:
    ids, texts = zip(*[await a_key(database, tenant=tenant) for tenant in ("default", "acme")], strict=True)
    before = datetime.now(UTC)

    async def used() -> list[datetime | None]:
        by_id = {row["id"]: row["last_used_at"] for row in await rows(dsn, "SELECT id, last_used_at FROM api_keys")}
        return [by_id[key_id] for key_id in ids]

    async def use() -> int:
        statements.clear()
        for text in texts:
            await keyring.admit(text, CORRELATION)
        admitted = len(statements.sent)
        await keyring.note_uses()
        return len(statements.sent) - admitted

    assert (await used(), await use()) == ([None, None], 1)
    first = await used()
    clock.seconds += USED_SECONDS - 1
    assert (await use(), await used()) == (0, first)
    clock.seconds += 1
    assert await use() == 1
    second = await used()
    await keyring.admit(texts[0], CORRELATION)
    async with running(keyring):
        await asyncio.sleep(0)

    last = await used()
    moments = [first[0], second[0], last[0]]
    assert all(moment is not None and moment >= before for moment in moments)
    assert moments == sorted(set(moments), key=lambda moment: moment or before)
    assert last[1] == second[1]


async def test_open_connection_is_ended_where_no_wake_up_came(
    database: Database, dsn: str, statements: StatementRecorder
) -> None:
    keyring = Keyring(database, DIGESTS, check_seconds=0.01)
    made = [await a_key(database, tenant=tenant) for tenant in ("default", "default", "acme")]
    actors = [await keyring.admit(text, CORRELATION) for _, text in made]
    waiting = [asyncio.create_task(keyring.withdrawn(actor)) for actor in (*actors, actors[0], an_actor("alice"))]

    async with running(keyring), asyncio.timeout(PATIENCE_SECONDS):
        await rows(dsn, "UPDATE api_keys SET revoked_at = now(), revoked_by = 'sql' WHERE id = $1", made[0][0])
        await asyncio.wait([waiting[0]])
        await asyncio.wait([waiting[3]])
        await rows(dsn, "DELETE FROM api_keys WHERE tenant_id = 'acme'")
        await asyncio.wait([waiting[2]])

    assert [task.done() for task in waiting] == [True, False, True, True, False]
    checks = [sql for sql in statements.sent if "unnest" in sql and sql.startswith("SELECT api_keys.id")]
    assert checks
    for task in (waiting[1], waiting[4]):
        task.cancel()
    await asyncio.wait(waiting)
    assert keyring.watched == 0


async def test_key_that_was_revoked_before_it_was_watched_is_withdrawn_at_once(
    database: Database, keyring: Keyring
) -> None:
    key_id, text = await a_key(database)
    actor = await keyring.admit(text, CORRELATION)
    await PIPELINE.revoke(database, an_actor("system"), key_id, None)
    keyring.heard(key_id)

    async with asyncio.timeout(PATIENCE_SECONDS):
        await keyring.withdrawn(actor)

    assert keyring.watched == 0


async def test_erased_user_comes_in_no_more_and_what_they_had_open_ends(
    database: Database, keyring: Keyring, services: dict[type, object], dsn: str
) -> None:
    erasing = services[ErasurePipeline]
    assert isinstance(erasing, ErasurePipeline)
    hearing(keyring, database)
    texts = [(await a_key(database, user))[1] for user in ("alice", "alice", "bob")]
    alice, again, bob = [await keyring.admit(text, CORRELATION) for text in texts]
    watching = [asyncio.create_task(keyring.withdrawn(actor)) for actor in (alice, again, bob)]
    await asyncio.sleep(0)

    # She comes in with the first: it lasts until she is erased.
    erased = await erasing.erase(database, alice, alice.user_id, None)

    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.wait(watching[:2])
    assert erased.rows["api_keys"] == 2
    assert [await is_refused(keyring, text) for text in texts] == [True, True, False]
    assert not watching[2].done()
    watching[2].cancel()
    assert {row["user_id"] for row in await rows(dsn, "SELECT user_id FROM api_keys")} == {"bob"}


def test_text_of_a_key_names_it_and_is_not_printed() -> None:
    made = KeyText.new(TenantId("acme"))

    assert made.text.startswith("colloquy_")
    assert KeyText.parse(made.text) == made
    assert made.text not in repr(made)
    assert KeyText.new(TenantId("acme")).text != made.text
    assert made.ref == KeyRef(TenantId("acme"), ApiKeyId(made.ref.id))
