"""Reviewers, editors, workers and deletions that meet at one project."""

import asyncio
import threading
from typing import Any

from app.core.errors import AppError, ErrorCode
from app.workflow.values import DecisionKind, ProjectId, ReviewStatus
from tests.conftest import an_actor
from tests.conversations import eventually
from tests.llm.provider_servers import ProviderServer, openai_answer
from tests.runs.conftest import Process
from tests.runs.scenes import held_back
from tests.workflow.making import (
    PG,
    PP,
    RA,
    SCRIPTED,
    SG,
    a_project,
    approved,
    asked_for,
    decided,
    inconsistent,
    made,
    settled,
    stages_of,
    status_of,
    told,
    workflow_of,
)
from tests.worlds import rows

ALICE, BOB, CAROL = an_actor("alice"), an_actor("bob"), an_actor("carol")

ROUNDS = 6


async def both(*works: Any) -> list[Any]:
    """What comes of works that begin together: results, or why they are refused."""
    found = await asyncio.gather(*works, return_exceptions=True)
    for outcome in found:
        if isinstance(outcome, BaseException) and not isinstance(outcome, AppError):
            raise outcome
    return found


async def test_of_two_reviewers_who_decide_at_once_one_does(process: Process, dsn: str) -> None:
    project = await a_project(process, ALICE)
    for _ in range(ROUNDS):
        [there] = await made(process, dsn, ALICE, project, RA)
        outcomes = await both(
            decided(process, BOB, there["review_id"]),
            decided(process, CAROL, there["review_id"], DecisionKind.REJECT, "It says too little."),
        )
        [refused] = [outcome for outcome in outcomes if isinstance(outcome, AppError)]
        [done] = [outcome for outcome in outcomes if not isinstance(outcome, AppError)]
        assert (refused.code, refused.field) == (ErrorCode.ALREADY_DECIDED, "expectedStatus")
        assert refused.details is not None
        assert (refused.details["status"], refused.details["decidedBy"]) == (
            done.review.status.upper(), done.review.decided_by,
        )  # fmt: skip
        decisions = await rows(dsn, "SELECT decided_by FROM review_decisions WHERE review_id = $1", there["review_id"])
        assert [row["decided_by"] for row in decisions] == [done.review.decided_by]
    assert await inconsistent(dsn) == {}


async def test_approval_while_a_regeneration_starts_leaves_both(process: Process, dsn: str) -> None:
    project = await a_project(process, ALICE)
    for round_ in range(ROUNDS):
        [there] = await made(process, dsn, ALICE, project, RA)
        approval, again = await both(decided(process, BOB, there["review_id"]), asked_for(process, ALICE, project, RA))
        assert not isinstance(approval, AppError)
        [new] = await settled(dsn, again)
        assert (new["attempt"], new["status"]) == (2 * round_ + 2, "awaiting_review")
        await decided(process, CAROL, new["review_id"])
        assert await status_of(dsn, there["id"]) == "stale"
    assert await inconsistent(dsn) == {}


async def test_what_is_asked_for_while_its_ground_is_replaced_is_refused_or_stale(process: Process, dsn: str) -> None:
    project = await a_project(process, ALICE)
    await approved(process, dsn, ALICE, project, RA)
    for _ in range(ROUNDS):
        [other] = await made(process, dsn, ALICE, project, RA)
        [ground] = await rows(dsn, "SELECT id FROM workflow_stages WHERE stage = $1 AND status = 'approved'", RA)
        _, plan = await both(
            decided(process, BOB, other["review_id"]),
            asked_for(process, ALICE, project, PP, upstream_id=ground["id"]),
        )
        if isinstance(plan, AppError):
            assert (plan.code, plan.field) == (ErrorCode.INVALID_TRANSITION, "upstreamId")
        else:
            [there] = await settled(dsn, plan)
            assert there["status"] == "stale"
    assert await inconsistent(dsn) == {}


async def test_of_many_who_ask_for_a_stage_at_once_one_is_served(process: Process, dsn: str) -> None:
    project = await a_project(process, ALICE)
    outcomes = await both(*(asked_for(process, who, project, RA) for who in (ALICE, BOB, CAROL) * 4))
    served = [outcome for outcome in outcomes if not isinstance(outcome, AppError)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, AppError)]
    # One after another may be: the first is quick.
    assert {error.code for error in refused} <= {ErrorCode.INVALID_TRANSITION}
    assert len(served) + len(refused) == 12
    there = [stage for stages in served for stage in await settled(dsn, stages)]
    assert sorted(stage["attempt"] for stage in there) == list(range(1, len(served) + 1))
    assert await inconsistent(dsn) == {}


