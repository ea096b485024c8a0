"""Offering tools by the API, and reading what came of them."""

from typing import Any

import pytest

from app.core.actor import Actor
from app.core.ids import global_id
from tests.client import GraphQLClient, client_of
from tests.conversations import rows, value
from tests.llm.provider_servers import ProviderServer, openai_answer
from tests.runs.conftest import Process
from tests.runs.scenes import ask, end_of
from tests.runs.turning import CLOCK, WEATHER, calls_weather, executions, report, waits

OFFERED = """
query ($id: ID!) { run(id: $id) {
  status turns usage { input } tools { name description parameters requiresApproval onServer }
  messages { content run { id } toolCalls { execution { output } } }
} }
"""


def sending(*tools: dict[str, Any]) -> dict[str, Any]:
    return {"content": "hello", "model": "local:echo", "tools": list(tools)}


@pytest.mark.parametrize(
    ("tools", "field"),
    [
        ([{"name": "no spaces"}], "tools[0].name"),
        ([{"name": "a"}, {"name": "a"}], "tools[1].name"),
        ([{"name": "a", "parameters": []}], "tools[0].parameters"),
        ([{"name": "a", "parameters": {"type": "object", "properties": {"city": {"type": "strin"}}}}],
         "tools[0].parameters.properties.city.type"),
        ([{"name": "a"}, {"name": "current_time", "description": "mine"}], "tools[1].description"),
        ([{"name": "current_time", "parameters": {"type": "object"}}], "tools[0].parameters"),
    ],
)  # fmt: skip
async def test_tool_that_cannot_be_offered_is_refused_by_its_place_and_nothing_is_stored(
    client: GraphQLClient, dsn: str, tools: list[dict[str, Any]], field: str
) -> None:
    payload = await client.mutate("sendMessage", "run { id }", sending(*tools))

    assert (payload["error"]["code"], payload["error"]["field"]) == ("VALIDATION_ERROR", field)
    assert payload["error"]["hint"]
    assert await value(dsn, "SELECT (SELECT count(*) FROM chat_sessions) + (SELECT count(*) FROM runs)") == 0


async def test_tools_are_kept_with_the_run_and_with_the_one_that_tries_it_again(client: GraphQLClient) -> None:
    theirs = {"name": "weather", "description": "Tells it.", "requiresApproval": True}
    sent = await client.mutate("sendMessage", "run { id }", sending(theirs, {"name": "current_time"}))
    await client.mutate("cancelRun", "run { id }", {"runId": sent["run"]["id"]})

    again = await client.mutate("retryRun", "run { id }", {"runId": sent["run"]["id"]})

    found = [(await client.data(OFFERED, {"id": run["run"]["id"]}))["run"]["tools"] for run in (sent, again)]
    assert found[0] == found[1]
    weather, clock = found[0]
    assert weather == {**theirs, "parameters": {"type": "object", "properties": {}}, "onServer": False}
    assert (clock["name"], clock["onServer"], clock["requiresApproval"]) == ("current_time", True, False)
    assert "time_zone" in clock["parameters"]["properties"]


async def test_message_that_is_answered_anew_may_offer_other_tools(client: GraphQLClient) -> None:
    sent = await client.mutate("sendMessage", "run { id } message { id }", sending({"name": "one"}))
    await client.mutate("cancelRun", "run { id }", {"runId": sent["run"]["id"]})

    wanted = {"messageId": sent["message"]["id"], "model": "local:echo", "tools": [{"name": "other"}]}
    again = await client.mutate("regenerateMessage", "run { tools { name } }", wanted)

    assert again["run"]["tools"] == [{"name": "other"}]


async def test_run_shows_its_turns_with_their_messages_and_results(
    asking: Process, server: ProviderServer, actor: Actor, dsn: str
) -> None:
    server.script(calls_weather("Rome", text="I look."), openai_answer("It is sunny."))
    run = await ask(asking, actor, content="Weather?", tools=(WEATHER, CLOCK))
    await waits(dsn, run)
    [execution] = await executions(dsn, run)
    await report(asking, actor, execution["id"], "sunny")
    await end_of(asking, actor, run)

    async with client_of(asking.database, asking.services, actor.user_id) as client:
        shown = (await client.data(OFFERED, {"id": global_id("Run", run.id)}))["run"]

    assert (shown["status"], shown["turns"], shown["usage"]) == ("COMPLETED", 2, {"input": "18"})
    calling, answer = shown["messages"]
    assert (calling["content"], answer["content"]) == ("I look.", "It is sunny.")
    assert calling["toolCalls"] == [{"execution": {"output": "sunny"}}]
    assert calling["run"] == answer["run"] == {"id": global_id("Run", run.id)}
    kinds = [row["kind"] for row in await rows(dsn, "SELECT kind FROM events WHERE kind LIKE 'run.%' ORDER BY seq")]
    assert kinds == [
        "run.queued",
        "run.started",
        "run.requires_action",
        "run.continued",
        "run.started",
        "run.completed",
    ]
