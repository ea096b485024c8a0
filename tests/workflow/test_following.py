"""Following a project: what happened, then what happens, to its end, and nothing of what is not one's own."""

from contextlib import aclosing
from typing import Any

from app.core.settings import Settings
from app.graph.body import GraphQLRequest
from app.graph.operations import Operations
from app.schema import schema
from tests.client import GraphQLClient, as_sent, client_of
from tests.runs.conftest import a_process
from tests.schema_walk import random_id
from tests.workflow.scenes import Scene, a_project, insert

FOLLOW = "subscription ($id: ID!, $after: BigInt) { projectEvents(projectId: $id, after: $after) { seq kind payload } }"


async def happened(scene: Scene, seq: int, kind: str) -> None:
    """Something that another process stored."""
    event = {
        "tenant_id": scene.tenant, "stream_id": scene.key, "seq": seq, "kind": kind, "actor": "bob", "owner_id": "",
        "correlation_id": "a request",
    }  # fmt: skip
    await insert(scene.sql, "events", event)


async def first(client: GraphQLClient, **variables: Any) -> dict[str, Any]:
    return await client.first_event(FOLLOW, variables)


async def test_project_is_followed_from_a_number_to_its_end_by_its_tenant_alone(dsn: str) -> None:
    scene = await a_project(dsn)
    for seq, kind in enumerate(("stage.requested", "stage.generating"), 2):
        await happened(scene, seq, kind)
    async with a_process(dsn) as process, client_of(process.database, process.services, "bob") as bob:
        context = await bob.context()
        asked = GraphQLRequest(FOLLOW, {"id": scene.id, "after": "1"})
        operations = Operations(schema, executor=Settings().executor)
        operation = operations.prepare(asked, context)
        async with aclosing(await operations.start(operation, context)) as answers:
            told = [as_sent(await anext(answers))["data"]["projectEvents"] for _ in range(2)]
            await happened(scene, 4, "project.deleted")
            # The poll finds it, for nobody announced it; then the stream is over.
            told += [as_sent(answer)["data"]["projectEvents"] async for answer in answers]

        nowhere = await first(bob, id=random_id("Project"))
        too_far = await first(bob, id=scene.id, after="9")
        async with client_of(process.database, process.services, "bob@acme") as stranger:
            hidden = await first(stranger, id=scene.id, after="0")

    assert [(event["seq"], event["kind"]) for event in told] == [
        ("2", "STAGE_REQUESTED"), ("3", "STAGE_GENERATING"), ("4", "PROJECT_DELETED"),
    ]  # fmt: skip
    assert {answer["errors"][0]["extensions"]["code"] for answer in (nowhere, hidden)} == {"NOT_FOUND"}
    assert nowhere["errors"][0]["message"] == hidden["errors"][0]["message"]
    assert too_far["errors"][0]["extensions"]["code"] == "INVALID_CURSOR"
