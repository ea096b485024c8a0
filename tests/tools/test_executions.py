"""Executions of tool calls by GraphQL: added, worked, ended, listed."""

from datetime import datetime
from typing import Any

import pytest

from app.tools.values import ExecutionStatus
from tests.client import GraphQLClient
from tests.fakes import StatementRecorder
from tests.tools.scenes import a_call, events_of
from tests.worlds import ClientAs, add_call, add_execution, rows, stored

ALL = """toolExecution { id toolName input output status error requiredApproval approved approvedBy approvedAt
decisionComment approvalExpiresAt agentId startedAt completedAt durationMs createdAt updatedAt
toolCall { id result resultTruncated success error executedAt durationMs execution { id } }
message { id } session { id } }"""

UNTOUCHED = {
    "output": None, "error": None, "approved": None, "approvedBy": None, "approvedAt": None, "decisionComment": None,
    "completedAt": None, "durationMs": None,
}  # fmt: skip


async def add(client: GraphQLClient, call: str, **input_: Any) -> dict[str, Any]:
    """The payload of a new execution."""
    return await client.mutate("addToolExecution", ALL, {"toolCallId": call, **input_})


async def update(client: GraphQLClient, execution: str, **input_: Any) -> dict[str, Any]:
    """The payload of a change."""
    return await client.mutate("updateToolExecution", ALL, {"toolExecutionId": execution, **input_})


async def test_an_execution_holds_what_was_given(client: GraphQLClient) -> None:
    """S1-13."""
    call = await a_call(client, name="search", arguments='{"q": 1}')

    found = (await add(client, call, input='{"q": 1, "limit": 5}', agentId="researcher", status="RUNNING"))[
        "toolExecution"
    ]

    given = {"toolName": "search", "input": '{"q": 1, "limit": 5}', "agentId": "researcher", "status": "RUNNING"}
    assert found == found | UNTOUCHED | given | {"requiredApproval": False, "approvalExpiresAt": None}
    assert found["startedAt"] == found["createdAt"] == found["updatedAt"]
    assert found["toolCall"]["id"] == call
    assert found["toolCall"]["execution"]["id"] == found["id"]


async def test_an_execution_is_given_the_arguments_and_begins_pending(client: GraphQLClient) -> None:
    call = await a_call(client, arguments='{"q": 1}')

    found = (await add(client, call))["toolExecution"]

    assert (found["input"], found["status"], found["startedAt"]) == ('{"q": 1}', "PENDING", None)


async def test_one_that_needs_approval_awaits_it_for_as_long_as_was_asked(client: GraphQLClient, dsn: str) -> None:
    """S1-14: three states, the first of which is null."""
    week = (await add(client, await a_call(client), requiredApproval=True))["toolExecution"]
    minute = (await add(client, await a_call(client), requiredApproval=True, approvalExpiresInSeconds=60))[
        "toolExecution"
    ]

    assert week == week | UNTOUCHED | {"status": "AWAITING_APPROVAL", "requiredApproval": True, "startedAt": None}
    assert [seconds(found, "createdAt", "approvalExpiresAt") for found in (week, minute)] == [604_800, 60]
    assert await events_of(dsn, "tool_execution.added") == [{"name": "search", "status": "AWAITING_APPROVAL"}] * 2


def seconds(found: dict[str, Any], start: str, end: str) -> float:
    """Between two moments of an execution."""
    return (datetime.fromisoformat(found[end]) - datetime.fromisoformat(found[start])).total_seconds()


async def test_a_call_is_executed_once(client: GraphQLClient, dsn: str) -> None:
    """S1-16."""
    call = await a_call(client)
    await add(client, call)
    before = await stored(dsn)

    again = await add(client, call)

    assert (again["error"]["code"], again["error"]["field"]) == ("ALREADY_EXISTS", "toolCallId")
    assert await stored(dsn) == before


