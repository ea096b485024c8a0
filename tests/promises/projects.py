"""Projects that are taken through their stages over the API of real servers, and what is shown of them."""

from typing import Any

from tests.client import GraphQLClient
from tests.conversations import eventually, value

STAGES = ("REQUIREMENTS_ANALYSIS", "PROJECT_PLANNING", "STORY_GENERATION", "PROMPT_GENERATION")

WORKSHOP = """A service desk for bicycle workshops.

- Mechanics must see all open jobs of their workshop.
- Customers should be told by message when a bicycle is ready.
"""

HISTORY = """query ($id: ID!) { project(id: $id) {
    name description version progress { stage finished waitsFor { role stage count } }
    stages(first: 100) { edges { node {
        id kind attempt status content model createdBy error { code }
        upstream { id }
        run { id status message { content } }
        review { id status feedback decidedBy decidedAt decisions { number kind feedback decidedBy at } }
        ... on StoryGeneration { stories { id index title description acceptanceCriteria priority estimate } }
        ... on PromptGeneration { storyIndex story { title } }
    } } } } }"""

_LIVE = """SELECT (SELECT count(*) FROM workflow_stages WHERE status IN ('pending', 'generating'))
     + (SELECT count(*) FROM runs WHERE status IN ('queued', 'running')) + (SELECT count(*) FROM pgqueuer)"""


async def described(client: GraphQLClient, name: str = "Workshop", description: str = WORKSHOP) -> str:
    """The id of a new project."""
    payload = await client.mutate("createProject", "project { id }", {"name": name, "description": description})
    assert payload["success"], payload
    return str(payload["project"]["id"])


async def generate(client: GraphQLClient, project_id: str, stage: str, **input_: Any) -> list[dict[str, Any]]:
    """The attempts that were asked for."""
    given = {"projectId": project_id, "stage": stage, "model": "local:extractive", **input_}
    payload = await client.mutate("generateStage", "stages { id status run { id } }", given)
    assert payload["success"], payload
    return list(payload["stages"])


async def decide(client: GraphQLClient, review_id: str, decision: str = "APPROVE", **input_: Any) -> dict[str, Any]:
    """The payload of a decision that was taken."""
    selection = "review { status } stage { status } regenerated { id attempt } stale { id }"
    given = {"reviewId": review_id, "decision": decision, **input_}
    payload = await client.mutate("decideReview", selection, given)
    assert payload["success"], payload
    return payload


async def all_settled(dsn: str) -> None:
    """Return once no stage is waited for, no run is live and no job is left."""
    await eventually(lambda: value(dsn, _LIVE), 0)


async def history(client: GraphQLClient, project_id: str) -> dict[str, Any]:
    """All that is shown of a project."""
    found: dict[str, Any] = (await client.data(HISTORY, {"id": project_id}))["project"]
    return found


def stages_in(shown: dict[str, Any], *statuses: str) -> list[dict[str, Any]]:
    """The attempts of a history, with some statuses or with any."""
    nodes = [edge["node"] for edge in shown["stages"]["edges"]]
    return [node for node in nodes if not statuses or node["status"] in statuses]


async def approve_all(client: GraphQLClient, project_id: str) -> int:
    """Approve all that awaits a review in a project; how many there were."""
    waiting = stages_in(await history(client, project_id), "AWAITING_REVIEW")
    for stage in waiting:
        await decide(client, stage["review"]["id"])
    return len(waiting)


async def downloaded(client: GraphQLClient, project_id: str) -> bytes:
    """The archive of a project's prompts."""
    answer = await client.http.get(f"/projects/{project_id}/prompts.zip")
    assert answer.status_code == 200, answer.text
    return answer.content
