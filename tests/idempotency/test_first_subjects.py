"""What many client keys were used for before, told by one statement."""

from dataclasses import replace

import pytest

from app.core.actor import Actor
from app.core.ids import new_id
from app.db.database import Database
from app.idempotency.errors import KeyReused
from app.idempotency.service import first_subjects
from app.idempotency.values import ClientKey
from app.sessions import service as sessions
from app.sessions.values import NewSession, SessionId
from tests.conftest import an_actor
from tests.fakes import StatementRecorder

KEYS = [ClientKey(f"key-{number}", b"the request") for number in range(3)]


async def _created(database: Database, actor: Actor, key: ClientKey) -> SessionId:
    new = NewSession(SessionId(new_id()), "Trip")
    async with database.single_statement() as uow:
        await sessions.create(uow, actor, new, key)
    return new.id


async def test_used_keys_are_told_with_what_they_made_and_others_are_left_out(
    database: Database, actor: Actor, statements: StatementRecorder
) -> None:
    first, last = await _created(database, actor, KEYS[0]), await _created(database, actor, KEYS[2])
    statements.clear()

    async with database.read() as scope:
        found = await first_subjects(scope, actor, KEYS)

    assert found == {"key-0": first, "key-2": last}
    assert len(statements.sent) == 1


async def test_another_users_keys_are_not_told(database: Database, actor: Actor) -> None:
    await _created(database, actor, KEYS[0])

    async with database.read() as scope:
        assert await first_subjects(scope, an_actor("bob"), KEYS) == {}
        assert await first_subjects(scope, an_actor("alice", "acme"), KEYS) == {}


async def test_a_key_that_came_with_another_request_is_refused(database: Database, actor: Actor) -> None:
    await _created(database, actor, replace(KEYS[1], body_hash=b"another request"))

    async with database.read() as scope:
        with pytest.raises(KeyReused):
            await first_subjects(scope, actor, KEYS)