async def test_project_is_deleted_in_the_middle_of_a_generation(
    asking: Process, dsn: str, server: ProviderServer
) -> None:
    gate = threading.Event()
    server.script(
        *map(openai_answer, ["# R", "# P", told()]), *(held_back(f"# Prompt {n} goes on", gate) for n in range(3))
    )
    project, other = await a_project(asking, ALICE), await a_project(asking, ALICE, "Another")
    for stage in (RA, PP, SG):
        await approved(asking, dsn, ALICE, project, stage, model=SCRIPTED)
    await asked_for(asking, ALICE, project, PG, model=SCRIPTED)
    await server.asked(times=6)

    outcome = await workflow_of(asking).delete(asking.database, BOB, ProjectId(project.id), None)
    assert outcome.project is None
    gate.set()
    left = """
        SELECT (SELECT count(*) FROM workflow_stages) + (SELECT count(*) FROM reviews) + (SELECT count(*) FROM stories)
          + (SELECT count(*) FROM review_decisions) + (SELECT count(*) FROM chat_sessions)
          + (SELECT count(*) FROM runs) AS count"""

    async def rows_left() -> int:
        return int((await rows(dsn, left))[0]["count"])

    async def jobs_left() -> int:
        return int((await rows(dsn, "SELECT count(*) FROM pgqueuer"))[0]["count"])

    await eventually(rows_left, 0)
    await eventually(jobs_left, 0)
    kinds = await rows(dsn, "SELECT kind, actor FROM events WHERE stream_id = $1 ORDER BY seq DESC LIMIT 1", project.id)
    assert [(row["kind"], row["actor"]) for row in kinds] == [("project.deleted", "bob")]
    assert await rows(dsn, "SELECT id FROM projects") == [{"id": other.id}]
    reserved = await rows(dsn, "SELECT count(*) FROM budget_reservations")
    assert reserved[0]["count"] == 0


async def test_project_is_deleted_while_others_ask_for_its_stages(process: Process, dsn: str) -> None:
    for _ in range(ROUNDS):
        project = await a_project(process, ALICE)
        deletion, *asked = await both(
            workflow_of(process).delete(process.database, BOB, ProjectId(project.id), None),
            *(asked_for(process, ALICE, project, RA) for _ in range(3)),
        )
        assert not isinstance(deletion, AppError)
        for outcome in asked:
            if isinstance(outcome, AppError):
                assert outcome.code in (ErrorCode.NOT_FOUND, ErrorCode.INVALID_TRANSITION)
    assert await rows(dsn, "SELECT id FROM projects") == []
    assert await rows(dsn, "SELECT id FROM chat_sessions") == []


async def test_run_of_a_stage_is_cancelled_by_its_asker(asking: Process, dsn: str, server: ProviderServer) -> None:
    gate = threading.Event()
    server.script(held_back("# Requirements that nobody wants", gate))
    project = await a_project(asking, ALICE)
    [asked] = await asked_for(asking, ALICE, project, RA, model=SCRIPTED)
    await server.asked(times=1)
    await asking.runs.cancel(asking.database, ALICE, asked.run_id, None)  # type: ignore[arg-type]
    [there] = await settled(dsn, [asked])
    assert (there["status"], there["error_code"]) == ("failed", "INTERRUPTED")
    assert await inconsistent(dsn) == {}


async def test_stale_generation_is_called_off(asking: Process, dsn: str, server: ProviderServer) -> None:
    gate = threading.Event()
    server.script(*map(openai_answer, ["# R1", "# R2"]), held_back("# Plan that goes on", gate))
    project = await a_project(asking, ALICE)
    await approved(asking, dsn, ALICE, project, RA, model=SCRIPTED)
    [second] = await made(asking, dsn, ALICE, project, RA, model=SCRIPTED)
    [plan] = await asked_for(asking, ALICE, project, PP, model=SCRIPTED)
    await server.asked(times=3)
    await decided(asking, BOB, second["review_id"])
    assert await status_of(dsn, plan.id) == "stale"

    async def status_of_run() -> str:
        return str((await rows(dsn, "SELECT status FROM runs WHERE id = $1", plan.run_id))[0]["status"])

    await eventually(status_of_run, "cancelled")
    gate.set()
    assert [status for *_, status in await stages_of(dsn, project.id)] == ["stale", "approved", "stale"]
    assert await inconsistent(dsn) == {}


async def test_decision_with_changes_asked_for_by_two_makes_one_attempt(process: Process, dsn: str) -> None:
    project = await a_project(process, ALICE)
    [there] = await made(process, dsn, ALICE, project, RA)
    ask = DecisionKind.REQUEST_CHANGES
    outcomes = await both(*(decided(process, who, there["review_id"], ask, "Name the users.") for who in (BOB, CAROL)))
    [refused] = [outcome for outcome in outcomes if isinstance(outcome, AppError)]
    assert refused.code is ErrorCode.ALREADY_DECIDED
    [done] = [outcome for outcome in outcomes if not isinstance(outcome, AppError)]
    [again] = await settled(dsn, [done.regenerated])
    assert [(attempt, status) for _, attempt, _, status in await stages_of(dsn, project.id)] == [
        (1, "rejected"), (2, "awaiting_review"),
    ]  # fmt: skip
    back = await decided(process, BOB, there["review_id"], expected=ReviewStatus.REJECTED)
    assert (back.review.status, back.review.decisions) == ("approved", 2)
    assert again["created_by"] in (BOB.user_id, CAROL.user_id)
    assert await inconsistent(dsn) == {}


async def test_changes_asked_for_while_another_approves_are_refused_or_made(process: Process, dsn: str) -> None:
    project = await a_project(process, ALICE)
    for _ in range(ROUNDS):
        [there] = await made(process, dsn, ALICE, project, RA)
        ask = DecisionKind.REQUEST_CHANGES
        approval, changes = await both(
            decided(process, BOB, there["review_id"]),
            decided(process, CAROL, there["review_id"], ask, "Name the users.", ReviewStatus.APPROVED),
        )
        assert not isinstance(approval, AppError)
        if isinstance(changes, AppError):
            assert changes.code is ErrorCode.ALREADY_DECIDED
        else:
            # Never a rejection of which nothing comes.
            assert changes.regenerated is not None
            await settled(dsn, [changes.regenerated])
    assert await inconsistent(dsn) == {}
