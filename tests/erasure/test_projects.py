"""What a user did for projects of the tenant stays when they are erased, and tells their name no more."""

from typing import Any

import pytest

from app.core.actor import Actor, UserId
from app.core.ids import new_id
from app.db.database import Database
from app.erasure.pipeline import ErasurePipeline
from app.runs.models import Run
from app.runs.pipeline import RunPipeline
from app.runs.values import Asked, Wanted
from tests.conftest import an_actor
from tests.conversations import new_project, new_session, rows

STAGED = """
WITH review AS (
  INSERT INTO reviews (tenant_id, id, project_id, stage, status, service_name, decided_by, decided_at, decisions)
  VALUES ('default', $1, $2, 'requirements_analysis', 'approved', 'local:echo', 'bob', now(), 1) RETURNING id),
decision AS (
  INSERT INTO review_decisions (tenant_id, review_id, number, kind, decided_by, correlation_id)
  SELECT 'default', id, 1, 'approve', 'bob', 'x' FROM review)
INSERT INTO workflow_stages (tenant_id, id, project_id, stage, attempt, status, content, model, review_id, run_id,
  created_by, correlation_id)
SELECT 'default', $3, $2, 'requirements_analysis', 1, 'approved', 'the text', 'local:echo', id, $4, 'bob', 'x'
FROM review
"""

ALL = """SELECT p.created_by AS made, p.updated_by AS changed, s.content, s.run_id, s.created_by AS asked,
    r.status, r.decided_by AS decided, d.decided_by AS said
  FROM projects p JOIN workflow_stages s ON s.project_id = p.id JOIN reviews r ON r.id = s.review_id
  JOIN review_decisions d ON d.review_id = r.id WHERE p.tenant_id = $1"""


@pytest.fixture
def runs(services: Any) -> RunPipeline:
    """Asks for answers that nobody works."""
    found: RunPipeline = services[RunPipeline]
    return found


async def staged(database: Database, runs: RunPipeline, owner: Actor, by: Actor, dsn: str) -> Run:
    """The run of a stage that bob asked for and approved, in a session of an owner's, of a project made by another."""
    project = await new_project(database, by)
    session = await new_session(database, owner, project_id=project)
    run = (await runs.send(database, owner, Asked(session, "Hello?", Wanted("local:echo")), None)).run
    await rows(dsn, STAGED, new_id(), project, new_id(), run.id)
    return run


async def test_projects_stay_without_the_name_and_the_sessions_of_who_is_erased(
    database: Database, services: Any, runs: RunPipeline, dsn: str
) -> None:
    bob, carol = an_actor("bob"), an_actor("carol")
    await staged(database, runs, bob, bob, dsn)
    await new_project(database, carol)
    erasure: ErasurePipeline = services[ErasurePipeline]

    erased = await erasure.erase(database, an_actor("system"), UserId("bob"), None)

    [left] = await rows(dsn, ALL, "default")
    nobody = "erased user"
    assert dict(left) == {
        "made": nobody, "changed": nobody, "content": "the text", "run_id": None, "asked": nobody,
        "status": "approved", "decided": nobody, "said": nobody,
    }  # fmt: skip
    assert await rows(dsn, "SELECT id FROM chat_sessions") == await rows(dsn, "SELECT id FROM runs") == []
    happened = await rows(dsn, "SELECT kind, actor, owner_id FROM events ORDER BY actor")
    assert [tuple(row) for row in happened] == [("project.created", "carol", ""), ("project.created", nobody, "")]
    assert {name: erased.rows[name] for name in ("projects", "workflow_stages", "reviews", "review_decisions")} == {
        # Of a project two columns are of who made it.
        "projects": 2, "workflow_stages": 1, "reviews": 1, "review_decisions": 1,
    }  # fmt: skip
    assert await rows(dsn, "SELECT 1 FROM projects WHERE created_by = 'carol'")


async def test_what_others_asked_for_keeps_its_run(
    database: Database, services: Any, runs: RunPipeline, dsn: str
) -> None:
    carol = an_actor("carol")
    run = await staged(database, runs, carol, carol, dsn)
    erasure: ErasurePipeline = services[ErasurePipeline]

    await erasure.erase(database, an_actor("bob"), UserId("bob"), None)

    [left] = await rows(dsn, ALL, "default")
    assert (left["run_id"], left["made"], left["said"]) == (run.id, "carol", "erased user")
    assert len(await rows(dsn, "SELECT id FROM chat_sessions")) == 1
