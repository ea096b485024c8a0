"""What awaits a user's approval, followed: each once, wherever it is requested, whatever happens to connections."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from typing import Any
from uuid import UUID

import pytest

from app.core.actor import Actor
from app.core.ids import new_id
from app.db.database import Database, PoolSettings
from app.db.listening import Listener
from app.messages.pipeline import MessagePipeline
from app.messages.values import MessageId, MessageRole
from app.sessions.values import SessionId
from app.streams.inboxes import MOST_AWAITED
from app.streams.wakeups import WakeUps
from app.tools import service
from app.tools.following import Approvals
from app.tools.models import ToolExecution
from app.tools.pipeline import ToolPipeline
from app.tools.values import Decision, NewToolCall, NewToolExecution, ToolCallId, ToolExecutionId
from tests.conftest import an_actor, execute
from tests.conversations import eventually, new_session, say

PATIENCE_SECONDS = 20.0
NEVER_SECONDS = 3_600.0

Told = AsyncGenerator[ToolExecution, None]


class AProcess:
    """A process that follows approvals, and does not poll unless it is told to."""

    def __init__(self, database: Database, approvals: Approvals, pipeline: MessagePipeline) -> None:
        self.database = database
        self.approvals = approvals
        self._pipeline = pipeline
        self.heard_again = asyncio.Event()
        """Set when the connection that listens was made anew."""

    async def request(self, actor: Actor, session: SessionId) -> UUID:
        """The id of an execution that awaits the actor's approval."""
        message = await say(self.database, self._pipeline, actor, session, "calling", MessageRole.ASSISTANT)
        call, new = ToolCallId(new_id()), ToolExecutionId(new_id())
        async with self.database.single_statement() as uow:
            await service.add(uow, actor, NewToolCall(call, MessageId(message.id), "search", "{}"), None)
        async with self.database.single_statement() as uow:
            await service.execute(uow, actor, NewToolExecution(new, call, required_approval=True), None)
        return new


@pytest.fixture
def start(dsn: str, pipeline: MessagePipeline) -> Any:
    """Starts processes."""

    @asynccontextmanager
    async def process(poll_seconds: float = NEVER_SECONDS) -> AsyncIterator[AProcess]:
        async with AsyncExitStack() as stack:
            database = await Database.connect(dsn, PoolSettings())
            stack.push_async_callback(database.close)
            wakeups, approvals = WakeUps(database), Approvals(database, poll_seconds)
            started = AProcess(database, approvals, pipeline)
            wakeups.on(approvals.heard, approvals.missed)
            wakeups.on(lambda _: None, started.heard_again.set)
            database.announce_to(wakeups.tell)
            wakeups.attach(await stack.enter_async_context(Listener(dsn)))
            tasks = [asyncio.create_task(loop) for loop in (wakeups.run(), approvals.run())]
            await asyncio.wait_for(started.heard_again.wait(), PATIENCE_SECONDS)
            yield started
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            assert approvals.followed == 0

    return process


