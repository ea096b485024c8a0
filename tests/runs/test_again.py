"""Asking for another answer, asking once more, and calling an answer off."""

import threading
from typing import Any

import pytest

from app.core.actor import Actor
from app.db.database import Database
from app.idempotency.errors import KeyReused
from app.idempotency.values import ClientKey
from app.messages import service as messages
from app.messages.errors import MessageDeleted
from app.messages.values import MessageId
from app.runs.accounts import Accounts
from app.runs.errors import NothingToAnswer, NothingToRetry, RunEnded
from app.runs.models import Run
from app.runs.pipeline import RunOutcome, RunPipeline
from app.runs.values import Asked, OnBusy, RunId, RunStatus, Wanted
from app.sessions.values import SessionId
from tests.llm.provider_servers import ProviderServer, openai_answer
from tests.runs.conftest import Process
from tests.runs.scenes import (
    ECHO,
    a_key,
    agrees,
    ask,
    contents,
    end,
    end_of,
    heard_by,
    held_back,
    is_running,
    ledger_of,
    message_of,
    row_of,
    statuses,
)


async def regenerate(process: Process, actor: Actor, run: Run, wanted: Wanted = ECHO) -> Run:
    """The run of another answer."""
    answer = MessageId(run.message_id)
    return (await process.runs.regenerate(process.database, actor, answer, wanted, OnBusy.REJECT, None)).run


