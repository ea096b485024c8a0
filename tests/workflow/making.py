"""Projects that are taken through their stages by a process that works runs, and what must always hold of them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from app.core.actor import Actor
from app.core.ids import new_id
from app.prompts.values import Stage
from app.workflow.models import Project, Review, WorkflowStage
from app.workflow.pipeline import ReviewOutcome, WorkflowPipeline
from app.workflow.values import (
    Decision,
    DecisionKind,
    NewProject,
    ProjectId,
    ReviewId,
    ReviewStatus,
    StageId,
    Wish,
)
from tests.conversations import eventually
from tests.runs.conftest import Process
from tests.worlds import rows

RA, PP, SG, PG = Stage

SCRIPTED = "compatible:scripted"

DESCRIPTION = """A service desk for bicycle workshops.

- Mechanics must see all open jobs of their workshop.
- Customers should be told by message when a bicycle is ready.
- The desk can print a label for each bicycle.
"""

STORIES: list[dict[str, Any]] = [
    {
        "title": f"Story {number}", "description": f"As a mechanic I want thing {number}.",
        "acceptance_criteria": [f"thing {number} is there", "it is tested"], "priority": "high", "estimate": number,
    }
    for number in range(3)
]  # fmt: skip


def told(stories: Sequence[dict[str, Any]] = STORIES) -> str:
    """Stories as a model writes them."""
    return orjson.dumps({"stories": list(stories)}).decode()


def workflow_of(process: Process) -> WorkflowPipeline:
    """What changes projects."""
    found: WorkflowPipeline = process.services[WorkflowPipeline]
    return found


async def a_project(process: Process, actor: Actor, name: str = "Workshop", description: str = DESCRIPTION) -> Project:
    """A new project."""
    new = NewProject(ProjectId(new_id()), name, description)
    created = (await workflow_of(process).create(process.database, actor, new, None)).project
    assert created is not None
    return created


async def asked_for(
    process: Process, actor: Actor, project: Project, stage: Stage, **wish: Any
) -> Sequence[WorkflowStage]:
    """Attempts at a stage that were asked for."""
    wanted = Wish(ProjectId(project.id), stage, **{"model": "local:extractive", **wish})
    return (await workflow_of(process).generate(process.database, actor, wanted, None)).stages


async def made(
    process: Process, dsn: str, actor: Actor, project: Project, stage: Stage, **wish: Any
) -> list[dict[str, Any]]:
    """Attempts at a stage that were asked for, as they are once nothing is at them any more."""
    return await settled(dsn, await asked_for(process, actor, project, stage, **wish))


async def settled(dsn: str, stages: Sequence[WorkflowStage]) -> list[dict[str, Any]]:
    """Attempts once no model is at them, as they are stored."""
    ids = [stage.id for stage in stages]

    async def live() -> int:
        of_them = "SELECT count(*) FROM workflow_stages WHERE id = ANY($1) AND status IN ('pending', 'generating')"
        return int((await rows(dsn, of_them, ids))[0]["count"])

    await eventually(live, 0)
    found = await rows(dsn, "SELECT * FROM workflow_stages WHERE id = ANY($1)", ids)
    by_id = {row["id"]: dict(row) for row in found}
    return [by_id[id_] for id_ in ids]


async def decided(
    process: Process,
    actor: Actor,
    review_id: UUID,
    kind: DecisionKind = DecisionKind.APPROVE,
    feedback: str | None = None,
    expected: ReviewStatus = ReviewStatus.PENDING,
) -> ReviewOutcome:
    """A review that was decided."""
    decision = Decision(ReviewId(review_id), kind, feedback, expected)
    return await workflow_of(process).decide(process.database, actor, decision, None)


async def approved(process: Process, dsn: str, actor: Actor, project: Project, stage: Stage, **wish: Any) -> list[Any]:
    """Attempts at a stage, generated and approved."""
    stages = await made(process, dsn, actor, project, stage, **wish)
    for stage_ in stages:
        assert stage_["status"] == "awaiting_review", stage_
        await decided(process, actor, stage_["review_id"])
    return stages


async def stages_of(dsn: str, project_id: UUID) -> list[tuple[str, int, int | None, str]]:
    """Stage, attempt, story and status of all attempts of a project, in their order."""
    found = await rows(
        dsn,
        "SELECT stage, attempt, story_index, status FROM workflow_stages WHERE project_id = $1 "
        "ORDER BY created_at, story_index, id",
        project_id,
    )
    return [(row["stage"], row["attempt"], row["story_index"], row["status"]) for row in found]


async def status_of(dsn: str, stage_id: StageId | UUID) -> str:
    """The status of one attempt."""
    return str((await rows(dsn, "SELECT status FROM workflow_stages WHERE id = $1", stage_id))[0]["status"])


_WRONG = {
    "events of a project have gaps": """
        SELECT p.id FROM projects p JOIN events e ON (e.tenant_id, e.stream_id) = (p.tenant_id, p.id)
        GROUP BY p.id, p.last_event HAVING count(*) <> p.last_event OR max(e.seq) <> p.last_event OR min(e.seq) <> 1""",
    "a stage is not where its last event left it": """
        SELECT s.id, s.status, e.kind FROM workflow_stages s
        JOIN LATERAL (
            SELECT kind FROM events e WHERE e.stream_id = s.project_id
              AND convert_from(decode(e.payload ->> 'stageId', 'base64'), 'utf8') LIKE '%:' || s.id
            ORDER BY seq DESC LIMIT 1) e ON true
        WHERE e.kind <> 'stage.' || CASE s.status WHEN 'pending' THEN 'requested' ELSE s.status END""",
    "a review and its stage disagree": """
        SELECT r.id FROM reviews r LEFT JOIN workflow_stages s ON (s.tenant_id, s.review_id) = (r.tenant_id, r.id)
        WHERE s.id IS NULL OR (s.status, r.status) NOT IN (
            ('awaiting_review', 'pending'), ('approved', 'approved'), ('rejected', 'rejected'),
            ('stale', 'pending'), ('stale', 'approved'))""",
    "decisions are not counted": """
        SELECT r.id FROM reviews r WHERE r.decisions <> (
            SELECT count(*) FROM review_decisions d WHERE (d.tenant_id, d.review_id) = (r.tenant_id, r.id))""",
    "a stage was generated by two runs that completed": """
        SELECT s.id FROM chat_sessions c JOIN runs r ON (r.tenant_id, r.session_id) = (c.tenant_id, c.id)
        JOIN runs own ON own.session_id = c.id JOIN workflow_stages s ON s.run_id = own.id
        WHERE r.status = 'completed' AND s.repairs = 0 GROUP BY s.id HAVING count(DISTINCT r.id) > 1""",
    "a conversation belongs to no stage": """
        SELECT c.id FROM chat_sessions c WHERE c.project_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM runs r JOIN workflow_stages s ON s.run_id = r.id WHERE r.session_id = c.id)""",
    "what is built on something that is not approved is not stale": """
        SELECT s.id FROM workflow_stages s JOIN workflow_stages u ON u.id = s.upstream_id
        WHERE u.status <> 'approved' AND s.status IN ('pending', 'generating', 'awaiting_review', 'approved')""",
    "a list has no stories, or something else has": """
        SELECT s.id FROM workflow_stages s WHERE (s.stage = 'story_generation' AND s.content IS NOT NULL) <> EXISTS (
            SELECT FROM stories t WHERE t.story_generation_id = s.id)""",
}


async def inconsistent(dsn: str) -> dict[str, list[Any]]:
    """What does not hold of the projects in the database, though it always must."""
    found = {what: [tuple(row.values()) for row in await rows(dsn, statement)] for what, statement in _WRONG.items()}
    return {what: broken for what, broken in found.items() if broken}


async def review_of(dsn: str, stage_id: UUID) -> Review:
    """The review of an attempt, as it is stored."""
    found = await rows(
        dsn,
        "SELECT r.* FROM reviews r JOIN workflow_stages s ON (s.tenant_id, s.review_id) = (r.tenant_id, r.id) "
        "WHERE s.id = $1",
        stage_id,
    )
    return found[0]  # type: ignore[return-value]
