"""A run that waits for a person's decision outlives the processes before and after it."""

from pathlib import Path
from typing import Any

from tests.answers import nothing_under_way
from tests.client import GraphQLClient
from tests.conversations import eventually, value
from tests.followers import Kept
from tests.processes import serving

ASKS = "/tool delete_file {}"
"""What has the local model ask for a tool."""

TOOL = {"name": "delete_file", "description": "Deletes a file.", "requiresApproval": True}

RUN = """
query ($id: ID!) {
  run(id: $id) { status turns messages { status content toolCalls { execution { id status approved } } } }
}
"""


async def asked(client: GraphQLClient) -> str:
    """The id of a run whose model has asked for a tool that needs approval."""
    wanted = {"content": ASKS, "tools": [TOOL], "model": "local:extractive"}
    payload = await client.mutate("sendMessage", "run { id }", wanted)
    assert payload["success"], payload
    return str(payload["run"]["id"])


async def run_of(client: GraphQLClient, run: str) -> dict[str, Any]:
    found: dict[str, Any] = (await client.data(RUN, {"id": run}))["run"]
    return found


async def test_decision_between_two_crashes_continues_the_run(tmp_path: Path, dsn: str) -> None:
    waiting = "SELECT count(*) FROM runs WHERE status = 'requires_action'"
    async with serving(tmp_path, DATABASE_URL=dsn) as first, first.client() as client:
        run = await asked(client)
        kept = Kept(run)
        await eventually(lambda: value(dsn, waiting), 1)
        await first.kill()

    async with serving(tmp_path, DATABASE_URL=dsn) as second, second.client() as client:
        found = await run_of(client, run)
        [call] = found["messages"][0]["toolCalls"]
        decided = await client.mutate(
            "decideToolExecution", "toolExecution { status }",
            {"toolExecutionId": call["execution"]["id"], "approve": False, "comment": "not that one"},
        )  # fmt: skip
        await second.kill()

    async with serving(tmp_path, DATABASE_URL=dsn) as third, third.client() as client:
        await kept.follow(await third.address())
        ended = await run_of(client, run)
        await nothing_under_way(dsn)

    assert (found["status"], call["execution"]["status"]) == ("REQUIRES_ACTION", "AWAITING_APPROVAL")
    assert decided["toolExecution"]["status"] == "CANCELLED"
    assert (kept.kind, ended["status"], ended["turns"]) == ("CompletionFinished", "COMPLETED", 2)
    calling, answer = ended["messages"]
    assert (calling["status"], answer["status"]) == ("COMPLETED", "COMPLETED")
    assert "They say: not that one" in answer["content"]
    assert await value(dsn, "SELECT count(*) FROM chat_messages WHERE role = 'tool'") == 1