async def following(told: Told, count: int) -> list[UUID]:
    """The next executions one is told of."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        return [(await anext(told)).id for _ in range(count)]


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_what_awaits_comes_first_and_then_what_is_requested_anywhere(
    start: Any, actor: Actor, elsewhere: bool
) -> None:
    async with start() as here, start() as there:
        process = there if elsewhere else here
        sessions = [await new_session(here.database, actor) for _ in range(2)]
        before = [await process.request(actor, session) for session in sessions]

        async with aclosing(here.approvals.follow(actor)) as told:
            first = await following(told, 2)
            later = [(await process.request(actor, session), (await following(told, 1))[0]) for session in sessions * 2]

    assert first == before
    assert all(requested == found for requested, found in later)


@asynccontextmanager
async def kept(*processes: AProcess, actor: Actor) -> AsyncIterator[list[list[UUID]]]:
    """What a follower on each process was told of so far."""
    found: list[list[UUID]] = [[] for _ in processes]

    async def keep(process: AProcess, told: list[UUID]) -> None:
        async with aclosing(process.approvals.follow(actor)) as executions:
            async for execution in executions:
                told.append(execution.id)

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


async def test_each_is_told_once_whatever_is_requested_at_once_and_decided(start: Any, actor: Actor) -> None:
    tools = ToolPipeline()
    async with start() as here, start() as there, kept(here, there, there, actor=actor) as found:
        sessions = [await new_session(here.database, actor) for _ in range(4)]

        async def request(process: AProcess, session: SessionId) -> list[UUID]:
            return [await process.request(actor, session) for _ in range(10)]

        asked = [request((here, there)[number % 2], session) for number, session in enumerate(sessions)]
        requested = [execution for each in await asyncio.gather(*asked) for execution in each]
        await counts(found, 40)
        for execution in requested[::2]:
            await tools.decide(here.database, actor, Decision(ToolExecutionId(execution), approve=True), None)
        last = await here.request(actor, sessions[0])
        await counts(found, 41)

    assert [told[-1] for told in found] == [last] * 3
    assert [sorted(told[:-1]) for told in found] == [sorted(requested)] * 3


async def test_nothing_is_missed_when_the_connection_that_listens_is_cut(start: Any, actor: Actor, dsn: str) -> None:
    async with start() as here, start() as there, kept(here, actor=actor) as found:
        session = await new_session(here.database, actor)
        first = await there.request(actor, session)
        await counts(found, 1)
        here.heard_again.clear()

        await execute(
            dsn,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND application_name = 'colloquy-listener'",
        )
        meanwhile = [await there.request(actor, session) for _ in range(3)]
        await asyncio.wait_for(here.heard_again.wait(), PATIENCE_SECONDS)
        after = await there.request(actor, session)
        await counts(found, 5)

    assert found == [[first, *meanwhile, after]]


async def test_an_inbox_longer_than_one_read_is_told_as_it_is_worked_off(start: Any, actor: Actor, dsn: str) -> None:
    async with start(poll_seconds=0.05) as process:
        first = await process.request(actor, await new_session(process.database, actor))
        await execute(dsn, _MANY_MORE.format(MOST_AWAITED + 4))
        async with kept(process, actor=actor) as found:
            await counts(found, MOST_AWAITED)
            told = list(found[0])

            for execution in told[:5]:
                decision = Decision(ToolExecutionId(execution), approve=True)
                await ToolPipeline().decide(process.database, actor, decision, None)
            await counts(found, MOST_AWAITED + 5)

    assert told[0] == first
    assert len(set(found[0])) == len(found[0])


_MANY_MORE = """
WITH call AS (
  INSERT INTO tool_calls (tenant_id, id, message_id, position, name, arguments)
  SELECT tenant_id, gen_random_uuid(), message_id, position + n, name, arguments
  FROM tool_calls, generate_series(1, {}) AS n RETURNING *
)
INSERT INTO tool_executions (tenant_id, id, session_id, user_id, message_id, tool_call_id, tool_name, input, status,
  required_approval, approval_expires_at)
SELECT call.tenant_id, gen_random_uuid(), session_id, user_id, call.message_id, call.id, tool_name, input, status,
  required_approval, approval_expires_at
FROM tool_executions, call
"""


@pytest.mark.parametrize("other", ["bob", "alice@acme", "system"])
async def test_nobody_else_is_told(start: Any, actor: Actor, other: str) -> None:
    user, _, tenant = other.partition("@")
    stranger = an_actor(user, tenant or "default")
    async with start() as process, kept(process, actor=stranger) as theirs, kept(process, actor=actor) as own:
        session = await new_session(process.database, actor)
        their_session = await new_session(process.database, stranger)

        mine = await process.request(actor, session)
        await counts(own, 1)
        others = await process.request(stranger, their_session)
        await counts(theirs, 1)

    assert (own, theirs) == ([[mine]], [[others]])


async def test_one_that_was_decided_before_it_could_be_told_is_passed_over(start: Any, actor: Actor) -> None:
    async with start() as process:
        session = await new_session(process.database, actor)
        decided, awaiting = [await process.request(actor, session) for _ in range(2)]
        await ToolPipeline().decide(process.database, actor, Decision(ToolExecutionId(decided), approve=False), None)

        async with aclosing(process.approvals.follow(actor)) as told:
            assert await following(told, 1) == [awaiting]


async def test_a_follower_that_waits_holds_no_connection(start: Any, actor: Actor) -> None:
    async with start() as process, kept(process, process, actor=actor) as found:
        session = await new_session(process.database, actor)
        await process.request(actor, session)
        await counts(found, 1)

        async def lent() -> int:
            return int(process.database._lender.in_use)

        await eventually(lent, 0)
