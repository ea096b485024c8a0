"""Every statement that writes the workflow's tables, and those that are asked behind the lock of a project's row."""

from app.workflow.repository.past import (
    feedback_on,
    latest_decided,
    next_pending,
    stage_by_id,
    stage_of_review,
    stage_of_run,
    stages_of_request,
    stages_of_upstream,
    stories_of,
)
from app.workflow.repository.projects import create, delete, find, lock, update
from app.workflow.repository.reviews import decide, find_review, open_review
from app.workflow.repository.stages import (
    approved,
    built_on,
    finish,
    generate,
    generating,
    give_up,
    keep_stories,
    live_in_place,
    make_stale,
    request,
    settle,
)
from app.workflow.repository.upkeep import live_stages

__all__ = [
    "approved",
    "built_on",
    "create",
    "decide",
    "delete",
    "feedback_on",
    "find",
    "find_review",
    "finish",
    "generate",
    "generating",
    "give_up",
    "keep_stories",
    "latest_decided",
    "live_in_place",
    "live_stages",
    "lock",
    "make_stale",
    "next_pending",
    "open_review",
    "request",
    "settle",
    "stage_by_id",
    "stage_of_review",
    "stage_of_run",
    "stages_of_request",
    "stages_of_upstream",
    "stories_of",
    "update",
]
