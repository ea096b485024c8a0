"""The workflow: what a front end asks about a thousand projects, through the schema, against a project by its key."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from itertools import cycle, islice
from time import perf_counter
from typing import Any
from uuid import UUID

from sqlalchemy import Text, Uuid, select

from app.container import build_services
from app.core.actor import TenantId
from app.core.ids import global_id
from app.core.settings import Settings
from app.db.base import table_of
from app.db.database import Database
from app.db.statement import Query, param
from app.graph.context import Context
from app.prompts.values import Stage
from app.schema import schema
from app.seeding.chance import users_of
from app.seeding.projects import ProjectKind, ProjectTeller
from app.seeding.runner import seed_projects
from app.seeding.values import SeedPlan, Totals
from app.workflow.models import Project, WorkflowStage
from app.workflow.values import NODE_TYPES
from benchmarks.cluster import execute
from benchmarks.conversations import ACTOR
from benchmarks.measure import Bench, Comparison, Side

WANTED = "p95 < 100 ms"
MOST_ASKED = 50
"""So many projects are asked for in turns: not always the same rows."""

_LIST = """{
  projects(first: 50) { nodes {
    id name updatedAt createdBy
    progress {
      stage finished stages { stage status attempts approved awaitingReview of } waitsFor { role count stage }
    }
  } pageInfo { hasNextPage endCursor } }
}"""

_HISTORY = """query ($id: ID!) {
  project(id: $id) {
    id name description version
    progress { stage finished waitsFor { role count stage } }
    stages(first: 100) { nodes {
      __typename id kind attempt status content model createdAt updatedAt
      review { id status feedback decidedBy decidedAt decisions { number kind feedback decidedBy at } }
      ... on StoryGeneration { stories { index title description acceptanceCriteria priority estimate } }
      ... on PromptGeneration { storyIndex }
    } }
  }
}"""

_PENDING = """{
  pendingReviews(first: 50) { nodes {
    id pipelineStage serviceName createdAt project { id name } stage { id attempt content }
  } pageInfo { hasNextPage endCursor } }
}"""

_STAGE = """query ($id: ID!) {
  stage(id: $id) {
    id kind attempt status content model
    project { id name } upstream { id attempt } review { id status feedback }
  }
}"""

_projects, _stages = table_of(Project), table_of(WorkflowStage)
_BY_KEY = Query(
    Project,
    select(*_projects.c).where(_projects.c.tenant_id == param("tenant_id", Text), _projects.c.id == param("id", Uuid)),
)
_REQUIREMENTS = Query(
    UUID,
    select(_stages.c.id)
    .where(_stages.c.tenant_id == param("tenant_id", Text), _stages.c.stage == param("stage", Text))
    .order_by(_stages.c.id)
    .limit(MOST_ASKED),
)

Ask = Callable[[], Awaitable[object]]


async def workflow(bench: Bench) -> list[Comparison]:
    """What people ask for while a thousand projects go on."""
    count = bench.effort.listed_sessions // 100
    async with bench.cluster.database("workflow") as dsn:
        bench.say(f"workflow: storing {count:,} projects")
        database = await Database.connect(dsn)
        try:
            plan = SeedPlan(TenantId(ACTOR.tenant_id), 1, 20, 1, 90, 1, datetime(2026, 6, 1, 12, tzinfo=UTC), count)
            await seed_projects(database, plan, Totals(0))
            await execute(dsn, "VACUUM ANALYZE", "CHECKPOINT")
            return await _compared(bench, database, plan)
        finally:
            await database.close()


async def _compared(bench: Bench, database: Database, plan: SeedPlan) -> list[Comparison]:
    services = build_services(Settings())
    projects = _finished(plan)
    ids, names = cycle(projects), cycle([global_id(Project.node_type, id_) for id_ in projects])
    stages = cycle(await _requirements(database))

    def asking(query: str, variables: Iterator[dict[str, Any]]) -> Ask:
        async def ask() -> object:
            context = Context(ACTOR, database, services)
            answer = await schema.execute(query, variable_values=next(variables), context_value=context)
            if answer.errors or answer.data is None or None in answer.data.values():
                raise RuntimeError(f"there was no answer: {answer.errors}")
            return answer.data

        return ask

    async def row() -> object:
        async with database.read() as scope:
            return await scope.first(_BY_KEY, tenant_id=ACTOR.tenant_id, id=next(ids))

    asked = {
        f"50 of {plan.projects:,} projects with their progress": asking(_LIST, cycle([{}])),
        "a finished project with all that came of it": asking(_HISTORY, ({"id": name} for name in names)),
        "50 pending reviews with their stages": asking(_PENDING, cycle([{}])),
        "a stage with its project and its review": asking(_STAGE, ({"id": stage} for stage in stages)),
    }
    return [await _one(bench, title, ask, row) for title, ask in asked.items()]


def _finished(plan: SeedPlan) -> list[UUID]:
    teller = ProjectTeller(plan, users_of(plan))
    found = (index for index in range(plan.projects) if teller.kind(index) is ProjectKind.FINISHED)
    return [teller.project_id(index) for index in islice(found, MOST_ASKED)]


async def _requirements(database: Database) -> list[str]:
    stage = Stage.REQUIREMENTS_ANALYSIS
    async with database.read() as scope:
        ids = await scope.all(_REQUIREMENTS, tenant_id=ACTOR.tenant_id, stage=stage.value)
    return [global_id(NODE_TYPES[stage], id_) for id_ in ids]


async def _one(bench: Bench, title: str, ask: Ask, row: Ask) -> Comparison:
    taken: list[float] = []

    async def timed() -> object:
        started = perf_counter()
        found = await ask()
        taken.append(perf_counter() - started)
        return found

    ours = Side("through the schema", lambda: _rate(bench, timed))
    found = await bench.compare(title, ours, Side("a project by its key", lambda: _rate(bench, row)), WANTED)
    taken.sort()
    p50, p95 = (taken[int(len(taken) * share)] * 1_000 for share in (0.5, 0.95))
    found.notes.append(f"p50 {p50:.1f} ms, p95 {p95:.1f} ms, of {len(taken):,}")
    return found


async def _rate(bench: Bench, ask: Ask) -> float:
    asked, started = 0, perf_counter()
    while perf_counter() < started + bench.effort.seconds:
        if not await ask():
            raise RuntimeError("there was no answer")
        asked += 1
    return asked / (perf_counter() - started)
