"""Runs that wait for their tools: what ends the wait, what survives it, and what it holds meanwhile."""

import threading
from datetime import timedelta

import pytest

from app.core.actor import Actor
from app.db.scopes import UnitOfWork
from app.messages import service as messages
from app.messages.values import MessageId
from app.runs import service, upkeep
from app.runs.accounts import Accounts
from app.runs.following import Ended, Snapshot
from app.runs.turns import Turns
from app.runs.values import OnBusy, RunId
from app.sessions import service as sessions
from app.sessions.values import SessionId
from tests.conftest import execute
from tests.conversations import eventually, rows, value
from tests.fakes import in_view
from tests.llm.provider_servers import ProviderServer, openai_answer, openai_tool_call
from tests.runs.conftest import Process, a_process_asking
from tests.runs.scenes import agrees, ask, end_of, followed, held_back, ledger_of, message_of, row_of
from tests.runs.turning import RISKY, WEATHER, calls_weather, conversation, decide, executions, report, waits

DAY = timedelta(days=1)
LONG_AGO = "created_at = created_at - interval '1 hour'"


async def test_run_that_waits_holds_no_connection_and_no_task(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    server.script(calls_weather("Rome"))
    run = await ask(asking, actor, session_id, tools=(WEATHER,))

    await waits(dsn, run)
    await server.quiet()

    busy = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE '%transaction%'"
    assert await value(dsn, busy) == 0
    await eventually(lambda: value(dsn, "SELECT count(*) FROM pgqueuer"), 0)


async def test_cancelled_wait_keeps_the_message_and_calls_the_executions_off(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    server.script(calls_weather("Rome", "Oslo", text="I look."))
    run = await ask(asking, actor, session_id, tools=(WEATHER,))
    await waits(dsn, run)
    first, _ = await executions(dsn, run)
    await report(asking, actor, first["id"], "sunny")
    used = (await row_of(dsn, run))["input_tokens"]

    ended = (await asking.runs.cancel(asking.database, actor, RunId(run.id), None)).run

    assert (ended.status, ended.message_id) == ("cancelled", run.message_id)
    message = await message_of(dsn, run)
    assert (message["status"], message["content"]) == ("completed", "I look.")
    assert [execution["status"] for execution in await executions(dsn, run)] == ["completed", "cancelled"]
    [entry] = await ledger_of(dsn, run)
    assert (entry["input_tokens"], used) == (9, 9)
    assert (await end_of(asking, actor, run)).status == "cancelled"
    assert await value(dsn, "SELECT count(*) FROM chat_messages WHERE role = 'tool'") == 0
    await agrees(dsn, session_id)


async def test_session_is_answered_after_a_wait_was_interrupted_and_its_model_knows_of_the_call(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    server.script(calls_weather("Rome"), openai_answer("Never mind."))
    waiting = await ask(asking, actor, session_id, "Weather?", tools=(WEATHER,))
    await waits(dsn, waiting)

    run = await ask(asking, actor, session_id, "Stop.", on_busy=OnBusy.INTERRUPT)
    end = await end_of(asking, actor, run)

    assert (end.status, (await row_of(dsn, waiting))["status"]) == ("completed", "cancelled")
    # Providers refuse a call without a result.
    asked = [(part["role"], part.get("content")) for part in server.requests[-1].body["messages"]]
    assert asked[-2:] == [("tool", "called off"), ("user", "Stop.")]


async def test_session_refuses_and_queues_while_its_run_waits(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    server.script(calls_weather("Rome"), openai_answer("It is sunny."), openai_answer("And tomorrow, too."))
    first = await ask(asking, actor, session_id, "Weather?", tools=(WEATHER,))
    await waits(dsn, first)

    second = await ask(asking, actor, session_id, "And tomorrow?", on_busy=OnBusy.ENQUEUE)
    queued = (await row_of(dsn, second))["waiting"]
    [execution] = await executions(dsn, first)
    await report(asking, actor, execution["id"], "sunny")
    end = await end_of(asking, actor, second)

    assert (queued, end.status) == (True, "completed")
    # The second question follows the whole answer to the first.
    assert [part[:3] for part in await conversation(dsn, second)] == [
        ("user", "completed", "Weather?"),
        ("assistant", "completed", ""),
        ("tool", "completed", "sunny"),
        ("assistant", "completed", "It is sunny."),
        ("user", "completed", "And tomorrow?"),
        ("assistant", "completed", "And tomorrow, too."),
    ]
    leaf = "SELECT active_leaf_id FROM chat_sessions WHERE id = $1"
    assert await value(dsn, leaf, session_id) == second.message_id
    await agrees(dsn, session_id)


async def test_deleted_calling_message_ends_the_wait_and_its_executions(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    server.script(openai_tool_call("delete_file", "{}"))
    run = await ask(asking, actor, session_id, tools=(RISKY,))
    await waits(dsn, run)

    async with asking.database.single_statement() as uow:
        await messages.delete(uow, actor, MessageId(run.message_id), None)

    ended = await row_of(dsn, run)
    assert (ended["status"], ended["message_id"]) == ("cancelled", run.message_id)
    assert await executions(dsn, run) == []
    assert (await end_of(asking, actor, run)).status == "cancelled"
    [entry] = await ledger_of(dsn, run)
    assert (entry["input_tokens"], entry["output_tokens"]) == (9, 3)


async def test_text_of_a_turn_that_was_left_behind_is_gone_with_its_message(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    gate = threading.Event()
    server.script(calls_weather("Rome", text="A secret."), held_back("It is sunny.", gate))
    run = await ask(asking, actor, session_id, tools=(WEATHER,))
    await waits(dsn, run)
    [execution] = await executions(dsn, run)
    await report(asking, actor, execution["id"], "sunny")
    await server.asked(2)

    async with asking.database.single_statement() as uow:
        await messages.delete(uow, actor, MessageId(run.message_id), None)
    gate.set()
    end = await end_of(asking, actor, run)

    assert end.status == "completed"
    assert (await message_of(dsn, run))["content"] == "It is sunny."
    assert await value(dsn, "SELECT count(*) FROM run_events WHERE payload::text LIKE '%secret%'") == 0
    numbers = [row["seq"] for row in await rows(dsn, "SELECT seq FROM run_events WHERE run_id = $1 ORDER BY 1", run.id)]
    assert numbers == list(range(1, len(numbers) + 1))


async def test_what_a_deleted_session_used_while_its_run_waited_is_in_the_ledger(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    server.script(calls_weather("Rome", text="I look."))
    run = await ask(asking, actor, session_id, tools=(WEATHER,))
    await waits(dsn, run)

    async with asking.database.single_statement() as uow:
        await sessions.delete(uow, actor, session_id, None)

    [entry] = await ledger_of(dsn, run)
    assert (entry["status"], entry["input_tokens"], entry["output_tokens"]) == ("cancelled", 9, 3)
    left = "SELECT (SELECT count(*) FROM run_events) + (SELECT count(*) FROM run_turns) + (SELECT count(*) FROM runs)"
    assert await value(dsn, left) == 0


async def test_retry_goes_on_behind_the_results_that_are_there(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    server.script(calls_weather("Rome"), openai_answer("It is").broken(1), openai_answer("It is sunny."))
    run = await ask(asking, actor, session_id, "Weather?", tools=(WEATHER,))
    await waits(dsn, run)
    [execution] = await executions(dsn, run)
    await report(asking, actor, execution["id"], "sunny")
    failed = await end_of(asking, actor, run)

    again = (await asking.runs.retry(asking.database, actor, RunId(run.id), None)).run
    end = await end_of(asking, actor, again)

    assert (failed.status, end.status, end.turns) == ("failed", "completed", 1)
    assert again.prompt_message_id == run.prompt_message_id
    assert [part[2] for part in await conversation(dsn, again)] == ["Weather?", "", "sunny", "It is sunny."]
    assert [tool["function"]["name"] for tool in server.requests[-1].body["tools"]] == ["weather"]


async def test_wait_whose_end_was_forgotten_is_found_and_one_that_goes_on_is_left_alone(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    turns = asking.services[Turns]
    server.script(calls_weather("Rome"), openai_answer("Sunny."))
    run = await ask(asking, actor, session_id, tools=(WEATHER,))
    await waits(dsn, run)
    await execute(dsn, f"UPDATE runs SET {LONG_AGO}")
    await upkeep.remind(asking.database, turns)
    left_alone = (await row_of(dsn, run))["status"]
    # As nothing does: an end of which the run was not told.
    await execute(
        dsn,
        "UPDATE tool_executions SET status = 'completed', output = 'sunny', started_at = now(), completed_at = now()",
    )

    await upkeep.remind(asking.database, turns)
    end = await end_of(asking, actor, run)

    assert (left_alone, end.status) == ("requires_action", "completed")
    assert [part[2] for part in await conversation(dsn, run)][-2:] == ["sunny", "Sunny."]


async def test_job_that_comes_while_a_run_waits_changes_nothing(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    server.script(calls_weather("Rome"))
    run = await ask(asking, actor, session_id, tools=(WEATHER,))
    await waits(dsn, run)
    before = await row_of(dsn, run)

    async def claim(uow: UnitOfWork) -> object:
        return await service.claim(uow, asking.services[Accounts], service.ref_of(run), in_view(1))

    assert await asking.database.transact(claim) is None
    assert await row_of(dsn, run) == before


async def test_approval_that_came_in_another_process_continues_the_run_here(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    server.script(openai_tool_call("delete_file", "{}"), openai_answer("I leave it."))
    run = await ask(asking, actor, session_id, tools=(RISKY,))
    await waits(dsn, run)
    [execution] = await executions(dsn, run)

    async with a_process_asking(dsn, server) as other:
        await decide(other, actor, execution["id"], approve=False)
        end = await end_of(asking, actor, run)

    assert end.status == "completed"


@pytest.mark.parametrize("died", [1, 2])
async def test_worker_that_dies_in_the_second_turn_is_followed_as_in_the_first(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str, died: int
) -> None:
    server.script(calls_weather("Rome", text="I look."), openai_answer("It is sunny."))
    run = await ask(asking, actor, session_id, tools=(WEATHER,))
    await waits(dsn, run)
    [execution] = await executions(dsn, run)
    # A worker takes the second turn and dies: it has shown something, or not.
    async with a_process_asking(dsn, server):
        await report(asking, actor, execution["id"], "sunny")
        end = await end_of(asking, actor, run)
    assert end.status == "completed"
    [first] = await rows(dsn, "SELECT * FROM run_turns WHERE run_id = $1", run.id)
    assert (first["message_id"], first["first_seq"]) == (run.message_id, 1)
    await execute(
        dsn,
        "UPDATE runs SET status = 'running', finished_at = NULL, last_seq = 0; "
        f"DELETE FROM run_events WHERE seq > {first['last_seq'] + (died - 1)} OR kind = 'completed'; "
        "DELETE FROM usage_ledger",
    )
    server.script(openai_answer("It is sunny, after all."))

    async def claim(uow: UnitOfWork) -> object:
        return await service.claim(uow, asking.services[Accounts], service.ref_of(run), in_view(1))

    claimed = await asking.database.transact(claim)

    row = await row_of(dsn, run)
    assert (row["status"], claimed is None) == (("running", False) if died == 1 else ("interrupted", True))
    written = "SELECT status, content FROM chat_messages WHERE id = $1"
    [calling] = await rows(dsn, written, run.message_id)
    assert tuple(calling) == ("completed", "I look.")


async def test_compacted_run_of_two_turns_is_followed_by_the_message_it_ended_with(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    server.script(calls_weather("Rome", text="I look."), openai_answer("It is sunny."))
    run = await ask(asking, actor, session_id, tools=(WEATHER,))
    await waits(dsn, run)
    [execution] = await executions(dsn, run)
    await report(asking, actor, execution["id"], "sunny")
    end = await end_of(asking, actor, run)
    await execute(dsn, "UPDATE runs SET finished_at = finished_at - interval '2 days'")
    await upkeep.compact(asking.database, DAY)

    for after in (None, 0, 1, end.turn_seq):
        snapshot, last = await followed(asking, actor, run, after)
        assert isinstance(snapshot, Snapshot)
        assert (snapshot.text, snapshot.message_id) == ("It is sunny.", end.message_id)
        assert isinstance(last, Ended)
