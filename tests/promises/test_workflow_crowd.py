"""Fifty projects at once, on two processes of which one dies: each stage of each is made once."""

import asyncio
from pathlib import Path

import pytest

from tests.client import GraphQLClient
from tests.conversations import rows
from tests.processes import two_servers
from tests.promises.projects import STAGES, all_settled, described, generate
from tests.workflow.making import inconsistent

pytestmark = pytest.mark.timeout(400)

PROJECTS = 50

_APPROVE = "mutation ($input: DecideReviewInput!) { decideReview(input: $input) { success error { code } } }"


async def test_fifty_projects_on_two_processes_of_which_one_is_killed(tmp_path: Path, dsn: str) -> None:
    environment = {
        "DATABASE_URL": dsn, "COLLOQUY_RUNS_PER_PROCESS": "4", "COLLOQUY_JOB_LEASE_SECONDS": "2",
        "COLLOQUY_LOCAL_WORDS_PER_SECOND": "0",
    }  # fmt: skip
    async with two_servers(tmp_path, **environment) as (first, second), first.client() as client:
        projects = [await described(client, f"Workshop {number}") for number in range(PROJECTS)]
        for place, stage in enumerate(STAGES):
            for start in range(0, PROJECTS, 10):
                few = projects[start : start + 10]
                await asyncio.gather(*(generate(client, project_id, stage) for project_id in few))
                if (place, start) == (1, 20):
                    await second.kill()
            await all_settled(dsn)
            await _approve_all(client)
    found = await rows(
        dsn,
        "SELECT stage, count(*) AS made, count(DISTINCT (upstream_id, story_index)) AS places, "
        "max(attempt) AS attempts, count(*) FILTER (WHERE status = 'approved') AS approved "
        "FROM workflow_stages GROUP BY stage",
    )
    made = {row["stage"]: row for row in found}
    assert {row["attempts"] for row in found} == {1}
    for stage in ("requirements_analysis", "project_planning", "story_generation"):
        assert (made[stage]["made"], made[stage]["approved"]) == (PROJECTS, PROJECTS)
    stories = (await rows(dsn, "SELECT count(*) FROM stories"))[0]["count"]
    prompts = made["prompt_generation"]
    assert (prompts["made"], prompts["places"], prompts["approved"]) == (stories, stories, stories)
    assert await inconsistent(dsn) == {}


async def _approve_all(client: GraphQLClient) -> None:
    """Approve all that waits in the inbox, ten at a time."""
    while True:
        inbox = await client.data("{ pendingReviews(first: 100) { edges { node { id } } } }")
        waiting = [edge["node"]["id"] for edge in inbox["pendingReviews"]["edges"]]
        if not waiting:
            return
        for start in range(0, len(waiting), 10):
            given = [{"reviewId": id_, "decision": "APPROVE"} for id_ in waiting[start : start + 10]]
            answers = await asyncio.gather(*(client.data(_APPROVE, {"input": one}) for one in given))
            assert all(answer["decideReview"]["success"] for answer in answers), answers
