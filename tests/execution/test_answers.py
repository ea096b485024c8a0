"""A prompt is answered as any message is: followed, called off, tried again, and waited for."""

import asyncio
import threading
from contextlib import aclosing
from typing import Any

from app.runs.graphql import run_id
from tests.answers import SCRIPTED, retried
from tests.client import GraphQLClient
from tests.conversations import broken_rules, eventually, value
from tests.execution.scenes import execute, executed, greeting, key_of, stored_executions
from tests.llm.provider_servers import ProviderServer, openai_answer
from tests.prompts.scenes import a_template, change, save
from tests.runs.conftest import Process
from tests.runs.scenes import held_back
from tests.worlds import rows, stored

EXECUTION = """query ($id: ID!) { promptExecution(id: $id) { status cost durationMs finishedAt usage { total }
    error { code } message { content status } run { promptExecution { id } turns } templateVersion { version } } }"""


async def read(client: GraphQLClient, execution: str) -> dict[str, Any]:
    """An execution as it is now."""
    found: dict[str, Any] = (await client.data(EXECUTION, {"id": execution}))["promptExecution"]
    return found


async def has_ended(client: GraphQLClient, execution: str) -> dict[str, Any]:
    """An execution, once its run has ended."""

    async def ended() -> bool:
        return (await read(client, execution))["finishedAt"] is not None

    await eventually(ended, True)
    return await read(client, execution)


async def test_answer_is_followed_from_the_run_that_the_payload_names(worked: GraphQLClient, process: Process) -> None:
    template = await greeting(worked)

    payload = await executed(worked, templateId=template, variables={"name": "Ada"})

    query = """subscription ($runId: ID!) { messageCompletion(runId: $runId) { __typename
        ... on CompletionEnd { run { status } message { content } } } }"""
    context = await worked.context()
    async with aclosing(process.completions.follow(context.actor, run_id(payload["run"]["id"]), None)) as events:
        kinds = [event.node_type async for event in events]
    told = await worked.first_event(query, {"runId": payload["run"]["id"]})
    found = await read(worked, payload["promptExecution"]["id"])
    assert (kinds[0], kinds[-1]) == ("CompletionSnapshot", "CompletionFinished")
    assert "errors" not in told
    assert found["status"] == "COMPLETED"
    assert found["message"] == {"content": "Say hello to Ada in English.", "status": "COMPLETED"}
    assert found["usage"]["total"] != "0"
    assert float(found["cost"]) == 0
    assert found["durationMs"] >= 0
    assert found["run"]["promptExecution"]["id"] == payload["promptExecution"]["id"]


async def test_model_is_asked_once_everything_is_stored_and_no_transaction_is_open(
    scripted: GraphQLClient, server: ProviderServer, dsn: str
) -> None:
    """C22, S4-18."""
    gate = threading.Event()
    server.script(held_back("one two three", gate))
    payload = await executed(scripted, content="Hello", model=SCRIPTED)

    await eventually(lambda: value(dsn, "SELECT status FROM runs"), "running")
    await eventually(lambda: asyncio.to_thread(lambda: len(server.requests)), 1)
    open_ones = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"

    assert await value(dsn, open_ones) == 0
    assert len(await stored_executions(dsn)) == 1
    gate.set()
    assert (await has_ended(scripted, payload["promptExecution"]["id"]))["message"]["content"] == "one two three"


async def test_cancelled_prompt_keeps_what_was_written(
    scripted: GraphQLClient, server: ProviderServer, dsn: str
) -> None:
    gate = threading.Event()
    server.script(held_back("one two three", gate))
    payload = await executed(scripted, content="Hello", model=SCRIPTED)
    await eventually(lambda: value(dsn, "SELECT count(*) FROM run_events"), 1)

    await scripted.mutate("cancelRun", "run { status }", {"runId": payload["run"]["id"]})

    gate.set()
    found = await read(scripted, payload["promptExecution"]["id"])
    assert (found["status"], found["message"]["status"]) == ("CANCELLED", "CANCELLED")
    assert found["message"]["content"].startswith("one")


async def test_answer_that_is_tried_again_or_given_anew_names_the_same_version(
    scripted: GraphQLClient, server: ProviderServer, dsn: str
) -> None:
    server.script(openai_answer("one").broken(0), openai_answer("two"), openai_answer("three"))
    template = await greeting(scripted)
    first = await executed(
        scripted, templateId=template, variables={"name": "Ada"}, model=SCRIPTED, contextFileId="notes.pdf"
    )
    assert (await has_ended(scripted, first["promptExecution"]["id"]))["status"] == "FAILED"
    await save(scripted, template, 1, content="Say goodbye to {{name}}.", variables=[{"name": "name"}])

    again = await retried(scripted, first["run"]["id"])
    await eventually(lambda: value(dsn, "SELECT count(*) FROM runs WHERE status = 'completed'"), 1)
    anew = await scripted.mutate(
        "regenerateMessage",
        "run { id promptExecution { id } }",
        {"messageId": first["message"]["id"], "model": SCRIPTED},
    )
    await eventually(lambda: value(dsn, "SELECT count(*) FROM runs WHERE status = 'completed'"), 2)

    found = await stored_executions(dsn)
    told = ("template_version_id", "template_id", "variables", "context_file_id", "user_message_id", "session_id")
    assert [str(row["run_id"]) for row in found] == [
        key_of(first["run"]["id"]), key_of(again), key_of(anew["run"]["id"]),
    ]  # fmt: skip
    assert len({tuple(row[name] for name in told) for row in found}) == 1
    assert len({row["correlation_id"] for row in found}) == 3
    events = await rows(dsn, "SELECT payload->>'runId' AS run FROM events WHERE kind = 'prompt.executed' ORDER BY seq")
    assert [row["run"] for row in events] == [first["run"]["id"], again, anew["run"]["id"]]
    assert anew["run"]["promptExecution"]["id"]
    assert await broken_rules(dsn) == []


