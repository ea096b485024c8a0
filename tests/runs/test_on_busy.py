"""What becomes of many messages that are sent to one session at once."""

import asyncio
import threading
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest

from app.core.actor import Actor
from app.core.errors import AppError, ErrorCode
from app.core.ids import global_id
from app.runs.errors import RunActive, TooManyWaiting
from app.runs.models import Run
from app.runs.values import MOST_WAITING, OnBusy
from app.sessions.values import SessionId
from tests.conversations import counters, rows
from tests.llm.provider_servers import ProviderServer, openai_answer
from tests.runs.conftest import Process, a_process_asking
from tests.runs.scenes import agrees, ask, end_of, held_back, is_quiet, is_running, statuses

AT_ONCE = 24


async def all_at_once(
    processes: Sequence[Process], actor: Actor, session_id: SessionId, policies: Sequence[OnBusy]
) -> tuple[list[Run], list[AppError]]:
    """What was accepted, in the order of its numbers, and what was refused."""
    sends = [
        ask(processes[number % len(processes)], actor, session_id, f"question {number}", on_busy=on_busy)
        for number, on_busy in enumerate(policies)
    ]
    found = await asyncio.gather(*sends, return_exceptions=True)
    refused = [one for one in found if isinstance(one, AppError)]
    accepted = [one for one in found if not isinstance(one, BaseException)]
    assert len(accepted) + len(refused) == len(policies), found
    return sorted(accepted, key=lambda run: run.sequence_number), refused


async def steps_of(dsn: str, session_id: SessionId) -> list[dict[str, Any]]:
    """The runs of a session that a worker took, in the order in which one did."""
    taken = "SELECT * FROM runs WHERE session_id = $1 AND started_at IS NOT NULL ORDER BY started_at"
    return [dict(row) for row in await rows(dsn, taken, session_id)]


async def test_of_many_that_reject_one_is_accepted(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    gate = threading.Event()
    server.script(held_back("one answer", gate))

    accepted, refused = await all_at_once([asking], actor, session_id, [OnBusy.REJECT] * AT_ONCE)
    stored = await counters(dsn, session_id)
    gate.set()
    end = await end_of(asking, actor, accepted[0])

    assert len(accepted) == 1
    assert {error.code for error in refused} == {ErrorCode.RUN_ACTIVE}
    assert [error.details for error in refused] == [{"runId": global_id("Run", accepted[0].id)}] * (AT_ONCE - 1)
    assert stored.by_role == {"user": 1, "assistant": 1}
    assert end.status == "completed"
    assert await statuses(dsn, session_id) == ["completed"]
    await agrees(dsn, session_id)


async def test_of_many_that_queue_each_has_its_turn_and_sees_the_answers_before(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    server.script(*(openai_answer(f"answer {number}") for number in range(AT_ONCE)))

    accepted, refused = await all_at_once([asking], actor, session_id, [OnBusy.ENQUEUE] * AT_ONCE)
    ends = [await end_of(asking, actor, run) for run in accepted]

    assert refused == []
    assert [end.status for end in ends] == ["completed"] * AT_ONCE
    said = await rows(dsn, "SELECT role, content FROM chat_messages WHERE session_id = $1 ORDER BY 1 DESC", session_id)
    assert sorted(row["content"] for row in said if row["role"] == "user") == sorted(
        f"question {number}" for number in range(AT_ONCE)
    )
    for turn, request in enumerate(server.requests):
        heard = [(part["role"], part["content"]) for part in request.body["messages"]]
        assert len(heard) == 2 * turn + 1
        assert heard[1::2] == [("assistant", f"answer {earlier}") for earlier in range(turn)]
    steps = await steps_of(dsn, session_id)
    assert [step["id"] for step in steps] == [run.id for run in accepted]
    assert all(before["finished_at"] <= after["started_at"] for before, after in pairwise(steps))
    await agrees(dsn, session_id)


async def test_of_many_that_interrupt_the_last_is_answered(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    gate = threading.Event()
    server.script(held_back("one answer", gate))

    accepted, refused = await all_at_once([asking], actor, session_id, [OnBusy.INTERRUPT] * AT_ONCE)
    gate.set()
    last = await end_of(asking, actor, accepted[-1])
    await is_quiet(dsn)

    assert refused == []
    assert last.status == "completed"
    assert await statuses(dsn, session_id) == ["cancelled"] * (AT_ONCE - 1) + ["completed"]
    steps = await steps_of(dsn, session_id)
    assert all(before["finished_at"] <= after["started_at"] for before, after in pairwise(steps))
    await agrees(dsn, session_id)


async def test_answer_that_is_interrupted_keeps_what_was_written(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    server.script(held_back("half an answer", threading.Event()), openai_answer("another"))
    first = await ask(asking, actor, session_id)
    await is_running(dsn, first)

    second = await ask(asking, actor, session_id, on_busy=OnBusy.INTERRUPT)
    ends = [await end_of(asking, actor, run) for run in (first, second)]

    assert [end.status for end in ends] == ["cancelled", "completed"]
    [[kept]] = await rows(dsn, "SELECT content FROM chat_messages WHERE id = $1", first.message_id)
    assert kept == "half"
    assert server.requests[1].body["messages"][1] == {"role": "assistant", "content": "half"}


@pytest.mark.parametrize("round_", range(3))
async def test_policies_of_two_processes_agree_on_one_session(
    server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str, round_: int
) -> None:
    server.script(openai_answer("short and quick"))
    policies = list(OnBusy) * (AT_ONCE // len(OnBusy))
    policies = policies[round_:] + policies[:round_]

    async with a_process_asking(dsn, server) as one, a_process_asking(dsn, server) as other:
        accepted, refused = await all_at_once([one, other], actor, session_id, policies)
        ends = [await end_of(other, actor, run) for run in accepted]
        await is_quiet(dsn)

    assert all(isinstance(error, RunActive) for error in refused)
    assert len(refused) <= policies.count(OnBusy.REJECT)
    assert {end.status for end in ends} <= {"completed", "cancelled"}
    assert ends[-1].status == "completed"
    steps = await steps_of(dsn, session_id)
    assert all(before["finished_at"] <= after["started_at"] for before, after in pairwise(steps))
    assert (await counters(dsn, session_id)).by_role == {"user": len(accepted), "assistant": len(accepted)}
    await agrees(dsn, session_id)


async def test_queue_of_a_session_is_bounded(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    server.script(held_back("one answer", threading.Event()), openai_answer("the last one"))
    active = await ask(asking, actor, session_id)
    await is_running(dsn, active)
    for _ in range(MOST_WAITING):
        await ask(asking, actor, session_id, on_busy=OnBusy.ENQUEUE)
    before = await counters(dsn, session_id)

    with pytest.raises(TooManyWaiting):
        await ask(asking, actor, session_id, on_busy=OnBusy.ENQUEUE)
    after = await counters(dsn, session_id)
    last = await ask(asking, actor, session_id, on_busy=OnBusy.INTERRUPT)
    end = await end_of(asking, actor, last)

    assert after == before
    assert end.status == "completed"
    assert await statuses(dsn, session_id) == ["cancelled"] * (MOST_WAITING + 1) + ["completed"]
    assert len(server.requests) == 2
    await agrees(dsn, session_id)
