"""Projects with attempts at their stages, reviews and stories, put into the database as they are wanted."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg

from app.core.ids import global_id, new_id
from app.prompts.values import Stage
from app.workflow.values import NODE_TYPES, UPSTREAM, StageStatus

Sql = Callable[..., Awaitable[Sequence[Any]]]
"""Runs a statement with its arguments."""

Place = tuple[UUID | None, int | None]
"""What an attempt is built on, and for which story."""

MODEL = "local:echo"

RA, PP, SG, PG = Stage
"""The stages, in their order."""

_REVIEWED = {
    StageStatus.AWAITING_REVIEW: "pending", StageStatus.APPROVED: "approved", StageStatus.REJECTED: "rejected",
    StageStatus.STALE: "pending",
}  # fmt: skip
"""What the review of an attempt says; what is not named has none."""

_DECIDED = {"approved": "approve", "rejected": "reject"}


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt at a stage that is there."""

    stage: Stage
    key: UUID
    review_key: UUID | None
    place: Place
    stories: int = 0

    @property
    def id(self) -> str:
        """Its global id."""
        return global_id(NODE_TYPES[self.stage], self.key)

    @property
    def review(self) -> str:
        """The global id of its review."""
        assert self.review_key is not None
        return global_id("Review", self.review_key)

    def story(self, index: int) -> str:
        """The global id of one of its stories."""
        return global_id("Story", f"{self.key}:{index}")


@dataclass(slots=True)
class Scene:
    """A project, which attempts are added to."""

    sql: Sql
    key: UUID
    tenant: str = "default"
    user: str = "alice"
    mark: str = "plain"
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def id(self) -> str:
        """Its global id."""
        return global_id("Project", self.key)

    def newest(self, stage: Stage) -> Attempt:
        """The attempt at a stage that was added last."""
        return next(attempt for attempt in reversed(self.attempts) if attempt.stage is stage)

    async def add(
        self,
        stage: Stage,
        status: StageStatus = StageStatus.AWAITING_REVIEW,
        *,
        upstream: Attempt | None = None,
        story_index: int | None = None,
        stories: int = 3,
        **columns: Any,
    ) -> Attempt:
        """Another attempt at a stage, by default built on the newest before it; of a list, with stories."""
        before = UPSTREAM[stage]
        built_on = upstream if upstream is not None or before is None else self.newest(before)
        there = status in _REVIEWED
        review = await self._review(stage, _REVIEWED[status]) if there else None
        place = (built_on.key if built_on else None, story_index)
        row = {
            "tenant_id": self.tenant, "id": new_id(), "project_id": self.key, "stage": stage.value,
            "attempt": self._next_attempt(stage, place), "upstream_stage": before.value if before else None,
            "upstream_id": place[0], "story_index": story_index, "status": status.value,
            "content": f"# {self.mark}" if there else None, "model": MODEL,
            "review_id": review, "error_code": "PROVIDER_ERROR" if status is StageStatus.FAILED else None,
            "error_message": self.mark if status is StageStatus.FAILED else None, "created_by": self.user,
            "correlation_id": self.mark, **columns,
        }  # fmt: skip
        await insert(self.sql, "workflow_stages", row)
        told = stories if stage is SG and there else 0
        added = Attempt(stage, row["id"], review, place, told)
        for index in range(told):
            await insert(self.sql, "stories", self._story(added, index))
        self.attempts.append(added)
        return added

    async def add_prompts(self, *statuses: StageStatus) -> list[Attempt]:
        """A prompt for each of the first stories of the newest list."""
        return [await self.add(PG, status, story_index=index) for index, status in enumerate(statuses)]

    async def _review(self, stage: Stage, status: str) -> UUID:
        decided = status in _DECIDED
        row: dict[str, Any] = {
            "tenant_id": self.tenant, "id": new_id(), "project_id": self.key, "stage": stage.value, "status": status,
            "service_name": MODEL, "decisions": int(decided), "feedback": self.mark if decided else None,
            "decided_by": self.user if decided else None,
        }  # fmt: skip
        await insert(self.sql, "reviews", row, decided_at="now()" if decided else "NULL")
        if decided:
            decision = {
                "tenant_id": self.tenant, "review_id": row["id"], "number": 1, "kind": _DECIDED[status],
                "feedback": self.mark, "decided_by": self.user, "correlation_id": self.mark,
            }  # fmt: skip
            await insert(self.sql, "review_decisions", decision)
        key: UUID = row["id"]
        return key

    def _next_attempt(self, stage: Stage, place: Place) -> int:
        """Of prompts, of one story of one list."""
        among = (each for each in self.attempts if each.stage is stage and (stage is not PG or each.place == place))
        return 1 + sum(1 for _ in among)

    def _story(self, told: Attempt, index: int) -> dict[str, Any]:
        return {
            "tenant_id": self.tenant, "story_generation_id": told.key, "story_index": index,
            "title": f"{self.mark} {index}", "description": self.mark, "acceptance_criteria": [self.mark],
            "priority": "high", "estimate": index,
        }  # fmt: skip


async def a_project(
    place: str | Sql,
    name: str = "plain",
    *,
    user: str = "alice",
    tenant: str = "default",
    mark: str = "plain",
    **columns: Any,
) -> Scene:
    """A project without attempts, told in one event; `mark` stands in every text, so that a leak can be found.

    In the database at an address, or in the one whose statements are run by a function.
    """
    sql = partial(_run, place) if isinstance(place, str) else place
    scene = Scene(sql, new_id(), tenant, user, mark)
    row = {
        "tenant_id": tenant, "id": scene.key, "name": name, "description": mark, "created_by": user,
        "updated_by": user, "last_event": 1, **columns,
    }  # fmt: skip
    event = {
        "tenant_id": tenant, "stream_id": scene.key, "seq": 1, "kind": "project.created", "actor": "somebody",
        "owner_id": "", "correlation_id": "a request",
    }  # fmt: skip
    await insert(sql, "projects", row)
    await insert(sql, "events", event)
    return scene


async def a_workflow(
    place: str | Sql, *prompts: StageStatus, until: Sequence[StageStatus] = (StageStatus.APPROVED,) * 3, **project: Any
) -> Scene:
    """A project whose first stages are as `until` says, by default all approved; with prompts for its first stories."""
    scene = await a_project(place, **project)
    for stage, status in zip((RA, PP, SG), until, strict=False):
        await scene.add(stage, status)
    await scene.add_prompts(*prompts)
    return scene


async def insert(sql: Sql, table: str, row: dict[str, Any], **written: str) -> None:
    """Put a row into a table; what is `written` is SQL."""
    places = [f"${number}" for number in range(1, len(row) + 1)]
    columns, values = ", ".join([*row, *written]), ", ".join([*places, *written.values()])
    await sql(f"INSERT INTO {table} ({columns}) VALUES ({values})", *row.values())


async def _run(dsn: str, statement: str, *arguments: object) -> Sequence[Any]:
    connection = await asyncpg.connect(dsn)
    try:
        found: Sequence[Any] = await connection.fetch(statement, *arguments)
    finally:
        await connection.close()
    return found
