"""Whichever statement of a transaction fails, and however: nothing of it is stored, and asked again it is done once."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.db.database import MOST_ATTEMPTS, Database, PoolSettings
from tests.client import GraphQLClient, client_of
from tests.conversations import broken_rules
from tests.failing import SECRET, FailingWay, How, everything_stored, failing_way
from tests.promises.deeds import DEEDS as CHAT_DEEDS
from tests.promises.deeds import MASKED, Answer, Deed
from tests.promises.project_deeds import PROJECT_DEEDS
from tests.worlds import limited

DEEDS = {**CHAT_DEEDS, **PROJECT_DEEDS}

Counts = dict[str, int]


@dataclass(frozen=True, slots=True)
class Scene:
    """A user who has two ways to the database, one of which can fail."""

    dsn: str
    straight: GraphQLClient
    failing: GraphQLClient
    way: FailingWay

    async def counts(self) -> Counts:
        """How many rows each table has."""
        return {table: count for table, (count, _) in (await everything_stored(self.dsn)).items()}

    async def done_once(self, deed: Deed) -> tuple[list[str], Counts]:
        """What the deed sends when nothing fails, and how many rows come of it."""
        do = await deed.ready(self.straight)
        before = await self.counts()
        self.way.forget()
        assert (await do(self.failing)).code is None
        return list(self.way.sent), _grown(before, await self.counts())


@pytest.fixture
async def scene(dsn: str, database: Database, services: Any) -> AsyncIterator[Scene]:
    # What is logged of faults has stacks, which take longer to print than the faults.
    with capture_logs():
        async with AsyncExitStack() as stack:
            way, address = await stack.enter_async_context(failing_way(dsn))
            over = await Database.connect(address, PoolSettings(size=2))
            stack.push_async_callback(over.close)
            straight = await stack.enter_async_context(client_of(database, services, "alice"))
            failing = await stack.enter_async_context(client_of(over, services, "alice"))
            # What may be spent is reserved, too, in a row that is there: each deed then comes to the same rows.
            await limited(straight)
            await straight.mutate("sendMessage", "success", {"content": "Hello?", "model": "local:echo"})
            yield Scene(dsn, straight, failing, way)


def _grown(before: Counts, after: Counts) -> Counts:
    return {table: count - before[table] for table, count in after.items() if count != before[table]}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", DEEDS)
async def test_whichever_statement_fails_nothing_is_stored_and_asked_again_it_is_done_once(
    scene: Scene, name: str
) -> None:
    deed = DEEDS[name]
    positions, once = await scene.done_once(deed)

    for how, (position, sql) in product(How, enumerate(positions, 1)):
        do = await deed.ready(scene.straight)
        before = await everything_stored(scene.dsn)

        scene.way.fail(position, how)
        answer = await do(scene.failing)

        assert scene.way.failed == [sql]
        after = await everything_stored(scene.dsn)
        stored = _grown(_counted(before), _counted(after))
        if answer.code is not None:
            _is_typed(answer, how)
            # Of a COMMIT that was done, nobody knows.
            assert after == before or (stored == once and how is How.LOST_AFTER and position == len(positions)), sql
        else:
            assert stored == once, sql

        scene.way.forget()
        assert (await do(scene.failing)).code is None
        assert _grown(_counted(before), await scene.counts()) == once, sql
    assert await broken_rules(scene.dsn) == []


async def test_what_is_reserved_is_among_what_fails(scene: Scene) -> None:
    positions, once = await scene.done_once(DEEDS["executePrompt, new session"])

    reserving = [place for place, sql in enumerate(positions, 1) if "INSERT INTO budget_reservations" in sql]
    assert reserving == [len(positions) - 1]
    assert once["budget_reservations"] == 1


@pytest.mark.parametrize("name", ["sendMessage, new session", "end of a turn, next turn"])
async def test_conflict_that_passes_is_not_noticed(scene: Scene, name: str) -> None:
    deed = DEEDS[name]
    positions, once = await scene.done_once(deed)

    for position in range(1, len(positions) + 1):
        do = await deed.ready(scene.straight)
        before = await scene.counts()

        scene.way.fail(position, How.CONFLICT, times=2)
        answer = await do(scene.failing)

        assert (answer.code, len(scene.way.failed)) == (None, 2)
        assert _grown(before, await scene.counts()) == once


@pytest.mark.parametrize("name", ["sendMessage, new session", "end of a turn, next turn"])
async def test_conflict_that_does_not_pass_stores_nothing(scene: Scene, name: str) -> None:
    deed = DEEDS[name]
    positions, once = await scene.done_once(deed)

    do = await deed.ready(scene.straight)
    before = await everything_stored(scene.dsn)
    scene.way.fail(len(positions), How.CONFLICT, times=MOST_ATTEMPTS)
    answer = await do(scene.failing)

    _is_typed(answer, How.CONFLICT)
    assert len(scene.way.failed) == MOST_ATTEMPTS
    assert await everything_stored(scene.dsn) == before
    scene.way.forget()
    assert (await do(scene.failing)).code is None
    assert _grown(_counted(before), await scene.counts()) == once


def _counted(stored: dict[str, tuple[int, str]]) -> Counts:
    return {table: count for table, (count, _) in stored.items()}


def _is_typed(answer: Answer, how: How) -> None:
    """Whoever asks is told what to do about it, and nothing of what is stored or how."""
    if how is How.REFUSED:
        assert answer.code == MASKED
    else:
        assert (answer.code, answer.retryable) == ("PERSISTENCE_ERROR", True)
        assert answer.hint
    shown = answer.text.lower()
    assert [word for word in (SECRET, "insert", "select", "begin", "commit", "chat_", "$1") if word in shown] == []
