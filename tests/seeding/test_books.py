"""Seeded rows are those that the rooms' own statements would have stored."""

import json
from datetime import datetime, timedelta
from typing import Any, get_args

import pytest

from app.db.base import Base, table_of
from app.db.database import Database
from app.messages.pipeline import MessagePipeline
from app.runs.accounts import Accounts
from app.runs.models import RunTurn
from app.runs.values import RunStatus
from app.search.models import SearchEntry
from app.seeding.rows import TABLES
from app.seeding.runner import seed
from app.seeding.values import Answered, AnyStep, Executed, Reported, Said, Story, Totals
from app.sessions.values import SessionId
from tests.conversations import broken_rules, counters, recounted
from tests.seeding.replay import REPLAYED, Ids, Replay
from tests.seeding.worlds import NOW, a_plan, measures_of, teller_of
from tests.worlds import rows

COMPARED: list[type[Base]] = [*TABLES.values(), RunTurn, SearchEntry]
"""Seeded tables, one that triggers fill, and one that stays empty: seeded runs have one turn."""

OF_THE_CLOCK = {"answer_ms", "duration_ms"}
"""Beside the moments themselves: what a replay in no time cannot have the same."""


@pytest.fixture
async def seeded(database: Database, pipeline: MessagePipeline) -> Totals:
    """A small world."""
    return await seed(database, measures_of(pipeline), a_plan())


@pytest.fixture
def stories(pipeline: MessagePipeline) -> list[Story]:
    """What happened in it."""
    plan = a_plan()
    teller = teller_of(plan, measures_of(pipeline))
    return [teller.tell(index)[0] for index in range(plan.sessions)]


async def contents(dsn: str, tenant: str) -> dict[str, list[str]]:
    """The rows of every compared table, without what only a clock can tell."""
    found: dict[str, list[str]] = {}
    for table in COMPARED:
        name = table_of(table).name
        where = "AND kind <> 'delta'" if name == "run_events" else ""
        stored = await rows(dsn, f"SELECT * FROM {name} WHERE tenant_id = $1 {where}", tenant)
        found[name] = sorted(json.dumps(comparable(row), default=str, sort_keys=True) for row in stored)
    return found


def comparable(row: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in row.items() if name != "tenant_id"}
    if "pipeline_facts" in kept:
        facts = json.loads(kept["pipeline_facts"])
        kept["pipeline_facts"] = {name: value for name, value in facts.items() if name != "processingTimeMs"}
    # Whether there is a moment is compared, and not which.
    return {
        name: "a moment" if isinstance(value, datetime) or (name in OF_THE_CLOCK and value is not None) else value
        for name, value in kept.items()
    }


def test_a_small_world_has_everything(stories: list[Story]) -> None:
    steps = [step for story in stories for step in story.steps]

    assert {type(step) for step in steps} == set(get_args(AnyStep))
    runs = [step for step in steps if isinstance(step, Answered)]
    assert {run.status for run in runs} == {RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED}
    assert any(run.retry_of for run in runs)
    assert any(isinstance(step, Said) and step.parent for step in steps)
    executed = [step for step in steps if isinstance(step, Executed)]
    assert {(step.runs, step.asks, step.verdict is None, step.error is None) for step in executed} == {
        (True, False, True, True), (True, False, True, False), (True, True, False, True), (False, True, True, True),
        (False, True, False, True),
    }  # fmt: skip
    assert any(call.result for step in steps if isinstance(step, Reported) for call in step.calls)


async def test_the_same_steps_through_the_services_store_the_same_rows(
    database: Database,
    services: Any,
    pipeline: MessagePipeline,
    dsn: str,
    seeded: Totals,
    stories: list[Story],
) -> None:
    for story in stories:
        ids = await Ids.of(dsn, story.session_id)
        await Replay(database, pipeline, services[Accounts], story, ids).all()

    made, replayed = await contents(dsn, "default"), await contents(dsn, REPLAYED)

    # No piece of an answer is kept: to have been given up is a moment that a replayed run has not come to.
    replayed["runs"] = [row.replace('"compacted_at": null', '"compacted_at": "a moment"') for row in replayed["runs"]]
    for name, found in made.items():
        assert found == replayed[name], name
    assert [name for name, found in made.items() if not found] == ["run_turns"]
    assert seeded.messages == len(made["chat_messages"])


async def test_counters_agree_with_the_rows(dsn: str, seeded: Totals, stories: list[Story]) -> None:
    assert await broken_rules(dsn) == []
    for story in stories:
        session_id = SessionId(story.session_id)
        assert await counters(dsn, session_id) == await recounted(dsn, session_id)
        [session] = await rows(dsn, "SELECT * FROM chat_sessions WHERE id = $1", session_id)
        assert (session["answered"], session["answer_ms"], session["awaiting_answer_since"]) == await answers(
            dsn, session_id
        )
        [spent] = await rows(
            dsn, "SELECT coalesce(sum(cost), 0) AS cost FROM usage_ledger WHERE session_id = $1", session_id
        )
        assert session["estimated_cost"] == spent["cost"]
        [last] = await rows(dsn, "SELECT max(at) AS at, min(at) AS began FROM events WHERE stream_id = $1", session_id)
        assert (session["created_at"], session["updated_at"]) == (last["began"], last["at"])
        assert session["updated_at"] <= NOW


async def test_executions_and_their_calls_tell_the_same_times(dsn: str, seeded: Totals) -> None:
    found = await rows(
        dsn,
        "SELECT e.*, c.created_at AS called_at, c.executed_at, c.duration_ms AS took_ms FROM tool_executions e "
        "JOIN chat_messages m ON m.id = e.message_id JOIN tool_calls c ON c.id = e.tool_call_id",
    )

    awaiting = [row for row in found if row["status"] == "awaiting_approval"]
    assert awaiting
    assert all(row["approval_expires_at"] > NOW + timedelta(days=1) for row in awaiting)
    for row in found:
        assert row["called_at"] < row["created_at"] <= row["updated_at"]
        assert (row["executed_at"], row["took_ms"]) == (row["completed_at"], row["duration_ms"])
        assert row["approved_at"] is None or row["created_at"] < row["approved_at"] < row["approval_expires_at"]
        if row["completed_at"] is not None:
            assert row["completed_at"] - row["started_at"] == timedelta(milliseconds=row["duration_ms"])


async def answers(dsn: str, session_id: SessionId) -> tuple[int, int, datetime | None]:
    """How many questions were answered, how long they waited, and since when the last one waits (S1-27)."""
    happened: list[tuple[datetime, int, dict[str, Any]]] = []
    for row in await rows(dsn, "SELECT * FROM chat_messages WHERE session_id = $1", session_id):
        if row["role"] == "user":
            happened.append((row["created_at"], 0, row))
        elif row["role"] == "assistant" and row["status"] == "completed":
            happened.append((row["updated_at"], 1, row))
    count, waited, since = 0, 0, None
    for at, is_answer, row in sorted(happened, key=lambda found: found[:2]):
        if not is_answer:
            since = at
        elif since is not None and since <= row["created_at"]:
            count, waited, since = count + 1, waited + round((at - since).total_seconds() * 1000), None
    return count, waited, since