async def test_the_call_of_a_deleted_message_is_not_executed(client: GraphQLClient, dsn: str) -> None:
    session = await client.create_session()
    message = (await client.reply(session, "", callsTools=True))["message"]["id"]
    call, executed = [await add_call(client, message) for _ in range(2)]
    await add_execution(client, executed)
    await client.mutate("deleteMessage", "message { id }", {"messageId": message})
    before = await stored(dsn)

    payload = await add(client, call)

    assert (payload["error"]["code"], payload["error"]["field"]) == ("NOT_FOUND", "toolCallId")
    assert await stored(dsn) == before
    assert await rows(dsn, "SELECT id FROM tool_executions") == []


async def test_an_execution_that_ends_tells_its_times_and_its_call(client: GraphQLClient, dsn: str) -> None:
    """S1-25, C9, C10: completed_at on the last status alone."""
    call = await a_call(client)
    execution = (await add(client, call))["toolExecution"]["id"]

    running = (await update(client, execution, status="RUNNING", output="so far"))["toolExecution"]
    ended = (await update(client, execution, status="COMPLETED", output="all"))["toolExecution"]

    assert (running["status"], running["output"]) == ("RUNNING", "so far")
    assert (running["completedAt"], running["durationMs"], running["toolCall"]["success"]) == (None, None, None)
    assert running["startedAt"] == running["updatedAt"]
    assert (ended["status"], ended["output"], ended["error"]) == ("COMPLETED", "all", None)
    assert ended["startedAt"] == running["startedAt"]
    assert ended["completedAt"] == ended["updatedAt"]
    assert ended["durationMs"] == pytest.approx(seconds(ended, "startedAt", "completedAt") * 1000, abs=0.5)
    assert ended["toolCall"] == {
        "id": call, "result": "all", "resultTruncated": False, "success": True, "error": None,
        "executedAt": ended["completedAt"], "durationMs": ended["durationMs"], "execution": {"id": execution},
    }  # fmt: skip
    assert await events_of(dsn, "tool_execution.updated") == [
        {"status": "RUNNING", "changed": ["output", "status"]},
        {"status": "COMPLETED", "changed": ["output", "status"]},
    ]


async def test_one_that_was_never_running_took_no_time(client: GraphQLClient) -> None:
    execution = await add_execution(client, await a_call(client))

    ended = (await update(client, execution, status="FAILED", error="no network"))["toolExecution"]

    assert (ended["status"], ended["error"], ended["durationMs"]) == ("FAILED", "no network", 0)
    assert ended["startedAt"] == ended["completedAt"]
    assert (ended["toolCall"]["success"], ended["toolCall"]["error"]) == (False, "no network")


async def test_the_call_keeps_the_beginning_of_a_long_output(client: GraphQLClient) -> None:
    """C9: a preview of 8,000 characters; all of it is the execution's."""
    exact, longer = [await add_execution(client, await a_call(client)) for _ in range(2)]
    longest = "🔍" * 8_000

    fits = (await update(client, exact, status="COMPLETED", output=longest))["toolExecution"]
    cut = (await update(client, longer, status="COMPLETED", output=longest + "!"))["toolExecution"]

    assert (fits["toolCall"]["result"], fits["toolCall"]["resultTruncated"]) == (longest, False)
    assert (cut["toolCall"]["result"], cut["toolCall"]["resultTruncated"]) == (longest, True)
    assert cut["output"] == longest + "!"


async def test_one_that_awaits_approval_is_not_updated(client: GraphQLClient, dsn: str) -> None:
    execution = await add_execution(client, await a_call(client), requiredApproval=True)
    before = await stored(dsn)

    refusals = [
        (await update(client, execution, **change))["error"]
        for change in ({"output": "x"}, *({"status": status.name} for status in ExecutionStatus))
    ]

    assert {error["code"] for error in refusals} == {"INVALID_TRANSITION"}
    assert {error["hint"] for error in refusals} == {"decide it with decideToolExecution"}
    assert await stored(dsn) == before


