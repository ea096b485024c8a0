"""What is tried again, what must not be, and what the caller is told when nobody knows."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.core.actor import Actor
from app.core.errors import AppError, ErrorCode
from app.db.database import MOST_ATTEMPTS, Database, PoolSettings
from app.db.errors import DatabaseUnavailable, OutcomeUnknown
from app.db.scopes import MOST_TRIES, UnitOfWork
from app.idempotency.values import ClientKey
from app.messages.pipeline import MessagePipeline
from app.messages.values import Draft, MessageRole
from app.sessions.values import SessionId
from tests.conftest import execute
from tests.conversations import counters, eventually, new_session, recounted, value
from tests.db.kept import (
    AMOUNT,
    IDS,
    KEEP,
    KEEP_SLOWLY,
    OURS,
    SET,
    SLEEP,
    kept_ids,
    kept_in,
    kill_connections,
    use_all_at_once,
)
from tests.proxy import COMMIT, EXECUTE, Moment, Proxy, proxy_to

SLEEPING = f"SELECT count(*) {OURS} AND wait_event = 'PgSleep'"


@pytest.fixture
async def proxied(dsn: str) -> AsyncIterator[tuple[Proxy, Database]]:
    """A database behind a proxy, with the tables of the server and the tests' own."""
    async with proxy_to(dsn) as (proxy, address), kept_in(address, PoolSettings(size=3)) as database:
        yield proxy, database


async def all_ids(database: Database) -> list[int]:
    async with database.read() as scope:
        return await scope.all(IDS)


async def keep(database: Database, number: int, *, replayable: bool = False) -> None:
    async with database.single_statement(replayable=replayable) as uow:
        await uow.run(KEEP, id=number)


