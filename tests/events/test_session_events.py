"""Following a session by GraphQL: every event once, in order, without a poll, wherever it was written."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from functools import partial
from hashlib import sha256
from typing import Any

import pytest
from graphql import ExecutionResult

from app.attachments import service as attachments
from app.attachments.values import AttachmentId, NewAttachment
from app.branches import pipeline as branches
from app.branches.values import ForkRequest
from app.core.actor import Actor
from app.core.errors import AppError, ErrorCode
from app.core.ids import global_id, new_id
from app.core.settings.limits import LimitSettings
from app.db.database import Database, PoolSettings
from app.db.listening import Listener
from app.events.following import HappenedEvents
from app.events.loaders import read_events
from app.events.models import Event
from app.events.values import OF_PROJECTS, EventKind
from app.execution.pipeline import PromptExecutions
from app.execution.values import ExecutePromptRequest
from app.graph.body import GraphQLRequest
from app.graph.context import Context
from app.graph.preparing import Preparation
from app.messages import service as messages
from app.messages.pipeline import MessagePipeline
from app.messages.values import Edit, MessageId, MessageRole
from app.runs import service
from app.runs.accounts import Accounts
from app.runs.pipeline import RunPipeline
from app.runs.turns import Turns
from app.runs.values import Asked, Ending, OnBusy, RunId, RunStatus, Wanted
from app.schema import schema
from app.sessions import service as sessions
from app.sessions.values import AgentStateId, NewAgentState, SessionId
from app.streams.feed import Feed
from app.streams.wakeups import WakeUps
from app.tools import service as tools
from app.tools.pipeline import ToolPipeline
from app.tools.values import Decision, ExecutionStatus, NewToolCall, NewToolExecution, ToolCallId, ToolExecutionId
from tests.conftest import an_actor
from tests.conversations import new_session, say
from tests.fakes import in_view
from tests.tools.scenes import expired_by_now

PATIENCE_SECONDS = 20.0
NEVER_SECONDS = 3_600.0

FOLLOW = "subscription ($id: ID!, $after: BigInt) { sessionEvents(sessionId: $id, after: $after) { seq kind actor } }"

Results = AsyncGenerator[ExecutionResult, None]


@asynccontextmanager
async def a_process(dsn: str) -> AsyncIterator[tuple[Database, HappenedEvents]]:
    """A process that follows events, and never polls."""
    async with AsyncExitStack() as stack:
        database = await Database.connect(dsn, PoolSettings())
        stack.push_async_callback(database.close)
        wakeups, heard = WakeUps(database), asyncio.Event()
        feed: Feed[Event] = Feed(partial(read_events, database), NEVER_SECONDS)
        wakeups.on(feed.heard, feed.missed)
        wakeups.on(lambda _: None, heard.set)
        database.announce_to(wakeups.tell)
        wakeups.attach(await stack.enter_async_context(Listener(dsn)))
        tasks = [asyncio.create_task(loop) for loop in (wakeups.run(), feed.run())]
        await asyncio.wait_for(heard.wait(), PATIENCE_SECONDS)
        yield database, HappenedEvents(database, feed)
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        assert feed.followed == 0


async def subscribed(
    database: Database, happened: HappenedEvents, actor: Actor, session_id: SessionId, after: int | None = None
) -> Results:
    """The results of the subscription."""
    variables: dict[str, Any] = {"id": global_id("ChatSession", session_id)}
    if after is not None:
        variables["after"] = after
    context = Context(actor, database, {HappenedEvents: happened})
    found = await schema.subscribe(
        GraphQLRequest(FOLLOW, variables), Preparation(schema.core, LimitSettings()).prepare(FOLLOW), context
    )
    assert not isinstance(found, ExecutionResult), found
    return found


async def told(results: Results) -> tuple[int, str]:
    """Number and kind of the next event."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        result = await anext(results)
    assert result.errors is None
    assert result.data is not None
    event = result.data["sessionEvents"]
    return int(event["seq"]), event["kind"]