async def test_what_is_left_out_of_a_change_stays_and_null_clears(client: GraphQLClient) -> None:
    execution = await add_execution(client, await a_call(client), status="RUNNING")

    await update(client, execution, output="so far", error="slow")
    kept = (await update(client, execution, status="RUNNING"))["toolExecution"]
    cleared = (await update(client, execution, error=None))["toolExecution"]

    assert (kept["output"], kept["error"]) == ("so far", "slow")
    assert (cleared["output"], cleared["error"]) == ("so far", None)


async def test_a_change_of_nothing_is_refused(client: GraphQLClient) -> None:
    execution = await add_execution(client, await a_call(client))

    payload = await update(client, execution)

    assert (payload["error"]["code"], payload["error"]["field"]) == ("VALIDATION_ERROR", "input")


LIST = """query ($id: ID!, $status: [ExecutionStatus!], $first: Int, $after: String) {
    toolExecutions(sessionId: $id, status: $status, first: $first, after: $after) {
        totalCount nodes { id } pageInfo { hasNextPage endCursor } } }"""


async def test_executions_of_a_session_are_listed_oldest_first_page_by_page(client: GraphQLClient) -> None:
    session = await client.create_session()
    added = [
        await add_execution(client, await a_call(client, session), requiredApproval=number == 2) for number in range(5)
    ]
    await add_execution(client, await a_call(client))
    await update(client, added[1], status="COMPLETED")
    listed: list[str] = []
    after = None

    while True:
        page = (await client.data(LIST, {"id": session, "first": 2, "after": after}))["toolExecutions"]
        listed += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    some = (await client.data(LIST, {"id": session, "status": ["COMPLETED", "AWAITING_APPROVAL"]}))["toolExecutions"]
    none = (await client.data(LIST, {"id": session, "status": []}))["toolExecutions"]
    of_session = await client.data(
        "query ($id: ID!) { session(id: $id) { toolExecutions(last: 2) { nodes { id } } } }", {"id": session}
    )

    assert (listed, page["totalCount"]) == (added, 5)
    assert ([node["id"] for node in some["nodes"]], some["totalCount"]) == ([added[1], added[2]], 2)
    assert (none["nodes"], none["totalCount"]) == ([], 0)
    assert [node["id"] for node in of_session["session"]["toolExecutions"]["nodes"]] == added[3:]


async def test_executions_of_a_session_that_is_not_there_are_refused(
    client: GraphQLClient, client_as: ClientAs
) -> None:
    session = await (await client_as("bob")).create_session()

    (error,) = (await client.answer(LIST, {"id": session}))["errors"]

    assert error["extensions"]["code"] == "SESSION_NOT_FOUND"


@pytest.mark.parametrize(("selected", "count"), [("status error", 2), ("input", 3), ("input output", 4)])
async def test_long_texts_are_read_where_they_are_selected(
    client: GraphQLClient, statements: StatementRecorder, selected: str, count: int
) -> None:
    session = await client.create_session()
    for _ in range(3):
        await add_execution(client, await a_call(client, session))
    statements.clear()

    await client.data(
        f"query ($id: ID!) {{ toolExecutions(sessionId: $id) {{ nodes {{ {selected} }} }} }}", {"id": session}
    )

    texts = [sql for sql in statements.sent if ".input" in sql or ".output" in sql]
    assert (len(statements.sent), len(texts)) == (count, count - 2)


async def test_an_execution_is_added_by_one_command_after_its_call_was_read(
    client: GraphQLClient, statements: StatementRecorder
) -> None:
    call = await a_call(client)
    statements.clear()

    await client.mutate("addToolExecution", "toolExecution { id status }", {"toolCallId": call})

    assert [sql.split(maxsplit=1)[0] for sql in statements.sent] == ["SELECT", "WITH"]
