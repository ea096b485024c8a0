"""What a tenant is to review, followed: each once, wherever an attempt gets there, whatever happens to connections."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from typing import Any
from uuid import UUID

import pytest

from app.core.actor import Actor
from app.core.paging import PageRequest
from app.db.database import Database, PoolSettings
from app.db.listening import Listener
from app.db.scopes import UnitOfWork
from app.streams.inboxes import MOST_AWAITED
from app.streams.wakeups import WakeUps
from app.workflow import repository, service
from app.workflow.following import PendingReviews
from app.workflow.loaders import page_of_pending_reviews
from app.workflow.models import Review
from app.workflow.values import Decision, DecisionKind, ProjectId, ReviewFilter, ReviewId, StageId, StageStatus
from tests.conftest import an_actor, execute
from tests.conversations import eventually
from tests.workflow.scenes import RA, Scene, a_project, a_workflow

PATIENCE_SECONDS = 20.0
NEVER_SECONDS = 3_600.0

ALICE, BOB, STRANGER = an_actor("alice"), an_actor("bob"), an_actor("alice", "acme")

Told = AsyncGenerator[Review, None]


class AProcess:
    """A process that follows reviews, and does not poll unless it is told to."""

    def __init__(self, database: Database, reviews: PendingReviews) -> None:
        self.database = database
        self.reviews = reviews
        self.heard_again = asyncio.Event()
        """Set when the connection that listens was made anew."""

    async def request(self, project: Scene) -> UUID:
        """The id of the review of another attempt, whose content has just come."""
        actor = an_actor(project.user, project.tenant)
        attempt = await project.add(RA, StageStatus.GENERATING)

        async def work(uow: UnitOfWork) -> UUID:
            await service.lock(uow, actor, ProjectId(project.key))
            stage = await repository.stage_by_id(uow, actor, StageId(attempt.key))
            assert stage is not None
            finished = await service.finish(uow, actor, stage, "# plain")
            assert finished is not None
            assert finished.review_id is not None
            return finished.review_id

        return await self.database.transact(work)

    async def reject(self, project: Scene, review: UUID) -> None:
        """Have a reviewer decide."""

        async def work(uow: UnitOfWork) -> None:
            await service.lock(uow, BOB, ProjectId(project.key))
            await service.decide(uow, BOB, Decision(ReviewId(review), DecisionKind.REJECT, "It says too little."))

        await self.database.transact(work)


@pytest.fixture
def start(dsn: str) -> Any:
    """Starts processes."""

    @asynccontextmanager
    async def process(poll_seconds: float = NEVER_SECONDS) -> AsyncIterator[AProcess]:
        async with AsyncExitStack() as stack:
            database = await Database.connect(dsn, PoolSettings())
            stack.push_async_callback(database.close)
            wakeups, reviews = WakeUps(database), PendingReviews(database, poll_seconds)
            started = AProcess(database, reviews)
            wakeups.on(reviews.heard, reviews.missed)
            wakeups.on(lambda _: None, started.heard_again.set)
            database.announce_to(wakeups.tell)
            wakeups.attach(await stack.enter_async_context(Listener(dsn)))
            tasks = [asyncio.create_task(loop) for loop in (wakeups.run(), reviews.run())]
            await asyncio.wait_for(started.heard_again.wait(), PATIENCE_SECONDS)
            yield started
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            assert reviews.followed == 0

    return process


async def following(told: Told, count: int) -> list[UUID]:
    """The next reviews one is told of."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        return [(await anext(told)).id for _ in range(count)]


@asynccontextmanager
async def kept(*processes: AProcess, actor: Actor = ALICE) -> AsyncIterator[list[list[UUID]]]:
    """What a follower on each process was told of so far."""
    found: list[list[UUID]] = [[] for _ in processes]

    async def keep(process: AProcess, told: list[UUID]) -> None:
        async with aclosing(process.reviews.follow(actor)) as reviews:
            async for review in reviews:
                told.append(review.id)

    tasks = [asyncio.create_task(keep(process, told)) for process, told in zip(processes, found, strict=True)]
    yield found
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def counts(found: list[list[UUID]], expected: int) -> None:
    """Return when every follower was told of so many."""

    async def sizes() -> list[int]:
        return [len(told) for told in found]

    await eventually(sizes, [expected] * len(found))


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_what_is_pending_comes_first_and_then_what_is_requested_anywhere(
    start: Any, dsn: str, elsewhere: bool
) -> None:
    async with start() as here, start() as there:
        process = there if elsewhere else here
        projects = [await a_project(dsn, user=user) for user in ("alice", "bob")]
        before = [await process.request(project) for project in projects]

        async with aclosing(here.reviews.follow(ALICE)) as told:
            first = await following(told, 2)
            later = [(await process.request(project), (await following(told, 1))[0]) for project in projects * 2]

    assert first == before
    assert all(requested == found for requested, found in later)