async def test_answer_that_is_generated_anew_stands_beside_the_first(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    server.script(openai_answer("one way"), openai_answer("another way"))
    first = await ask(asking, actor, session_id, "Which way?")
    await end_of(asking, actor, first)

    second = await regenerate(asking, actor, first, Wanted("compatible:scripted", 0.5))
    await end_of(asking, actor, second)

    answers = [await message_of(dsn, run) for run in (first, second)]
    assert [answer["content"] for answer in answers] == ["one way", "another way"]
    assert {answer["parent_message_id"] for answer in answers} == {first.prompt_message_id}
    assert heard_by(server, 1) == heard_by(server, 0)
    assert second.temperature == 0.5
    await agrees(dsn, session_id)


async def test_only_answers_to_what_is_there_are_generated_anew(process: Process, actor: Actor, dsn: str) -> None:
    run = await ask(process, actor, wanted=ECHO)
    await end_of(process, actor, run)
    question = MessageId(run.prompt_message_id)

    with pytest.raises(NothingToAnswer):
        await process.runs.regenerate(process.database, actor, question, ECHO, OnBusy.REJECT, None)
    async with process.database.single_statement() as uow:
        await messages.delete(uow, actor, question, None)
    before = await contents(dsn)
    with pytest.raises(MessageDeleted):
        await regenerate(process, actor, run)

    assert await contents(dsn) == before


@pytest.mark.parametrize("status", [RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.INTERRUPTED])
async def test_what_did_not_come_to_its_end_is_tried_again(
    runs: RunPipeline, services: Any, database: Database, actor: Actor, session_id: SessionId, dsn: str,
    status: RunStatus,
) -> None:  # fmt: skip
    wanted = Wanted("local:echo", 0.5, 9)
    first = (await runs.send(database, actor, Asked(session_id, "hello", wanted), None)).run
    await end(database, services[Accounts], actor, first, status)

    second = (await runs.retry(database, actor, RunId(first.id), None)).run

    assert (second.model, second.temperature, second.max_output_tokens) == ("local:echo", 0.5, 9)
    assert (second.retry_of_id, second.prompt_message_id) == (first.id, first.prompt_message_id)
    assert second.message_id != first.message_id
    assert await statuses(dsn, session_id) == [status.value, "queued"]


@pytest.mark.parametrize("status", [RunStatus.QUEUED, RunStatus.COMPLETED])
async def test_what_is_under_way_or_complete_is_not_tried_again(
    runs: RunPipeline, services: Any, database: Database, actor: Actor, session_id: SessionId, dsn: str,
    status: RunStatus,
) -> None:  # fmt: skip
    run = (await runs.send(database, actor, Asked(session_id, "hello"), None)).run
    if status.ended:
        await end(database, services[Accounts], actor, run, status)
    before = await contents(dsn)

    with pytest.raises(NothingToRetry) as refused:
        await runs.retry(database, actor, RunId(run.id), None)

    assert refused.value.details == {"from": status.name}
    assert await contents(dsn) == before


async def test_run_that_no_worker_took_is_cancelled_for_nothing(
    runs: RunPipeline, database: Database, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    run = (await runs.send(database, actor, Asked(session_id, "hello"), None)).run

    first = await runs.cancel(database, actor, RunId(run.id), None)
    before = await contents(dsn)
    second = await runs.cancel(database, actor, RunId(run.id), None)

    assert (first.run.status, first.deduplicated) == ("cancelled", False)
    assert (second.run.status, second.deduplicated) == ("cancelled", True)
    assert (await message_of(dsn, run))["status"] == "cancelled"
    assert await ledger_of(dsn, run) == []
    assert await contents(dsn) == before
    await agrees(dsn, session_id)


async def test_run_that_is_worked_is_cancelled_and_the_next_has_its_turn(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    server.script(held_back("half an answer", threading.Event()), openai_answer("the next"))
    first = await ask(asking, actor, session_id)
    await is_running(dsn, first)
    second = await ask(asking, actor, session_id, on_busy=OnBusy.ENQUEUE)

    cancelled = (await asking.runs.cancel(asking.database, actor, RunId(first.id), None)).run
    ends = [await end_of(asking, actor, run) for run in (first, second)]

    assert (second.waiting, cancelled.status) == (True, "cancelled")
    assert [end.status for end in ends] == ["cancelled", "completed"]
    assert (await message_of(dsn, first))["content"] == "half"
    assert server.left.wait(20), "the provider is left as soon as nobody wants its answer"
    [entry] = await ledger_of(dsn, first)
    assert (entry["status"], entry["estimated"], entry["output_tokens"]) == ("cancelled", True, 1)
    await agrees(dsn, session_id)


async def test_run_that_waits_is_cancelled_and_those_behind_it_keep_their_order(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    gate = threading.Event()
    server.script(held_back("first answer", gate), openai_answer("second answer"))
    first = await ask(asking, actor, session_id)
    await is_running(dsn, first)
    second, third = [await ask(asking, actor, session_id, on_busy=OnBusy.ENQUEUE) for _ in range(2)]

    await asking.runs.cancel(asking.database, actor, RunId(second.id), None)
    gate.set()
    await end_of(asking, actor, third)

    assert await statuses(dsn, session_id) == ["completed", "cancelled", "completed"]
    assert (await row_of(dsn, second))["generation"] == 0
    await agrees(dsn, session_id)


async def test_run_that_has_ended_otherwise_is_not_cancelled(process: Process, actor: Actor, dsn: str) -> None:
    run = await ask(process, actor, wanted=ECHO)
    await end_of(process, actor, run)
    before = await contents(dsn)

    with pytest.raises(RunEnded) as refused:
        await process.runs.cancel(process.database, actor, RunId(run.id), None)

    assert refused.value.details == {"from": "COMPLETED", "to": "CANCELLED"}
    assert await contents(dsn) == before


@pytest.mark.parametrize("change", ["retry", "cancel", "regenerate"])
async def test_change_that_is_asked_for_twice_under_one_key_is_made_once(
    runs: RunPipeline, services: Any, database: Database, actor: Actor, session_id: SessionId, dsn: str, change: str
) -> None:
    run = (await runs.send(database, actor, Asked(session_id, "hello"), None)).run
    if change != "cancel":
        await end(database, services[Accounts], actor, run, RunStatus.FAILED)

    async def make(key: ClientKey) -> RunOutcome:
        match change:
            case "retry":
                return await runs.retry(database, actor, RunId(run.id), key)
            case "cancel":
                return await runs.cancel(database, actor, RunId(run.id), key)
            case _:
                answer = MessageId(run.message_id)
                return await runs.regenerate(database, actor, answer, Wanted(), OnBusy.REJECT, key)

    first = await make(a_key())
    before = await contents(dsn)
    second = await make(a_key())
    with pytest.raises(KeyReused):
        await make(a_key("another"))

    assert (first.deduplicated, second.deduplicated) == (False, True)
    assert second.run.id == first.run.id
    assert await contents(dsn) == before
