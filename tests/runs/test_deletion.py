"""What becomes of an answer whose message or session is deleted while it is being written."""

import asyncio
import threading
from typing import Any

import pytest

from app.core.actor import Actor
from app.db.database import Database
from app.messages import service as messages
from app.messages.errors import MessageNotFound
from app.messages.values import MessageId
from app.runs import service
from app.runs.accounts import Accounts
from app.runs.errors import RunNotFound
from app.runs.following import Ended
from app.runs.models import Run
from app.runs.pipeline import RunPipeline
from app.runs.service import Claimed
from app.runs.values import Asked, Ending, OnBusy, RunStatus
from app.sessions import service as sessions
from app.sessions.values import SessionId
from tests.conftest import an_actor
from tests.conversations import eventually, rows, value
from tests.fakes import in_view
from tests.llm.provider_servers import ProviderServer, openai_answer
from tests.runs.conftest import Process
from tests.runs.scenes import (
    ECHO,
    ask,
    end_of,
    followed,
    held_back,
    is_quiet,
    is_running,
    ledger_of,
    message_of,
    row_of,
    text_of,
)


async def delete(database: Database, actor: Actor, run: Run) -> None:
    """Delete the message that a run writes."""
    async with database.single_statement() as uow:
        await messages.delete(uow, actor, MessageId(run.message_id), None)


async def claimed_by_nobody_else(
    runs: RunPipeline, services: Any, database: Database, actor: Actor, session_id: SessionId
) -> tuple[Claimed, Run]:
    """A run that the test works itself, and one that waits behind it."""
    first = (await runs.send(database, actor, Asked(session_id, "first", ECHO), None)).run
    second = (await runs.send(database, actor, Asked(session_id, "second", ECHO, on_busy=OnBusy.ENQUEUE), None)).run
    ref = service.ref_of(first)
    claimed = await database.transact(lambda uow: service.claim(uow, services[Accounts], ref, in_view(1)))
    assert claimed is not None
    return claimed, second


async def test_message_that_is_deleted_while_it_is_written_leaves_nothing(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    server.script(held_back("half an answer", threading.Event()), openai_answer("the next"))
    first = await ask(asking, actor, session_id)
    await is_running(dsn, first)
    second = await ask(asking, actor, session_id, on_busy=OnBusy.ENQUEUE)
    following = asyncio.create_task(followed(asking, actor, first))

    await delete(asking.database, actor, first)
    told = await following
    end = await end_of(asking, actor, second)

    assert isinstance(told[-1], Ended)
    assert (told[-1].node_type, end.status) == ("CompletionCancelled", "completed")
    assert server.left.wait(20), "nobody wants the rest of the answer"
    message = await message_of(dsn, first)
    assert (message["status"], message["content"]) == ("cancelled", "")
    assert message["deleted_at"] is not None
    kept = await rows(dsn, "SELECT kind FROM run_events WHERE run_id = $1", first.id)
    assert [row["kind"] for row in kept] == ["cancelled"]
    [entry] = await ledger_of(dsn, first)
    assert (entry["status"], entry["estimated"]) == ("cancelled", True)
    assert text_of(await followed(asking, actor, first)) == ""


async def test_answer_goes_on_when_somebody_else_asks_to_delete_it(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    gate = threading.Event()
    server.script(held_back("one answer", gate))
    run = await ask(asking, actor, session_id)
    await is_running(dsn, run)

    with pytest.raises(MessageNotFound):
        await delete(asking.database, an_actor("bob"), run)
    gate.set()

    assert (await end_of(asking, actor, run)).status == "completed"
    assert (await message_of(dsn, run))["content"] == "one answer"


async def test_waiting_run_whose_message_is_deleted_is_passed_over(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    gate = threading.Event()
    server.script(held_back("first answer", gate), openai_answer("third answer"))
    first = await ask(asking, actor, session_id)
    await is_running(dsn, first)
    second, third = [await ask(asking, actor, session_id, on_busy=OnBusy.ENQUEUE) for _ in range(2)]

    await delete(asking.database, actor, second)
    gate.set()
    ends = [await end_of(asking, actor, run) for run in (first, second, third)]

    assert [end.status for end in ends] == ["completed", "cancelled", "completed"]
    assert await ledger_of(dsn, second) == []


async def test_queued_run_whose_message_is_deleted_gives_its_turn_on(
    runs: RunPipeline, services: Any, database: Database, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    first = (await runs.send(database, actor, Asked(session_id, "first", ECHO), None)).run
    second = (await runs.send(database, actor, Asked(session_id, "second", ECHO, on_busy=OnBusy.ENQUEUE), None)).run

    await delete(database, actor, first)
    ref = service.ref_of(first)
    claimed = await database.transact(lambda uow: service.claim(uow, services[Accounts], ref, in_view(1)))

    assert claimed is None
    assert not (await row_of(dsn, second))["waiting"]


async def test_message_that_is_deleted_just_before_its_end_gives_its_turn_on(
    runs: RunPipeline, services: Any, database: Database, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    claimed, second = await claimed_by_nobody_else(runs, services, database, actor, session_id)
    await delete(database, actor, claimed.run)

    complete = Ending(RunStatus.COMPLETED)
    ended = await database.transact(lambda uow: service.finish(uow, services[Accounts], claimed, complete))

    assert ended is None
    assert not (await row_of(dsn, second))["waiting"]
    assert len(await ledger_of(dsn, claimed.run)) == 1


async def test_session_that_is_deleted_while_an_answer_is_written_ends_it(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    gate = threading.Event()
    server.script(held_back("half an answer", gate))
    run = await ask(asking, actor, session_id)
    await is_running(dsn, run)
    following = asyncio.create_task(followed(asking, actor, run))

    async with asking.database.single_statement() as uow:
        await sessions.delete(uow, actor, session_id, None)
    with pytest.raises(RunNotFound):
        await following
    gate.set()

    await eventually(lambda: value(dsn, "SELECT count(*) FROM pgqueuer"), 0)
    for table in ("runs", "run_events", "chat_messages"):
        assert await value(dsn, f"SELECT count(*) FROM {table}") == 0
    (entry,) = await ledger_of(dsn, run)
    assert (entry["status"], entry["estimated"]) == ("cancelled", True)
    assert 0 < entry["output_tokens"] <= len("half an answer") // 4
    with pytest.raises(RunNotFound):
        await followed(asking, actor, run)
    other = await ask(asking, actor, wanted=ECHO)
    assert (await end_of(asking, actor, other)).status == "completed"
    await is_quiet(dsn)
