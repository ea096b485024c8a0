"""What becomes of answers whose process stops."""

import threading

from app.core.actor import Actor
from app.runs.values import OnBusy
from app.sessions.values import SessionId
from tests.llm.provider_servers import FOREVER, ProviderServer, Reply, openai_answer
from tests.runs.conftest import a_process_asking
from tests.runs.scenes import agrees, ask, end_of, held_back, is_running, ledger_of, message_of, row_of

STOP_SECONDS = 0.2


async def test_answer_that_had_shown_something_is_interrupted_and_the_next_has_its_turn(
    server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    server.script(held_back("half an answer", threading.Event()), openai_answer("the next"))
    async with a_process_asking(dsn, server, shutdown_seconds=STOP_SECONDS) as stopping:
        first = await ask(stopping, actor, session_id)
        await is_running(dsn, first)
        second = await ask(stopping, actor, session_id, on_busy=OnBusy.ENQUEUE)

    async with a_process_asking(dsn, server) as other:
        ends = [await end_of(other, actor, run) for run in (first, second)]

    assert [end.status for end in ends] == ["interrupted", "completed"]
    assert ends[0].error is not None
    assert (ends[0].error.code, ends[0].error.retryable) == ("INTERRUPTED", True)
    message = await message_of(dsn, first)
    assert (message["status"], message["content"], message["error_code"]) == ("failed", "half", "INTERRUPTED")
    [entry] = await ledger_of(dsn, first)
    assert (entry["status"], entry["estimated"]) == ("interrupted", True)
    await agrees(dsn, session_id)


async def test_answer_that_had_shown_nothing_is_begun_anew_by_another(
    server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    server.script(Reply([FOREVER]), openai_answer("from the other"))
    async with a_process_asking(dsn, server, shutdown_seconds=STOP_SECONDS) as stopping:
        run = await ask(stopping, actor, session_id)
        # Not before: what is said to be running may still have to ask, and the other would get the answer without end.
        await server.asked(1)

    async with a_process_asking(dsn, server) as other:
        end = await end_of(other, actor, run)

    assert (end.status, end.attempts) == ("completed", 2)
    assert (await message_of(dsn, run))["content"] == "from the other"
    assert (await row_of(dsn, run))["last_seq"] > 1
    assert len(await ledger_of(dsn, run)) == 1
    await agrees(dsn, session_id)
