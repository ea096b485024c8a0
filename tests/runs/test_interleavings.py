"""Whatever is asked of the runs of a session, in whatever order, and whoever dies over it: the rows agree."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.actor import Actor
from app.core.errors import AppError, ErrorCode
from app.db.scopes import UnitOfWork
from app.messages import service as messages
from app.messages.values import MessageId
from app.runs import service, upkeep
from app.runs.accounts import Accounts
from app.runs.models import Run
from app.runs.service import Claimed
from app.runs.turns import Turns
from app.runs.values import OnBusy, RunId
from app.sessions.values import SessionId
from tests.conftest import execute
from tests.conversations import broken_rules, eventually, new_session, value
from tests.fakes import in_view
from tests.runs.conftest import Process, a_process
from tests.runs.scenes import ECHO, agrees, ask, row_of

EXPECTED = {ErrorCode.RUN_ACTIVE, ErrorCode.INVALID_TRANSITION, ErrorCode.MESSAGE_NOT_FOUND, ErrorCode.VALIDATION_ERROR}
"""What may be refused, as a run was faster or slower than who asked."""

QUESTION = "one two three four five six seven eight nine ten eleven twelve thirteen"

BROKEN = {
    "a run that is not finished": "SELECT count(*) FROM runs WHERE status IN ('queued', 'running')",
    "a message that is not finished": "SELECT count(*) FROM chat_messages WHERE status IN ('pending', 'processing')",
    "a message that did not end as its run": """
        SELECT count(*) FROM runs r JOIN chat_messages m ON m.tenant_id = r.tenant_id AND m.id = r.message_id
        WHERE m.status <> CASE r.status WHEN 'interrupted' THEN 'failed' ELSE r.status END
        AND (m.deleted_at IS NULL OR r.status = 'completed')""",
    "text that is not that of the pieces": """
        SELECT count(*) FROM runs r JOIN chat_messages m ON m.tenant_id = r.tenant_id AND m.id = r.message_id
        WHERE r.compacted_at IS NULL AND m.content <> (SELECT coalesce(string_agg(e.payload->>'text', '' ORDER BY seq),
        '') FROM run_events e WHERE e.run_id = r.id AND e.kind = 'delta' AND e.seq > r.turn_seq)""",
    "a log whose lines have a gap, or whose last line is not its end": """
        SELECT count(*) FROM runs r WHERE r.compacted_at IS NULL AND (
        (SELECT array_agg(seq ORDER BY seq) FROM run_events e WHERE e.run_id = r.id)
        IS DISTINCT FROM (SELECT array_agg(n::int) FROM generate_series(1, r.last_seq) n)
        OR (SELECT kind FROM run_events e WHERE e.run_id = r.id AND seq = r.last_seq) <> r.status)""",
    "a run that a worker took without its one entry, or one with an entry that none took": """
        SELECT count(*) FROM runs r WHERE (SELECT count(*) FROM usage_ledger l WHERE l.run_id = r.id)
        <> CASE WHEN r.generation > 0 THEN 1 ELSE 0 END""",
    "a message whose tokens are not those of the ledger": """
        SELECT count(*) FROM runs r JOIN chat_messages m ON m.id = r.message_id JOIN usage_ledger l ON l.run_id = r.id
        WHERE r.input_tokens IS NOT NULL AND m.deleted_at IS NULL AND m.token_count <> l.input_tokens
        + l.cached_input_tokens + l.cache_write_tokens + l.output_tokens + l.reasoning_tokens""",
    "a session whose cost is not that of the ledger": """
        SELECT count(*) FROM chat_sessions s WHERE s.estimated_cost <>
        (SELECT coalesce(sum(cost), 0) FROM usage_ledger l WHERE l.session_id = s.id)""",
    "a run without the one event of its end": """
        SELECT count(*) FROM runs r JOIN chat_messages m ON m.id = r.message_id WHERE m.deleted_at IS NULL AND
        (SELECT count(*) FROM events e WHERE e.stream_id = r.session_id AND e.kind = 'run.' || r.status
        AND split_part(convert_from(decode(e.payload->>'runId', 'base64'), 'UTF8'), ':', 2) = r.id::text) <> 1""",
}

ACTIVE = """
SELECT count(*) FROM (SELECT session_id FROM runs WHERE status IN ('queued', 'running') AND NOT waiting
GROUP BY session_id HAVING count(*) > 1) AS crowded"""

# Only what is free: workers lock sessions before runs, and this is no worker.
OLDER = """
UPDATE runs SET created_at = created_at - interval '1 hour' WHERE id IN (
SELECT id FROM runs WHERE status IN ('queued', 'running') AND NOT waiting FOR UPDATE SKIP LOCKED)"""

actions = st.tuples(
    st.sampled_from(
        ["reject", "enqueue", "enqueue", "interrupt", "cancel", "retry", "regenerate", "delete", "delete the question",
         "take over", "wait"]
    ),
    st.integers(0, 7),
)  # fmt: skip
programs = st.lists(st.lists(actions, min_size=1, max_size=6), min_size=2, max_size=6)


class Crowd:
    """Many who ask two processes for things to happen to the runs of one session."""

    def __init__(self, processes: list[Process], actor: Actor, session_id: SessionId) -> None:
        self.processes = processes
        self.actor = actor
        self.session_id = session_id
        self.runs: list[Run] = []

    async def act(self, action: str, which: int) -> None:
        """Do one thing; what is refused must be refused for a reason."""
        process = self.processes[which % len(self.processes)]
        try:
            await self._do(process, action, self.runs[which % len(self.runs)] if self.runs else None)
        except AppError as error:
            if error.code not in EXPECTED:
                raise

    async def _do(self, process: Process, action: str, run: Run | None) -> None:
        pipeline, database, actor = process.runs, process.database, self.actor
        match action:
            case "reject" | "enqueue" | "interrupt":
                sent = ask(process, actor, self.session_id, QUESTION, on_busy=OnBusy(action), wanted=ECHO)
                self.runs.append(await sent)
            case "wait":
                await asyncio.sleep(0.05)
            case _ if run is None:
                return
            case "cancel":
                await pipeline.cancel(database, actor, RunId(run.id), None)
            case "retry":
                self.runs.append((await pipeline.retry(database, actor, RunId(run.id), None)).run)
            case "regenerate":
                answer = MessageId(run.message_id)
                again = await pipeline.regenerate(database, actor, answer, ECHO, OnBusy.ENQUEUE, None)
                self.runs.append(again.run)
            case "delete" | "delete the question":
                message = run.message_id if action == "delete" else run.prompt_message_id
                async with database.single_statement() as uow:
                    await messages.delete(uow, actor, MessageId(message), None)
            case _:
                await take_over(process, run)


async def take_over(process: Process, run: Run) -> None:
    """Claim a run as a worker does when its first is thought dead, and die over it."""

    async def claim(uow: UnitOfWork) -> Claimed | None:
        return await service.claim(uow, process.services[Accounts], service.ref_of(run), in_view(1))

    await process.database.transact(claim)


async def come_to_rest(dsn: str, process: Process) -> None:
    """What was left lying by the dead is taken up by the calendar."""

    async def live() -> Any:
        await execute(dsn, OLDER)
        await upkeep.remind(process.database, process.services[Turns])
        await asyncio.sleep(0.1)
        return await value(dsn, BROKEN["a run that is not finished"])

    await eventually(live, 0)


@pytest.fixture
async def processes(dsn: str) -> AsyncIterator[list[Process]]:
    """Two processes whose model takes its time."""
    async with a_process(dsn, local_words_per_second=150) as one, a_process(dsn, local_words_per_second=150) as other:
        yield [one, other]


# As in the other rooms: a failure is the same for everybody, as far as the program goes.
@settings(
    max_examples=12, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(program=programs)
async def test_rows_agree_after_any_interleaving(
    processes: list[Process], actor: Actor, dsn: str, program: list[list[tuple[str, int]]]
) -> None:
    session_id = await new_session(processes[0].database, actor)
    crowd = Crowd(processes, actor, session_id)

    for step in program:
        await asyncio.gather(*(crowd.act(action, which) for action, which in step))
        assert await value(dsn, ACTIVE) == 0
    await come_to_rest(dsn, processes[0])

    assert await broken(dsn) == []
    await agrees(dsn, session_id)


async def broken(dsn: str) -> list[str]:
    """The rules that some row breaks."""
    found = [rule for rule, count in BROKEN.items() if await value(dsn, count)]
    return [*found, *await broken_rules(dsn)]


async def test_worker_that_was_taken_over_stores_nothing_more(processes: list[Process], actor: Actor, dsn: str) -> None:
    run = await ask(processes[0], actor, content=QUESTION * 5, wanted=ECHO)

    async def shown() -> Any:
        return await value(dsn, "SELECT count(*) > 2 FROM run_events")

    await eventually(shown, True)

    await take_over(processes[1], run)
    taken = await value(dsn, "SELECT content FROM chat_messages WHERE role = 'assistant'")
    await asyncio.sleep(0.5)

    assert (await row_of(dsn, run))["status"] == "interrupted"
    assert 0 < len(taken) < len(QUESTION * 5)
    assert await broken(dsn) == []
