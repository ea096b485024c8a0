"""What becomes of the sessions of a project that is deleted, whoever they belong to, while answers are written."""

import asyncio
import threading

from app.core.actor import Actor
from app.core.ids import global_id, new_id
from app.events.models import Event
from app.events.values import EventKind
from app.runs.errors import RunNotFound
from app.runs.values import OnBusy
from app.sessions import service as sessions
from app.sessions.values import SessionId
from app.streams.values import StreamKey
from tests.conftest import an_actor
from tests.conversations import broken_rules, eventually, new_project, new_session, rows, value
from tests.llm.provider_servers import ProviderServer, openai_answer
from tests.runs.conftest import Process
from tests.runs.scenes import ECHO, ask, end_of, followed, held_back, is_quiet, is_running, ledger_of
from tests.runs.turning import WEATHER, calls_weather, waits

CAROL = an_actor("carol")
"""Who deletes: none of the sessions is hers."""


async def events_of(process: Process, actor: Actor, session_id: SessionId) -> list[Event]:
    """What happens to a session, to its end."""
    key = StreamKey(actor.tenant_id, session_id)
    return [event async for event in process.happened.follow(actor, key, 0)]


async def test_sessions_of_a_project_end_together_whatever_is_answered_in_them(
    asking: Process, server: ProviderServer, actor: Actor, dsn: str
) -> None:
    database, bob, gate = asking.database, an_actor("bob"), threading.Event()
    project, other = [await new_project(database, actor) for _ in range(2)]
    busy, calling = [await new_session(database, actor, project_id=project) for _ in range(2)]
    done = await new_session(database, bob, project_id=project)
    kept = [await new_session(database, actor, project_id=found) for found in (other, None)]
    server.script(calls_weather("Rome"), held_back("half an answer", gate))
    ended = await ask(asking, bob, done, wanted=ECHO)
    await end_of(asking, actor, ended)
    resting = await ask(asking, actor, calling, tools=(WEATHER,))
    await waits(dsn, resting)
    running = await ask(asking, actor, busy)
    await is_running(dsn, running)
    waiting = await ask(asking, actor, busy, on_busy=OnBusy.ENQUEUE)
    following = [asyncio.create_task(followed(asking, bob, run)) for run in (resting, running, waiting)]
    logs = [asyncio.create_task(events_of(asking, bob, session)) for session in (busy, calling, done)]

    async with database.unit_of_work() as uow:
        locked = await sessions.lock_of_project(uow, CAROL, project)
        deleted = await sessions.delete_of_project(uow, CAROL, project)
    told = await asyncio.wait_for(asyncio.gather(*following, return_exceptions=True), 60)
    gate.set()

    assert (locked, deleted) == (sorted((busy, calling, done)), 3)
    assert [type(one) for one in told] == [RunNotFound] * 3
    for session, owner, happened in zip((busy, calling, done), ("alice", "alice", "bob"), logs, strict=True):
        log = await asyncio.wait_for(happened, 60)
        last = log[-1]
        assert [event.seq for event in log] == list(range(1, len(log) + 1))
        assert (last.kind, last.actor, last.owner_id) == (EventKind.SESSION_DELETED, "carol", owner)
        assert last.correlation_id == CAROL.correlation_id
        assert last.payload == {"sessionId": global_id("ChatSession", session)}
    await eventually(lambda: value(dsn, "SELECT count(*) FROM pgqueuer"), 0)
    for table in ("runs", "run_events", "chat_messages", "tool_executions"):
        assert await value(dsn, f"SELECT count(*) FROM {table}") == 0
    assert {row["id"] for row in await rows(dsn, "SELECT id FROM chat_sessions")} == set(kept)
    assert [entry["status"] for entry in await ledger_of(dsn, running)] == ["cancelled"]
    assert [entry["status"] for entry in await ledger_of(dsn, ended)] == ["completed"]
    assert await ledger_of(dsn, waiting) == []
    assert await broken_rules(dsn) == []
    server.script(openai_answer("the next"))
    assert (await end_of(asking, actor, await ask(asking, actor, kept[0]))).status == "completed"
    await is_quiet(dsn)


async def test_other_tenants_and_projects_that_are_not_there_lose_nothing(
    asking: Process, actor: Actor, dsn: str
) -> None:
    database = asking.database
    project = await new_project(database, actor)
    await new_session(database, actor, project_id=project)
    before = await rows(dsn, "SELECT id, last_event FROM chat_sessions")

    for who, what in ((an_actor("alice", "acme"), project), (actor, new_id())):
        async with database.unit_of_work() as uow:
            assert await sessions.lock_of_project(uow, who, what) == []
            assert await sessions.delete_of_project(uow, who, what) == 0

    assert await rows(dsn, "SELECT id, last_event FROM chat_sessions") == before
    assert await value(dsn, "SELECT count(*) FROM events WHERE kind = 'session.deleted'") == 0


async def test_stage_outlives_the_session_it_was_generated_in(asking: Process, actor: Actor, dsn: str) -> None:
    database = asking.database
    project = await new_project(database, actor)
    session = await new_session(database, actor, project_id=project)
    run = await ask(asking, actor, session, wanted=ECHO)
    await end_of(asking, actor, run)
    await rows(
        dsn,
        """INSERT INTO workflow_stages (tenant_id, id, project_id, stage, attempt, status, content, model, run_id,
             error_code, created_by, correlation_id)
           VALUES ('default', $1, $2, 'requirements_analysis', 1, 'failed', 'text', 'local:echo', $3, 'INTERRUPTED',
             'alice', 'x')""",
        new_id(), project, run.id,
    )  # fmt: skip

    async with database.single_statement() as uow:
        await sessions.delete(uow, actor, session, None)

    [stage] = await rows(dsn, "SELECT project_id, run_id, content FROM workflow_stages")
    assert tuple(stage) == (project, None, "text")
