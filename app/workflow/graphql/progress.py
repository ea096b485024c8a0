"""How far a project is, in the graph."""

import strawberry
from strawberry import field

from app.workflow.graphql.words import Stage, StageStatus, WaitsFor


@strawberry.type(
    name="StageProgress",
    description="How far one stage of a project is. The numbers by status are of attempts; of prompts, of stories of "
    "the approved list, of which each counts once: approved, else under way, else as its newest attempt is.",
)
class StageProgressType:
    stage: Stage = field(description="The stage.")
    status: StageStatus | None = field(
        description="Of the newest attempt that is not stale; null where there is none. Of prompts, one of those that "
        "were asked for last that is the least far."
    )
    attempts: int = field(description="How many attempts there ever were; of prompts, for all lists of stories.")
    pending: int = field(description="How many wait for their turn.")
    generating: int = field(description="How many a model is at.")
    awaiting_review: int = field(description="How many a reviewer is to decide about.")
    approved: int = field(description="How many are approved.")
    rejected: int = field(description="How many are rejected.")
    failed: int = field(description="How many failed.")
    stale: int = field(description="How many are stale.")
    of: int = field(
        description="How many are to be approved: one; of prompts, as many as the approved list has stories, and 0 "
        "while there is none."
    )


@strawberry.type(name="Waiting", description="What a project waits for at one stage.")
class WaitingType:
    role: WaitsFor = field(description="For whom.")
    count: int = field(description="How many attempts are waited for.")
    stage: Stage = field(description="At which stage.")


@strawberry.type(name="ProjectProgress", description="How far a project is, and what it waits for.")
class ProjectProgressType:
    stage: Stage = field(
        description="The stage that it is at: the first, in their order, of which not all is approved; the last where "
        "all are."
    )
    finished: bool = field(description="Whether there is an approved prompt for every story.")
    stages: list[StageProgressType] = field(description="All four stages, in their order.")
    waits_for: list[WaitingType] = field(description="What it waits for; nothing where it is finished.")