async def test_one_is_told_first_of_what_the_list_of_pending_reviews_has(start: Any, dsn: str) -> None:
    awaiting, approved, rejected, stale = (
        StageStatus.AWAITING_REVIEW, StageStatus.APPROVED, StageStatus.REJECTED, StageStatus.STALE,
    )  # fmt: skip
    await a_workflow(dsn, awaiting, approved, stale, awaiting, rejected)
    await a_workflow(dsn, until=[awaiting], user="bob")
    await a_workflow(dsn, awaiting, tenant="acme")
    async with start() as process:
        page = await page_of_pending_reviews(process.database, ALICE, ReviewFilter(), PageRequest(50))
        listed = [review.id for review in page.nodes]
        project = await a_project(dsn)

        async with aclosing(process.reviews.follow(ALICE)) as told:
            first = await following(told, 3)
            last = await process.request(project)
            assert await following(told, 1) == [last]

    assert len(listed) == 3
    assert first == listed


async def test_each_is_told_once_whatever_is_requested_at_once_and_decided(start: Any, dsn: str) -> None:
    async with start() as here, start() as there, kept(here, there, there) as found:
        projects = [await a_project(dsn) for _ in range(4)]

        async def request(process: AProcess, project: Scene) -> list[tuple[Scene, UUID]]:
            return [(project, await process.request(project)) for _ in range(10)]

        asked = [request((here, there)[number % 2], project) for number, project in enumerate(projects)]
        requested = [one for each in await asyncio.gather(*asked) for one in each]
        await counts(found, 40)
        for project, review in requested[::2]:
            await here.reject(project, review)
        last = await here.request(projects[0])
        await counts(found, 41)

    assert [told[-1] for told in found] == [last] * 3
    assert [sorted(told[:-1]) for told in found] == [sorted(review for _, review in requested)] * 3


async def test_nothing_is_missed_when_the_connection_that_listens_is_cut(start: Any, dsn: str) -> None:
    async with start() as here, start() as there, kept(here) as found:
        project = await a_project(dsn)
        first = await there.request(project)
        await counts(found, 1)
        here.heard_again.clear()

        await execute(
            dsn,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND application_name = 'colloquy-listener'",
        )
        meanwhile = [await there.request(project) for _ in range(3)]
        await asyncio.wait_for(here.heard_again.wait(), PATIENCE_SECONDS)
        after = await there.request(project)
        await counts(found, 5)

    assert found == [[first, *meanwhile, after]]


async def test_what_nobody_announces_is_found_by_the_poll(start: Any, dsn: str) -> None:
    async with start(poll_seconds=0.05) as process, kept(process) as found:
        there = await (await a_project(dsn)).add(RA, StageStatus.AWAITING_REVIEW)
        await counts(found, 1)

    assert found == [[there.review_key]]


async def test_an_inbox_longer_than_one_read_is_told_as_it_is_worked_off(start: Any, dsn: str) -> None:
    async with start(poll_seconds=0.05) as process:
        project = await a_project(dsn)
        first = await process.request(project)
        await execute(dsn, _MANY_MORE.format(MOST_AWAITED + 4))
        async with kept(process) as found:
            await counts(found, MOST_AWAITED)
            told = list(found[0])

            for review in told[:5]:
                await process.reject(project, review)
            await counts(found, MOST_AWAITED + 5)

    assert told[0] == first
    assert len(set(found[0])) == len(found[0])


_MANY_MORE = """
WITH review AS (
  INSERT INTO reviews (tenant_id, id, project_id, stage, service_name)
  SELECT tenant_id, gen_random_uuid(), project_id, stage, service_name
  FROM reviews, generate_series(1, {}) RETURNING *
)
INSERT INTO workflow_stages (tenant_id, id, project_id, stage, attempt, status, content, model, review_id, created_by,
  correlation_id)
SELECT s.tenant_id, gen_random_uuid(), s.project_id, s.stage, s.attempt + row_number() OVER (), s.status, s.content,
  s.model, review.id, s.created_by, s.correlation_id
FROM workflow_stages AS s, review
"""


async def test_another_tenant_is_told_nothing(start: Any, dsn: str) -> None:
    async with start() as process, kept(process, actor=STRANGER) as theirs, kept(process, process) as own:
        ours, strangers = await a_project(dsn), await a_project(dsn, tenant="acme")

        mine = await process.request(ours)
        await counts(own, 1)
        others = await process.request(strangers)
        await counts(theirs, 1)
        mine_again = await process.request(ours)
        await counts(own, 2)

    assert (own, theirs) == ([[mine, mine_again]] * 2, [[others]])


async def test_all_who_follow_in_a_tenant_share_one_inbox(start: Any) -> None:
    async with start() as process, kept(process, process), kept(process, actor=BOB), kept(process, actor=STRANGER):

        async def inboxes() -> int:
            return int(process.reviews.followed)

        await eventually(inboxes, 2)


async def test_one_that_was_decided_before_it_could_be_told_is_passed_over(start: Any, dsn: str) -> None:
    async with start() as process:
        project = await a_project(dsn)
        decided, pending = [await process.request(project) for _ in range(2)]
        await process.reject(project, decided)

        async with aclosing(process.reviews.follow(ALICE)) as told:
            assert await following(told, 1) == [pending]


async def test_a_follower_that_waits_holds_no_connection(start: Any, dsn: str) -> None:
    async with start() as process, kept(process, process) as found:
        await process.request(await a_project(dsn))
        await counts(found, 1)

        async def lent() -> int:
            return int(process.database._lender.in_use)

        await eventually(lent, 0)
