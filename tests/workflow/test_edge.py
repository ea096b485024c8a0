"""Mutations of the workflow at the edge: what they hand to the pipeline, and what their payloads show of its answer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from app.core.actor import Actor
from app.core.errors import AppError
from app.db.database import Database
from app.idempotency.values import ClientKey
from app.prompts.values import Stage
from app.workflow.errors import AlreadyDecided, ProjectChanged
from app.workflow.loaders import STAGE_COLUMNS, ProjectById, ReviewById, StageOfRow
from app.workflow.pipeline import ProjectOutcome, ReviewOutcome, StageOutcome, WorkflowPipeline
from app.workflow.values import (
    Decision,
    DecisionKind,
    NewProject,
    ProjectId,
    ReviewId,
    ReviewStatus,
    StageId,
    StageStatus,
    Wish,
)
from tests.client import GraphQLClient, client_of
from tests.schema_walk import random_id
from tests.workflow.scenes import PP, RA, Scene, a_workflow


@dataclass
class Recorded:
    """A pipeline that does nothing: it keeps what it was asked, and answers as it was told to."""

    answer: Any = None
    asked: list[Any] = field(default_factory=list)

    async def create(self, _: Database, actor: Actor, new: NewProject, key: ClientKey | None) -> Any:
        return self._answered(new.name, new.description)

    async def update(self, _: Database, actor: Actor, *asked: Any) -> Any:
        return self._answered(*asked[:3])

    async def delete(self, _: Database, actor: Actor, project_id: ProjectId, key: ClientKey | None) -> Any:
        return self._answered(project_id)

    async def generate(self, _: Database, actor: Actor, wish: Wish, key: ClientKey | None) -> Any:
        return self._answered(wish)

    async def decide(self, _: Database, actor: Actor, decision: Decision, key: ClientKey | None) -> Any:
        return self._answered(decision)

    def _answered(self, *asked: object) -> Any:
        self.asked.append(asked)
        if isinstance(self.answer, AppError):
            raise self.answer
        return self.answer


@asynccontextmanager
async def asking(database: Database, services: Any, recorded: Recorded) -> AsyncIterator[GraphQLClient]:
    async with client_of(database, {**services, WorkflowPipeline: recorded}, "alice") as client:
        yield client


@pytest.fixture
async def recorded() -> Recorded:
    return Recorded()


@pytest.fixture
async def edge(database: Database, services: Any, recorded: Recorded) -> AsyncIterator[GraphQLClient]:
    """A client whose changes of projects go nowhere."""
    async with asking(database, services, recorded) as client:
        yield client


@pytest.fixture
async def scene(dsn: str) -> Scene:
    """A project whose planning is to be decided."""
    return await a_workflow(dsn, until=[StageStatus.APPROVED, StageStatus.AWAITING_REVIEW])


async def loaded(client: GraphQLClient, loader: Any, key: Any) -> Any:
    """What a loader finds, as a pipeline would return it."""
    return await (await client.context()).loader(loader).load(key)


async def _attempts(client: GraphQLClient, scene: Scene) -> list[Any]:
    return [await loaded(client, StageOfRow, (each.key, STAGE_COLUMNS.whole)) for each in scene.attempts]


async def test_projects_are_changed_as_the_input_says(edge: GraphQLClient, recorded: Recorded, scene: Scene) -> None:
    row = await loaded(edge, ProjectById, scene.key)
    recorded.answer = ProjectOutcome(row, deduplicated=True)

    created = await edge.mutate("createProject", "project { id }", {"name": "Shop", "description": "Sells"})
    update = {"projectId": scene.id, "description": "Buys", "expectedVersion": 3}
    updated = await edge.mutate("updateProject", "project { id name progress { stage } }", update)
    recorded.answer = ProjectOutcome(None)
    deleted = await edge.mutate("deleteProject", "project { id } deletedProjectId", {"projectId": scene.id})

    assert recorded.asked == [("Shop", "Sells"), (scene.key, 3, {"description": "Buys"}), (scene.key,)]
    assert (created["project"], created["deduplicated"]) == ({"id": scene.id}, True)
    assert updated["project"] == {"id": scene.id, "name": "plain", "progress": {"stage": "PROJECT_PLANNING"}}
    assert (deleted["success"], deleted["project"], deleted["deletedProjectId"]) == (True, None, scene.id)


async def test_project_that_was_changed_meanwhile_is_shown(
    edge: GraphQLClient, recorded: Recorded, scene: Scene
) -> None:
    recorded.answer = ProjectChanged(7, await loaded(edge, ProjectById, scene.key))

    refused = await edge.mutate("updateProject", "project { id version }", {"projectId": scene.id, "name": "x"})

    assert (refused["success"], refused["error"]["code"]) == (False, "VERSION_CONFLICT")
    assert refused["project"] == {"id": scene.id, "version": 1}


async def test_wish_names_what_it_is_built_on(edge: GraphQLClient, recorded: Recorded, scene: Scene) -> None:
    analysis, planning = scene.attempts
    recorded.answer = StageOutcome(
        [await loaded(edge, StageOfRow, (each.key, STAGE_COLUMNS.whole)) for each in scene.attempts]
    )
    wish = {"projectId": scene.id, "stage": "PROJECT_PLANNING", "upstreamId": analysis.id, "model": "local:echo"}

    payload = await edge.mutate("generateStage", "stage { __typename id } stages { id kind }", wish)
    plain = await edge.mutate("generateStage", "success", {"projectId": scene.id, "stage": "PROMPT_GENERATION"})

    assert payload["stage"] == {"__typename": "RequirementsAnalysis", "id": analysis.id}
    assert payload["stages"] == [
        {"id": analysis.id, "kind": "REQUIREMENTS_ANALYSIS"}, {"id": planning.id, "kind": "PROJECT_PLANNING"},
    ]  # fmt: skip
    assert plain["success"]
    assert recorded.asked == [
        (Wish(ProjectId(scene.key), PP, upstream_id=StageId(analysis.key), model="local:echo"),),
        (Wish(ProjectId(scene.key), Stage.PROMPT_GENERATION),),
    ]


@pytest.mark.parametrize(
    ("stage", "upstream"),
    [("PROJECT_PLANNING", "ProjectPlanning"), ("STORY_GENERATION", "RequirementsAnalysis"),
     ("REQUIREMENTS_ANALYSIS", "Project"), ("PROMPT_GENERATION", "ChatSession")],
)  # fmt: skip
async def test_what_a_stage_is_never_built_on_is_refused(
    edge: GraphQLClient, recorded: Recorded, scene: Scene, stage: str, upstream: str
) -> None:
    wish = {"projectId": scene.id, "stage": stage, "upstreamId": random_id(upstream)}

    payload = await edge.mutate("generateStage", "stage { id }", wish)

    assert (payload["error"]["code"], payload["error"]["field"]) == ("VALIDATION_ERROR", "upstreamId")
    assert recorded.asked == []


async def test_decision_shows_what_came_of_it(edge: GraphQLClient, recorded: Recorded, scene: Scene) -> None:
    analysis, planning = scene.attempts
    stages = await _attempts(edge, scene)
    review = await loaded(edge, ReviewById, planning.review_key)
    recorded.answer = ReviewOutcome(review, stages[1], regenerated=stages[0], stale=stages)
    decided = {"reviewId": planning.review, "decision": "REQUEST_CHANGES", "feedback": "shorter", "model": "local:x"}
    shown = "review { id content } stage { id } regenerated { id } stale { kind }"

    payload = await edge.mutate("decideReview", shown, decided)
    again = {"reviewId": planning.review, "decision": "APPROVE", "expectedStatus": "REJECTED"}
    await edge.mutate("decideReview", "success", again)

    assert payload["review"] == {"id": planning.review, "content": "# plain"}
    assert (payload["stage"], payload["regenerated"]) == ({"id": planning.id}, {"id": analysis.id})
    assert payload["stale"] == [{"kind": RA.name}, {"kind": PP.name}]
    key = ReviewId(planning.review_key) if planning.review_key else None
    assert key is not None
    assert recorded.asked == [
        (Decision(key, DecisionKind.REQUEST_CHANGES, "shorter", ReviewStatus.PENDING, "local:x"),),
        (Decision(key, DecisionKind.APPROVE, None, ReviewStatus.REJECTED),),
    ]


async def test_review_that_was_decided_meanwhile_is_shown(
    edge: GraphQLClient, recorded: Recorded, scene: Scene
) -> None:
    analysis = scene.attempts[0]
    recorded.answer = AlreadyDecided(await loaded(edge, ReviewById, analysis.review_key))

    refused = await edge.mutate(
        "decideReview",
        "review { id status decidedBy } stage { id }",
        {"reviewId": analysis.review, "decision": "APPROVE"},
    )

    assert (refused["success"], refused["error"]["code"]) == (False, "ALREADY_DECIDED")
    assert refused["review"] == {"id": analysis.review, "status": "APPROVED", "decidedBy": "alice"}
    assert refused["stage"] is None
