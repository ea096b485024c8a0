"""No stage waits for ever: what became of its run, its job or its asker is found by the calendar."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.core.actor import NOBODY
from app.db.database import Database
from app.runs.pipeline import RunPipeline
from app.runs.values import RunId
from app.workflow.pipeline import WorkflowPipeline
from app.workflow.runner import StageRunner
from app.workflow.upkeep import remind
from app.workflow.values import ProjectId, StageStatus, Wish
from tests.conftest import an_actor
from tests.workflow.making import inconsistent, status_of
from tests.workflow.scenes import RA, a_project
from tests.worlds import rows

ALICE = an_actor("alice")
NO_TIME = timedelta(0)


@pytest.fixture
def runner(database: Database, services: Any) -> StageRunner:
    """Settles stages in a process that works no jobs."""
    return StageRunner(database, services[WorkflowPipeline])


async def _asked_for(database: Database, services: Any, project: UUID) -> tuple[UUID, UUID]:
    """An attempt, and its run, which nobody works."""
    wish = Wish(ProjectId(project), RA, model="local:echo")
    [stage] = (await services[WorkflowPipeline].generate(database, ALICE, wish, None)).stages
    return stage.id, stage.run_id


async def _failure(dsn: str, stage: UUID) -> tuple[str, str, str]:
    [row] = await rows(dsn, "SELECT status, error_code, error_message FROM workflow_stages WHERE id = $1", stage)
    return row["status"], row["error_code"], row["error_message"]


async def test_stage_that_waits_for_its_turn_is_begun(dsn: str, database: Database, runner: StageRunner) -> None:
    project = await a_project(dsn)
    waiting = await project.add(RA, StageStatus.PENDING, model="local:echo")
    await remind(database, runner)
    assert await status_of(dsn, waiting.key) == "pending"
    await remind(database, runner, NO_TIME)
    assert await status_of(dsn, waiting.key) == "generating"
    [run] = await rows(dsn, "SELECT status, on_end, user_id FROM runs")
    assert (run["status"], run["on_end"], run["user_id"]) == ("queued", "workflow-run", "alice")
    # A run that is still at work is no reason to do anything.
    await remind(database, runner, NO_TIME)
    assert await status_of(dsn, waiting.key) == "generating"


async def test_stage_whose_conversation_is_deleted_has_failed(
    dsn: str, database: Database, services: Any, runner: StageRunner
) -> None:
    stage, run = await _asked_for(database, services, (await a_project(dsn)).key)
    await rows(dsn, "DELETE FROM chat_sessions WHERE id = (SELECT session_id FROM runs WHERE id = $1)", run)
    await remind(database, runner, NO_TIME)
    status, code, message = await _failure(dsn, stage)
    assert (status, code) == ("failed", "INTERRUPTED")
    assert "deleted" in message
    assert await inconsistent(dsn) == {}


async def test_stage_whose_run_has_ended_without_a_word_is_settled(
    dsn: str, database: Database, services: Any, runner: StageRunner
) -> None:
    stage, run = await _asked_for(database, services, (await a_project(dsn)).key)
    await services[RunPipeline].cancel(database, ALICE, RunId(run), None)
    await rows(dsn, "DELETE FROM pgqueuer")
    await remind(database, runner, NO_TIME)
    assert (await _failure(dsn, stage))[:2] == ("failed", "INTERRUPTED")
    await remind(database, runner, NO_TIME)
    assert await inconsistent(dsn) == {}


async def test_nothing_is_begun_for_who_was_erased(dsn: str, database: Database, runner: StageRunner) -> None:
    project = await a_project(dsn)
    waiting = await project.add(RA, StageStatus.PENDING, model="local:echo", created_by=NOBODY)
    await remind(database, runner, NO_TIME)
    assert (await _failure(dsn, waiting.key))[:2] == ("failed", "INTERRUPTED")
    assert await rows(dsn, "SELECT id FROM runs") == []
