"""What is done for runs by the calendar: nothing is lost by it, and nothing is forgotten."""

import threading
from datetime import timedelta
from typing import Any

import pytest

from app.core.actor import Actor
from app.db.database import Database
from app.idempotency.service import forget_old_keys
from app.messages.pipeline import MessagePipeline
from app.messages.values import MessageRole, MessageStatus
from app.runs import upkeep
from app.runs.errors import UnknownPosition
from app.runs.following import Ended, Snapshot
from app.runs.pipeline import RunPipeline
from app.runs.turns import Turns
from app.runs.values import Asked
from app.sessions.values import SessionId
from tests.conftest import execute
from tests.conversations import rows, say
from tests.llm.provider_servers import ProviderServer, Reply, Wait, openai_answer
from tests.runs.conftest import Process, a_process
from tests.runs.scenes import (
    ECHO,
    a_key,
    agrees,
    ask,
    end_of,
    followed,
    held_back,
    is_running,
    row_of,
    statuses,
    text_of,
)

NOW = timedelta(0)
DAY = timedelta(days=1)
LONG_AGO = "interval '2 days'"


def in_pieces(text: str) -> Reply:
    """An answer whose words are stored one by one."""
    return openai_answer(text, pause=Wait(0.06))


async def lines_of(dsn: str) -> list[str]:
    """What the log of all runs says."""
    return [row["kind"] for row in await rows(dsn, "SELECT kind FROM run_events ORDER BY run_id, seq")]


@pytest.mark.parametrize("compacted", [False, True])
async def test_answer_is_the_same_from_every_position_also_when_its_pieces_are_given_up(
    asking: Process, server: ProviderServer, actor: Actor, dsn: str, compacted: bool
) -> None:
    server.script(in_pieces("one two three four five six"))
    run = await ask(asking, actor)
    whole = await followed(asking, actor, run, 0)
    text, last = text_of(whole), whole[-1].seq
    assert last > 3
    had = [text_of(event for event in whole if event.seq <= position) for position in range(last)]

    if compacted:
        await upkeep.compact(asking.database, NOW)
        assert await lines_of(dsn) == ["completed"]

    for position in range(last):
        told = await followed(asking, actor, run, position)
        replaced = [event.text for event in told if isinstance(event, Snapshot)]
        assert (replaced[-1] if replaced else had[position] + text_of(told)) == text
        assert isinstance(told[-1], Ended)
        assert told[-1].seq == last
        assert len(told) <= 2 or not compacted
    assert await followed(asking, actor, run, last) == []
    fresh = await followed(asking, actor, run)
    assert [type(event) for event in fresh] == [Snapshot, Ended]
    assert text_of(fresh) == text
    with pytest.raises(UnknownPosition):
        await followed(asking, actor, run, last + 1)


async def test_pieces_of_an_answer_that_is_being_written_are_kept(
    asking: Process, server: ProviderServer, actor: Actor, dsn: str
) -> None:
    gate = threading.Event()
    server.script(held_back("half an answer", gate))
    run = await ask(asking, actor)
    await is_running(dsn, run)

    await upkeep.compact(asking.database, NOW)
    kept = await lines_of(dsn)
    with pytest.raises(UnknownPosition):
        await followed(asking, actor, run, 99)
    gate.set()

    assert kept == ["delta"]
    assert text_of(await followed(asking, actor, run, 0)) == "half an answer"


async def test_pieces_are_kept_for_as_long_as_was_chosen(process: Process, actor: Actor, dsn: str) -> None:
    run = await ask(process, actor, content="hello", wanted=ECHO)
    await end_of(process, actor, run)

    await upkeep.compact(process.database, DAY)
    young = await lines_of(dsn)
    await execute(dsn, f"UPDATE runs SET finished_at = finished_at - {LONG_AGO}")
    await upkeep.compact(process.database, DAY)

    assert young[-1] == "completed"
    assert "delta" in young
    assert await lines_of(dsn) == ["completed"]


async def test_run_whose_job_was_lost_is_worked_after_all(
    runs: RunPipeline, turns: Turns, database: Database, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    run = (await runs.send(database, actor, Asked(session_id, "hello", ECHO), None)).run
    await execute(dsn, "DELETE FROM pgqueuer")
    await upkeep.remind(database, turns)
    too_young = await rows(dsn, "SELECT 1 FROM pgqueuer")
    await execute(dsn, f"UPDATE runs SET created_at = created_at - {LONG_AGO}")

    async with a_process(dsn) as process:
        await upkeep.remind(process.database, turns)
        end = await end_of(process, actor, run)

    assert too_young == []
    assert end.status == "completed"


async def test_run_that_has_its_job_is_not_given_another(
    runs: RunPipeline, turns: Turns, database: Database, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    await runs.send(database, actor, Asked(session_id, "hello", ECHO), None)
    await execute(dsn, f"UPDATE runs SET created_at = created_at - {LONG_AGO}")

    for _ in range(3):
        await upkeep.remind(database, turns)

    assert len(await rows(dsn, "SELECT 1 FROM pgqueuer")) == 1


async def test_answer_that_an_application_never_ended_has_failed(
    database: Database, pipeline: MessagePipeline, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    role, processing = MessageRole.ASSISTANT, MessageStatus.PROCESSING
    forgotten = await say(database, pipeline, actor, session_id, "half an ans", role, processing)
    done = await say(database, pipeline, actor, session_id, "done", role)
    await execute(dsn, f"UPDATE chat_messages SET updated_at = updated_at - {LONG_AGO}")
    young = await say(database, pipeline, actor, session_id, "just begun", role, processing)

    await upkeep.abandon(database, pipeline, DAY)

    found = {row["id"]: row for row in await rows(dsn, "SELECT * FROM chat_messages")}
    assert {found[message.id]["status"] for message in (done,)} == {"completed"}
    assert found[young.id]["status"] == "processing"
    ended = found[forgotten.id]
    assert (ended["status"], ended["error_code"], ended["content"]) == ("failed", "INTERRUPTED", "half an ans")
    await agrees(dsn, session_id)


async def test_answer_that_a_run_writes_is_left_to_the_run(
    runs: RunPipeline, database: Database, pipeline: MessagePipeline, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    await runs.send(database, actor, Asked(session_id, "hello", ECHO), None)
    await execute(dsn, f"UPDATE chat_messages SET updated_at = updated_at - {LONG_AGO}")

    await upkeep.abandon(database, pipeline, DAY)

    assert await statuses(dsn, session_id) == ["queued"]
    found = await rows(dsn, "SELECT status FROM chat_messages WHERE role = 'assistant'")
    assert [row["status"] for row in found] == ["pending"]


async def test_key_that_was_used_long_ago_is_a_new_one(
    runs: RunPipeline, services: Any, database: Database, actor: Actor, dsn: str
) -> None:
    asked = Asked(None, "hello", ECHO)
    first = (await runs.send(database, actor, asked, a_key())).run

    await forget_old_keys(database, DAY)
    again = await runs.send(database, actor, asked, a_key())
    await execute(dsn, f"UPDATE client_keys SET created_at = created_at - {LONG_AGO}")
    await forget_old_keys(database, DAY)
    anew = await runs.send(database, actor, asked, a_key())

    assert (again.run.id, again.deduplicated) == (first.id, True)
    assert not anew.deduplicated
    assert (await row_of(dsn, anew.run))["session_id"] != first.session_id
