"""`wait: true` answers when the run has ended, holds nothing meanwhile, and loses nothing."""

import asyncio
import threading

import pytest

from tests.answers import SCRIPTED
from tests.client import GraphQLClient, client_of
from tests.conversations import eventually, value
from tests.execution.scenes import execute, executed, greeting, stored_executions
from tests.llm.provider_servers import ProviderServer
from tests.prompts.scenes import change
from tests.runs.conftest import a_process_asking
from tests.runs.scenes import held_back


async def test_who_waits_is_told_of_the_whole_answer(worked: GraphQLClient) -> None:
    template = await greeting(worked)

    payload = await executed(worked, templateId=template, variables={"name": "Ada"}, wait=True)

    assert payload["run"]["status"] == payload["promptExecution"]["status"] == "COMPLETED"
    assert payload["message"]["content"] == "Say hello to Ada in English."
    assert payload["promptExecution"]["usage"]["total"] != "0"
    assert (payload["warnings"], payload["deduplicated"]) == ([], False)


async def test_after_the_limit_the_run_goes_on_and_the_same_request_waits_again(
    dsn: str, server: ProviderServer
) -> None:
    gate = threading.Event()
    server.script(held_back("one two three", gate))
    async with (
        a_process_asking(dsn, server, execute_wait_seconds=0.3) as process,
        client_of(process.database, process.services, "alice") as client,
    ):
        input_ = {"content": "Hello", "model": SCRIPTED, "clientKey": "once", "wait": True}
        first = await executed(client, **input_)
        gate.set()
        await eventually(lambda: value(dsn, "SELECT status FROM runs"), "completed")
        again = await executed(client, **input_)
        unwaited = await executed(client, **{**input_, "wait": False})

    assert [warning["code"] for warning in first["warnings"]] == ["STILL_RUNNING"]
    assert (first["success"], first["run"]["status"], first["deduplicated"]) == (True, "RUNNING", False)
    assert (again["warnings"], again["deduplicated"]) == ([], True)
    assert again["message"]["content"] == "one two three"
    ids = {payload["promptExecution"]["id"] for payload in (first, again, unwaited)}
    assert len(ids) == len(await stored_executions(dsn)) == 1


async def test_cancelled_meanwhile_it_is_told_at_once(
    scripted: GraphQLClient, server: ProviderServer, dsn: str
) -> None:
    gate = threading.Event()
    server.script(held_back("one two three", gate))
    waiting = asyncio.create_task(executed(scripted, content="Hello", model=SCRIPTED, wait=True))
    await eventually(lambda: value(dsn, "SELECT count(*) FROM run_events"), 1)
    [execution] = (await _listed(scripted))["nodes"]

    await scripted.mutate("cancelRun", "run { id }", {"runId": execution["run"]["id"]})

    payload = await asyncio.wait_for(waiting, 10)
    gate.set()
    assert (payload["promptExecution"]["status"], payload["warnings"]) == ("CANCELLED", [])
    assert payload["message"]["content"].startswith("one")


async def _listed(client: GraphQLClient) -> dict[str, list[dict[str, dict[str, str]]]]:
    found = await client.data("{ sessions { nodes { promptExecutions { nodes { id run { id } } } } } }")
    listed: dict[str, list[dict[str, dict[str, str]]]] = found["sessions"]["nodes"][0]["promptExecutions"]
    return listed


async def test_client_that_leaves_ends_its_wait_and_nothing_else(
    scripted: GraphQLClient, server: ProviderServer, dsn: str
) -> None:
    gate = threading.Event()
    server.script(held_back("one two three", gate))
    input_ = {"content": "Hello", "model": SCRIPTED, "clientKey": "once", "wait": True}
    waiting = asyncio.create_task(execute(scripted, **input_))
    await eventually(lambda: value(dsn, "SELECT count(*) FROM run_events"), 1)

    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    gate.set()
    again = await executed(scripted, **input_)

    assert (again["deduplicated"], again["message"]["content"]) == (True, "one two three")
    assert len(await stored_executions(dsn)) == 1


async def test_session_that_is_deleted_meanwhile_ends_the_wait(
    scripted: GraphQLClient, server: ProviderServer, dsn: str
) -> None:
    gate = threading.Event()
    server.script(held_back("one two three", gate))
    session = await scripted.create_session()
    waiting = asyncio.create_task(execute(scripted, content="Hi", sessionId=session, model=SCRIPTED, wait=True))
    await eventually(lambda: value(dsn, "SELECT count(*) FROM run_events"), 1)

    await scripted.mutate("deleteSession", "session { id }", {"sessionId": session})

    payload = await asyncio.wait_for(waiting, 10)
    gate.set()
    assert (payload["success"], payload["promptExecution"]) == (True, None)
    assert [warning["code"] for warning in payload["warnings"]] == ["NOT_WAITED_FOR"]


async def test_many_who_wait_hold_no_connection(dsn: str, server: ProviderServer) -> None:
    gates = [threading.Event() for _ in range(12)]
    server.script(*(held_back("one two three", gate) for gate in gates))
    async with (
        # On a busy machine two connections are waited for longer than a server would.
        a_process_asking(dsn, server, pool_size=2, connect_timeout_seconds=20) as process,
        client_of(process.database, process.services, "alice") as client,
    ):
        asked = (executed(client, content=str(n), model=SCRIPTED, wait=True) for n in range(12))
        waiting = [asyncio.create_task(one) for one in asked]
        await eventually(lambda: value(dsn, "SELECT count(*) FROM runs WHERE status = 'running'"), 12)
        found = await client.data("{ sessions { totalCount } }")
        for gate in gates:
            gate.set()
        payloads = await asyncio.gather(*waiting)

    assert found["sessions"]["totalCount"] == 12
    assert [payload["message"]["content"] for payload in payloads] == ["one two three"] * 12


async def test_same_key_finds_its_execution_whatever_became_of_the_template(worked: GraphQLClient, dsn: str) -> None:
    template = await greeting(worked)
    await change(worked, "setPromptLabel", template, label="production", version=1)
    input_ = {"templateId": template, "label": "production", "variables": {"name": "Ada"}, "clientKey": "once"}
    first = await executed(worked, **input_, wait=True)
    await change(worked, "deletePromptTemplate", template)

    again = await executed(worked, **input_)
    other = await execute(worked, **{**input_, "variables": {"name": "Bob"}})

    assert (again["deduplicated"], again["promptExecution"]["id"]) == (True, first["promptExecution"]["id"])
    assert (other["error"]["code"], other["error"]["field"]) == ("IDEMPOTENCY_KEY_REUSED", "clientKey")
    assert len(await stored_executions(dsn)) == 1


async def test_ten_at_once_with_one_key_are_one_execution(worked: GraphQLClient, dsn: str) -> None:
    payloads = await asyncio.gather(*(executed(worked, content="Hello", clientKey="k", wait=True) for _ in range(10)))

    assert sorted(payload["deduplicated"] for payload in payloads) == [False] + [True] * 9
    assert len({payload["promptExecution"]["id"] for payload in payloads}) == len(await stored_executions(dsn)) == 1
    assert {payload["run"]["status"] for payload in payloads} == {"COMPLETED"}


async def test_two_with_one_key_of_which_one_only_waits_are_the_same(worked: GraphQLClient, dsn: str) -> None:
    first = await executed(worked, content="Hello", clientKey="k")
    second = await executed(worked, content="Hello", clientKey="k", wait=True)

    assert second["deduplicated"] is True
    assert second["promptExecution"]["id"] == first["promptExecution"]["id"]
    assert second["message"]["content"] == "Hello"