async def test_prompt_of_a_deleted_template_is_still_tried_again(
    scripted: GraphQLClient, server: ProviderServer, dsn: str
) -> None:
    server.script(openai_answer("one").broken(0), openai_answer("two"))
    template = await a_template(scripted)
    first = await executed(scripted, templateId=template, model=SCRIPTED)
    await has_ended(scripted, first["promptExecution"]["id"])
    assert (await change(scripted, "deletePromptTemplate", template))["success"]

    await retried(scripted, first["run"]["id"])

    await eventually(lambda: value(dsn, "SELECT count(*) FROM runs WHERE status = 'completed'"), 1)
    assert len({row["template_version_id"] for row in await stored_executions(dsn)}) == 1
    assert len(await stored_executions(dsn)) == 2


async def test_message_that_is_no_prompt_has_no_execution_when_it_is_answered_anew(
    worked: GraphQLClient, dsn: str
) -> None:
    sent = await worked.mutate("sendMessage", "message { id }", {"content": "Hello", "model": "local:echo"})
    await eventually(lambda: value(dsn, "SELECT count(*) FROM runs WHERE status = 'completed'"), 1)

    anew = await worked.mutate(
        "regenerateMessage", "run { promptExecution { id } }", {"messageId": sent["message"]["id"]}
    )

    assert anew["run"] == {"promptExecution": None}
    assert await stored_executions(dsn) == []


async def test_busy_session_refuses_queues_or_interrupts(
    scripted: GraphQLClient, server: ProviderServer, dsn: str
) -> None:
    gate = threading.Event()
    server.script(held_back("one two three", gate), openai_answer("interrupting"), openai_answer("queued"))
    first = await executed(scripted, content="First", model=SCRIPTED)
    session = first["session"]["id"]
    await eventually(lambda: value(dsn, "SELECT count(*) FROM run_events"), 1)
    before = await stored(dsn)

    refused = await execute(scripted, content="Refused", sessionId=session, model=SCRIPTED)

    assert refused["error"]["code"] == "RUN_ACTIVE"
    assert {name: found for name, found in (await stored(dsn)).items() if "pgqueuer" not in name} == {
        name: found for name, found in before.items() if "pgqueuer" not in name
    }
    second = await executed(scripted, content="Second", sessionId=session, model=SCRIPTED, onBusy="INTERRUPT")
    third = await executed(scripted, content="Third", sessionId=session, model=SCRIPTED, onBusy="ENQUEUE")
    gate.set()
    assert (await has_ended(scripted, third["promptExecution"]["id"]))["message"]["content"] == "queued"
    assert (await read(scripted, first["promptExecution"]["id"]))["status"] == "CANCELLED"
    assert (await read(scripted, second["promptExecution"]["id"]))["message"]["content"] == "interrupting"


async def test_thirty_prompts_at_once_are_answered_one_after_the_other(worked: GraphQLClient, dsn: str) -> None:
    session, template = await worked.create_session(), await greeting(worked)

    payloads = await asyncio.gather(
        *(
            executed(worked, sessionId=session, templateId=template, variables={"name": str(n)}, onBusy="ENQUEUE")
            for n in range(30)
        )
    )

    await eventually(lambda: value(dsn, "SELECT count(*) FROM runs WHERE status = 'completed'"), 30)
    found = await stored_executions(dsn)
    assert len({payload["promptExecution"]["id"] for payload in payloads}) == len(found) == 30
    numbers = sorted(n for p in payloads for n in (p["userMessage"]["sequenceNumber"], p["message"]["sequenceNumber"]))
    assert numbers == list(range(1, 61))
    assert sorted(row["variables"] for row in found) == sorted(f'{{"name": "{n}"}}' for n in range(30))
    assert await value(dsn, "SELECT count(*) FROM events WHERE kind = 'prompt.executed'") == 30
    assert await broken_rules(dsn) == []


async def test_tools_of_a_prompt_are_offered_to_its_model(worked: GraphQLClient) -> None:
    clock = {"name": "current_time"}
    payload = await worked.mutate(
        "executePrompt",
        "run { tools { name } }",
        {"content": "Hello", "model": "local:echo", "tools": [clock]},
    )

    assert payload["run"] == {"tools": [clock]}