async def test_rivals_under_serializable_isolation_are_tried_again(empty_dsn: str) -> None:
    name = await value(empty_dsn, "SELECT current_database()")
    await execute(empty_dsn, f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")
    both_have_read = asyncio.Barrier(2)
    attempts: list[int] = []

    async with kept_in(empty_dsn) as database:
        await keep(database, 1)

        async def count_up(uow: UnitOfWork) -> None:
            attempts.append(1)
            amount = await uow.first(AMOUNT, id=1) or 0
            if len(attempts) <= 2:
                await both_have_read.wait()
            await uow.run(SET, key=1, new=amount + 1)

        await asyncio.gather(database.transact(count_up), database.transact(count_up))

    assert await value(empty_dsn, "SELECT amount FROM kept") == 2
    assert len(attempts) == 3


async def test_deadlocked_work_is_tried_again(empty_dsn: str) -> None:
    name = await value(empty_dsn, "SELECT current_database()")
    await execute(empty_dsn, f"ALTER DATABASE {name} SET deadlock_timeout = '50ms'")
    both_hold_one = asyncio.Barrier(2)
    attempts: list[int] = []

    async with kept_in(empty_dsn) as database:
        await keep(database, 1)
        await keep(database, 2)

        async def set_both(uow: UnitOfWork, first: int, second: int) -> None:
            attempts.append(first)
            await uow.run(SET, key=first, new=first)
            if len(attempts) <= 2:
                await both_hold_one.wait()
            await uow.run(SET, key=second, new=first)

        await asyncio.gather(
            database.transact(lambda uow: set_both(uow, 1, 2)), database.transact(lambda uow: set_both(uow, 2, 1))
        )

    assert len(attempts) == 3
    assert await value(empty_dsn, "SELECT count(DISTINCT amount) FROM kept") == 1


async def test_attempts_come_to_an_end(empty_dsn: str) -> None:
    attempts: list[int] = []

    async def work(uow: UnitOfWork) -> None:
        attempts.append(1)
        await uow.run(KEEP, id=1)
        raise DatabaseUnavailable

    async with kept_in(empty_dsn) as database:
        with pytest.raises(DatabaseUnavailable):
            await database.transact(work)

    assert len(attempts) == MOST_ATTEMPTS
    assert await kept_ids(empty_dsn) == []


async def test_refusals_are_not_tried_again(empty_dsn: str) -> None:
    attempts: list[int] = []

    async def work(uow: UnitOfWork) -> None:
        attempts.append(1)
        raise OutcomeUnknown

    async with kept_in(empty_dsn) as database:
        with pytest.raises(OutcomeUnknown):
            await database.transact(work)

    assert len(attempts) == 1


async def test_connections_killed_while_idle_are_not_noticed(empty_dsn: str) -> None:
    async with kept_in(empty_dsn, PoolSettings(size=5)) as database:
        await use_all_at_once(database, 5)
        assert await kill_connections(empty_dsn) == 5

        reads = await asyncio.gather(*(all_ids(database) for _ in range(5)))
        await kill_connections(empty_dsn)
        await keep(database, 1)
        await kill_connections(empty_dsn)
        await database.transact(lambda uow: uow.run(KEEP, id=2))

        assert reads == [[]] * 5
        assert await kept_ids(empty_dsn) == [1, 2]
        assert len(await use_all_at_once(database, 5)) == 5


async def test_reads_killed_on_the_way_are_run_again(empty_dsn: str) -> None:
    async with kept_in(empty_dsn, PoolSettings(size=3)) as database:

        async def slow() -> list[str]:
            async with database.read() as scope:
                return await scope.all(SLEEP, seconds=0.3)

        reads = [asyncio.create_task(slow()) for _ in range(3)]
        await eventually(lambda: value(empty_dsn, SLEEPING), 3)
        assert await kill_connections(empty_dsn) == 3

        assert [len(found) for found in await asyncio.gather(*reads)] == [1, 1, 1]


async def test_command_that_the_server_ends_is_stored_once(empty_dsn: str) -> None:
    async with kept_in(empty_dsn, PoolSettings(size=3)) as database:

        async def slow() -> None:
            async with database.single_statement() as uow:
                await uow.run(KEEP_SLOWLY, id=1, seconds=0.3)

        command = asyncio.create_task(slow())
        await eventually(lambda: value(empty_dsn, SLEEPING), 1)
        await kill_connections(empty_dsn)
        await command

    assert await kept_ids(empty_dsn) == [1]


async def test_unit_of_work_that_the_server_ends_is_tried_again_as_a_whole(empty_dsn: str) -> None:
    attempts: list[int] = []

    async with kept_in(empty_dsn, PoolSettings(size=3)) as database:

        async def work(uow: UnitOfWork) -> None:
            attempts.append(1)
            await uow.run(KEEP, id=1)
            if len(attempts) == 1:
                await kill_connections(empty_dsn)
            await uow.run(KEEP, id=2)

        await database.transact(work)

    assert len(attempts) == 2
    assert await kept_ids(empty_dsn) == [1, 2]


@pytest.mark.parametrize("moment", Moment)
async def test_read_whose_connection_breaks_is_run_again(proxied: tuple[Proxy, Database], moment: Moment) -> None:
    proxy, database = proxied
    await keep(database, 1)
    proxy.cut(EXECUTE, moment, times=2)

    assert await all_ids(database) == [1]


@pytest.mark.parametrize("moment", Moment)
async def test_message_with_a_key_whose_connection_breaks_is_stored_once(
    proxied: tuple[Proxy, Database], pipeline: MessagePipeline, actor: Actor, dsn: str, moment: Moment
) -> None:
    proxy, database = proxied
    session_id = await new_session(database, actor)
    proxy.cut(EXECUTE, moment, times=2)

    outcome = await pipeline.persist(database, actor, a_draft(session_id), a_key())

    assert (outcome.message.sequence_number, outcome.deduplicated) == (1, False)
    assert (await recounted(dsn, session_id)).messages == [1]
    assert await recounted(dsn, session_id) == await counters(dsn, session_id)


@pytest.mark.parametrize(("moment", "stored"), [(Moment.BEFORE_THE_SERVER, []), (Moment.BEFORE_THE_ANSWER, [1])])
async def test_message_without_a_key_whose_connection_breaks_is_never_doubled(
    proxied: tuple[Proxy, Database], pipeline: MessagePipeline, actor: Actor, dsn: str, moment: Moment,
    stored: list[int],
) -> None:  # fmt: skip
    proxy, database = proxied
    session_id = await new_session(database, actor)
    proxy.cut(EXECUTE, moment)

    with pytest.raises(OutcomeUnknown) as refused:
        await pipeline.persist(database, actor, a_draft(session_id), None)

    assert (refused.value.code, refused.value.retryable) == (ErrorCode.PERSISTENCE_ERROR, True)
    assert (await recounted(dsn, session_id)).messages == stored


async def test_nobody_is_told_that_nothing_was_stored_when_it_may_have_been(
    proxied: tuple[Proxy, Database], pipeline: MessagePipeline, actor: Actor, dsn: str
) -> None:
    proxy, database = proxied
    session_id = await new_session(database, actor)
    proxy.cut(EXECUTE, Moment.BEFORE_THE_ANSWER, times=MOST_TRIES)

    with pytest.raises(OutcomeUnknown):
        await pipeline.persist(database, actor, a_draft(session_id), a_key())
    again = await pipeline.persist(database, actor, a_draft(session_id), a_key())

    assert (again.message.sequence_number, again.deduplicated) == (1, True)
    assert (await recounted(dsn, session_id)).messages == [1]


async def test_outcome_stays_unknown_when_the_server_goes_away_after_the_break(
    proxied: tuple[Proxy, Database], pipeline: MessagePipeline, actor: Actor, dsn: str
) -> None:
    proxy, database = proxied
    session_id = await new_session(database, actor)
    await use_all_at_once(database, 1)
    proxy.cut(EXECUTE, Moment.BEFORE_THE_ANSWER)
    proxy.refusing = True

    with pytest.raises(OutcomeUnknown):
        await pipeline.persist(database, actor, a_draft(session_id), a_key())

    assert (await recounted(dsn, session_id)).messages == [1]


@pytest.mark.parametrize(("moment", "stored"), [(Moment.BEFORE_THE_SERVER, []), (Moment.BEFORE_THE_ANSWER, [1])])
async def test_commit_whose_answer_is_lost_is_unknown_and_not_repeated(
    proxied: tuple[Proxy, Database], dsn: str, moment: Moment, stored: list[int]
) -> None:
    proxy, database = proxied
    attempts: list[int] = []

    async def work(uow: UnitOfWork) -> None:
        attempts.append(1)
        await uow.run(KEEP, id=1)

    proxy.cut(COMMIT, moment)
    with pytest.raises(OutcomeUnknown):
        await database.transact(work)

    assert len(attempts) == 1
    assert await kept_ids(dsn) == stored


@pytest.mark.parametrize("moment", Moment)
async def test_connection_that_breaks_before_the_commit_stores_nothing_or_once(
    proxied: tuple[Proxy, Database], dsn: str, moment: Moment
) -> None:
    proxy, database = proxied

    proxy.cut(EXECUTE, moment)
    (outcome,) = await asyncio.gather(database.transact(lambda uow: uow.run(KEEP, id=1)), return_exceptions=True)

    if isinstance(outcome, BaseException):
        assert isinstance(outcome, AppError)
        assert outcome.retryable
    assert await kept_ids(dsn) == ([] if isinstance(outcome, BaseException) else [1])


async def test_server_that_is_away_is_a_refusal_and_comes_back(proxied: tuple[Proxy, Database], dsn: str) -> None:
    proxy, database = proxied
    proxy.refusing = True
    proxy.cut_all()
    await proxy.settled()

    with pytest.raises(DatabaseUnavailable) as read:
        await all_ids(database)
    with pytest.raises(DatabaseUnavailable):
        await keep(database, 1)
    with pytest.raises(DatabaseUnavailable):
        await database.ping()
    proxy.refusing = False
    await keep(database, 2)

    assert read.value.retryable
    assert await kept_ids(dsn) == [2]


async def test_broken_connections_leave_the_pool_whole(
    proxied: tuple[Proxy, Database], pipeline: MessagePipeline, actor: Actor, dsn: str
) -> None:
    proxy, database = proxied
    session_id = await new_session(database, actor)

    for turn in range(9):
        proxy.cut(COMMIT if turn % 3 == 0 else EXECUTE, Moment.BEFORE_THE_ANSWER)
        work = (
            database.transact(lambda uow: pipeline.append(uow, actor, a_draft(session_id), None))
            if turn % 3 == 0
            else pipeline.persist(database, actor, a_draft(session_id), None)
        )
        with pytest.raises(OutcomeUnknown):
            await work

    assert len(await use_all_at_once(database, 3)) == 3
    assert await recounted(dsn, session_id) == await counters(dsn, session_id)
    assert len((await recounted(dsn, session_id)).messages) == 9


def a_draft(session_id: SessionId) -> Draft:
    return Draft(session_id, MessageRole.USER, "hello")


def a_key() -> ClientKey | None:
    return ClientKey.of("k", "test", "hello")