async def refused(results: Results) -> ErrorCode:
    """The code of the error that the subscription ends with."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        [result] = [result async for result in results]
    assert result.errors is not None
    error = result.errors[0].original_error
    assert isinstance(error, AppError)
    return error.code


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_what_happens_is_told_wherever_it_is_written(
    dsn: str, pipeline: MessagePipeline, actor: Actor, elsewhere: bool
) -> None:
    async with a_process(dsn) as (here, happened), a_process(dsn) as (there, _):
        writing = there if elsewhere else here
        session_id = await new_session(writing, actor)
        async with (
            aclosing(await subscribed(here, happened, actor, session_id)) as new,
            aclosing(await subscribed(here, happened, actor, session_id, 0)) as every,
        ):
            first = asyncio.create_task(told(new))
            assert await told(every) == (1, "SESSION_CREATED")
            # The one that wants only what is new has asked what there is by now: it got its answer before.
            await asyncio.sleep(0.2)
            await say(writing, pipeline, actor, session_id)

            assert await first == (2, "MESSAGE_APPENDED")
            assert await told(every) == (2, "MESSAGE_APPENDED")


async def everything(dsn: str, database: Database, services: Any, actor: Actor, session_id: SessionId) -> None:
    """One event of every kind, the deletion last."""
    pipeline, runs, accounts = services[MessagePipeline], services[RunPipeline], services[Accounts]
    async with database.unit_of_work() as uow:
        await sessions.update(uow, actor, session_id, {"title": "New"}, None)
    async with database.single_statement() as uow:
        await sessions.set_metadata(uow, actor, session_id, {"tags": ["a"]}, None)
    async with database.single_statement() as uow:
        state = NewAgentState(AgentStateId(new_id()), session_id, "agent", {"a": 1})
        await sessions.set_agent_state(uow, actor, state, None)
    message = MessageId((await say(database, pipeline, actor, session_id, "hi", MessageRole.ASSISTANT)).id)
    async with database.single_statement() as uow:
        call = (await tools.add(uow, actor, NewToolCall(ToolCallId(new_id()), message, "search", "{}"), None)).tool_call
    await execute_every_way(dsn, database, actor, message, ToolCallId(call.id))
    attachment = AttachmentId(new_id())
    async with database.single_statement() as uow:
        new = NewAttachment(attachment, message, "a.txt", "text/plain", sha256(b"a").digest(), b"a")
        await attachments.add(uow, actor, new, None)
    async with database.single_statement() as uow:
        await attachments.delete(uow, actor, attachment, None)
    async with database.single_statement() as uow:
        await messages.update(uow, actor, message, {"content": "ho"}, None)
    async with database.single_statement() as uow:
        await messages.delete(uow, actor, message, None)
    for status in (RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.INTERRUPTED):
        asked = Asked(session_id, "hello", Wanted("local:echo"), on_busy=OnBusy.REJECT)
        run = (await runs.send(database, actor, asked, None)).run
        ref = service.ref_of(run)
        claimed = await database.transact(partial(_claim, accounts, ref))
        assert claimed is not None
        ending = Ending(status)
        if status is RunStatus.COMPLETED:
            await database.transact(partial(_rest, services[Turns], claimed))
            claimed = await database.transact(partial(_claim, accounts, ref))
            assert claimed is not None
        if status is RunStatus.CANCELLED:
            await runs.cancel(database, actor, RunId(run.id), None)
        else:
            await database.transact(partial(_finish, accounts, claimed, ending))
    executor = services[PromptExecutions].for_request(database, actor)
    prompt = ExecutePromptRequest(session_id, content="hello", wanted=Wanted("local:echo"))
    await executor.execute_prompt(prompt, actor.correlation_id)
    await pipeline.edit(database, actor, Edit(MessageId(run.prompt_message_id), "anew"), None)
    await branches.set_leaf(database, actor, session_id, MessageId(run.prompt_message_id), None)
    async with database.single_statement() as uow:
        await sessions.delete(uow, actor, session_id, None)


async def execute_every_way(
    dsn: str, database: Database, actor: Actor, message: MessageId, call_id: ToolCallId
) -> None:
    """An execution that is decided and worked, and one that nobody decides about in time."""
    pipeline = ToolPipeline()
    decided, late = ToolExecutionId(new_id()), ToolExecutionId(new_id())
    async with database.single_statement() as uow:
        await tools.execute(uow, actor, NewToolExecution(decided, call_id, required_approval=True), None)
    await pipeline.decide(database, actor, Decision(decided, approve=True), None)
    await pipeline.update(database, actor, decided, {"status": ExecutionStatus.RUNNING}, None)
    another = NewToolCall(ToolCallId(new_id()), message, "search", "{}")
    async with database.single_statement() as uow:
        await tools.add(uow, actor, another, None)
    async with database.single_statement() as uow:
        await tools.execute(uow, actor, NewToolExecution(late, another.id, required_approval=True), None)
    await expired_by_now(dsn)
    await pipeline.expire(database, actor, late)


async def _claim(accounts: Accounts, ref: Any, uow: Any) -> Any:
    return await service.claim(uow, accounts, ref, in_view(1))


async def _rest(turns: Turns, claimed: Any, uow: Any) -> Any:
    # A turn whose calls have all ended by then: none was made.
    return await turns.finish(uow, claimed, Ending(RunStatus.COMPLETED), called=True)


async def _finish(accounts: Accounts, claimed: Any, ending: Ending, uow: Any) -> Any:
    return await service.finish(uow, accounts, claimed, ending)


async def test_events_of_every_kind_arrive_once_and_end_with_the_deletion(
    dsn: str, services: Any, actor: Actor
) -> None:
    async with a_process(dsn) as (here, happened), a_process(dsn) as (there, _):
        session_id = await new_session(there, actor)
        results = await subscribed(here, happened, actor, session_id, 0)
        seen = [await told(results)]

        await everything(dsn, there, services, actor, session_id)
        async with asyncio.timeout(PATIENCE_SECONDS):
            seen += [(result.data["sessionEvents"]["seq"], result.data["sessionEvents"]["kind"])
                     async for result in results if result.data is not None]  # fmt: skip

    assert [int(seq) for seq, _ in seen] == list(range(1, len(seen) + 1))
    of_sessions = {kind.name for kind in EventKind if not kind.startswith(OF_PROJECTS)}
    assert {kind for _, kind in seen} == of_sessions - {"SESSION_FORKED"}
    assert seen[-1][1] == "SESSION_DELETED"


async def test_a_fork_is_the_first_that_happens_to_its_session(
    dsn: str, pipeline: MessagePipeline, actor: Actor
) -> None:
    async with a_process(dsn) as (database, happened):
        session_id = await new_session(database, actor)
        fork = (await branches.fork(database, actor, ForkRequest(session_id), None)).session
        assert fork
        async with aclosing(await subscribed(database, happened, actor, SessionId(fork.id), 0)) as results:
            assert await told(results) == (1, "SESSION_FORKED")
            await say(database, pipeline, actor, SessionId(fork.id))
            assert await told(results) == (2, "MESSAGE_APPENDED")


async def test_following_goes_on_after_the_number_one_has(dsn: str, pipeline: MessagePipeline, actor: Actor) -> None:
    async with a_process(dsn) as (database, happened):
        session_id = await new_session(database, actor)
        for _ in range(4):
            await say(database, pipeline, actor, session_id)

        async with aclosing(await subscribed(database, happened, actor, session_id, 3)) as results:
            assert [await told(results) for _ in range(2)] == [(4, "MESSAGE_APPENDED"), (5, "MESSAGE_APPENDED")]


async def test_number_that_was_not_reached_is_refused(dsn: str, actor: Actor) -> None:
    async with a_process(dsn) as (database, happened):
        session_id = await new_session(database, actor)

        assert await refused(await subscribed(database, happened, actor, session_id, 2)) == ErrorCode.INVALID_CURSOR


@pytest.mark.parametrize("other", ["bob", "alice@acme"])
async def test_session_of_somebody_else_is_not_there(dsn: str, actor: Actor, other: str) -> None:
    user, _, tenant = other.partition("@")
    async with a_process(dsn) as (database, happened):
        session_id = await new_session(database, actor)
        stranger = an_actor(user, tenant or "default")

        assert await refused(await subscribed(database, happened, stranger, session_id)) == ErrorCode.SESSION_NOT_FOUND
