"""Approvals: who decides first decides, and nobody decides what is not theirs."""

import asyncio
from typing import Any

import pytest

from tests.client import GraphQLClient
from tests.fakes import StatementRecorder
from tests.tools.scenes import a_call, events_of, expired_by_now, fact
from tests.worlds import ClientAs, add_execution, stored

DECIDED = """toolExecution { id status approved approvedBy approvedAt decisionComment error startedAt completedAt
durationMs toolCall { success error executedAt } }"""

ROUNDS = 50


async def awaiting(client: GraphQLClient, session: str | None = None) -> str:
    """The id of an execution that awaits approval."""
    return await add_execution(client, await a_call(client, session), requiredApproval=True)


async def decide(client: GraphQLClient, execution: str, approve: bool, **input_: Any) -> dict[str, Any]:
    """The payload of a decision."""
    return await client.mutate(
        "decideToolExecution", DECIDED, {"toolExecutionId": execution, "approve": approve, **input_}
    )


async def test_an_approved_execution_is_free_to_be_executed(client: GraphQLClient, dsn: str) -> None:
    """S1-14: who, when and why."""
    execution = await awaiting(client)

    payload = await decide(client, execution, True, comment="fine with me")

    found = payload["toolExecution"]
    assert (payload["success"], payload["deduplicated"]) == (True, False)
    assert found == found | {
        "status": "PENDING", "approved": True, "approvedBy": "alice", "decisionComment": "fine with me", "error": None,
        "startedAt": None, "completedAt": None, "durationMs": None,
        "toolCall": {"success": None, "error": None, "executedAt": None},
    }  # fmt: skip
    assert found["approvedAt"] is not None
    assert await events_of(dsn, "tool_execution.decided") == [{"status": "PENDING", "approved": True}]


async def test_a_denied_execution_has_ended_and_its_call_knows(client: GraphQLClient, dsn: str) -> None:
    execution = await awaiting(client)

    found = (await decide(client, execution, False, comment="too dear"))["toolExecution"]

    assert found == found | {
        "status": "CANCELLED", "approved": False, "approvedBy": "alice", "decisionComment": "too dear",
        "error": "approval denied", "durationMs": 0,
        "toolCall": {"success": False, "error": "approval denied", "executedAt": found["completedAt"]},
    }  # fmt: skip
    assert found["approvedAt"] == found["completedAt"] == found["startedAt"]
    assert await events_of(dsn, "tool_execution.decided") == [{"status": "CANCELLED", "approved": False}]


@pytest.mark.parametrize("first", [True, False])
async def test_the_first_decision_holds(client: GraphQLClient, dsn: str, first: bool) -> None:
    execution = await awaiting(client)
    decided = (await decide(client, execution, first, comment="first"))["toolExecution"]
    before = await stored(dsn)

    same = await decide(client, execution, first, comment="second")
    other = await decide(client, execution, not first)

    assert (same["success"], same["deduplicated"], same["toolExecution"]) == (True, True, decided)
    assert (other["success"], other["error"]["code"], other["error"]["field"]) == (False, "ALREADY_DECIDED", "approve")
    # So that one can be shown at once who was faster.
    assert other["toolExecution"] == decided
    assert await stored(dsn) == before


async def test_a_decision_holds_when_it_was_executed_since(client: GraphQLClient, dsn: str) -> None:
    execution = await awaiting(client)
    await decide(client, execution, True)
    await client.mutate(
        "updateToolExecution", "correlationId", {"toolExecutionId": execution, "status": "COMPLETED", "output": "x"}
    )
    before = await stored(dsn)

    same, other = await decide(client, execution, True), await decide(client, execution, False)

    assert (same["deduplicated"], same["toolExecution"]["status"]) == (True, "COMPLETED")
    assert other["error"]["code"] == "ALREADY_DECIDED"
    assert await stored(dsn) == before


@pytest.mark.parametrize(
    ("expected", "code"), [("RUNNING", "VERSION_CONFLICT"), ("AWAITING_APPROVAL", None), (None, None)]
)
async def test_a_decision_is_about_what_the_person_saw(
    client: GraphQLClient, expected: str | None, code: str | None
) -> None:
    execution = await awaiting(client)

    payload = await decide(client, execution, True, **({"expectedStatus": expected} if expected else {}))

    assert (payload["error"] and payload["error"]["code"]) == code
    assert payload["toolExecution"]["status"] == ("AWAITING_APPROVAL" if code else "PENDING")


async def test_what_needs_no_approval_is_not_decided(client: GraphQLClient, dsn: str) -> None:
    execution = await add_execution(client, await a_call(client))
    before = await stored(dsn)

    unseen = await decide(client, execution, True)
    seen = await decide(client, execution, True, expectedStatus="PENDING")

    assert [payload["error"]["code"] for payload in (unseen, seen)] == ["VERSION_CONFLICT", "INVALID_TRANSITION"]
    assert await stored(dsn) == before


async def test_an_approval_that_has_expired_is_not_given(client: GraphQLClient, dsn: str) -> None:
    execution = await awaiting(client)
    await expired_by_now(dsn)
    before = await stored(dsn)

    payload = await decide(client, execution, True)

    assert (payload["error"]["code"], payload["error"]["message"]) == (
        "INVALID_TRANSITION",
        "the approval has expired",
    )
    assert await stored(dsn) == before


@pytest.mark.parametrize("user", ["bob", "alice@acme", "system"])
async def test_nobody_else_sees_or_decides(client: GraphQLClient, client_as: ClientAs, dsn: str, user: str) -> None:
    execution = await awaiting(client)
    other = await client_as(user)
    before = await stored(dsn)

    payload = await decide(other, execution, True)

    assert (payload["error"]["code"], payload["toolExecution"]) == ("NOT_FOUND", None)
    assert (await other.data(INBOX))["pendingApprovals"] == {"totalCount": 0, "nodes": []}
    assert await stored(dsn) == before


async def test_of_two_who_decide_at_once_one_decides(client: GraphQLClient, client_as: ClientAs, dsn: str) -> None:
    """Fifty times, each on its own connection."""
    session = await client.create_session()
    executions = [await awaiting(client, session) for _ in range(ROUNDS)]
    another = await client_as("alice")

    for number, execution in enumerate(executions):
        equal = number % 2 == 0
        payloads = await asyncio.gather(
            decide(client, execution, True, comment="first"), decide(another, execution, equal, comment="second")
        )

        done = [payload for payload in payloads if payload["success"] and not payload["deduplicated"]]
        (late,) = [payload for payload in payloads if payload not in done]
        assert len(done) == 1
        assert (late["success"], late["deduplicated"]) == (equal, equal)
        assert equal or late["error"]["code"] == "ALREADY_DECIDED"
        assert late["toolExecution"] == done[0]["toolExecution"]

    events = await events_of(dsn, "tool_execution.decided")
    found = await fact(dsn, "approved, status")
    assert len(events) == ROUNDS
    assert [row["approved"] for row in found] == [event["approved"] for event in events]
    assert [row["status"].upper() for row in found] == [event["status"] for event in events]


INBOX = "{ pendingApprovals { totalCount nodes { id } } }"
PAGED = """query ($first: Int, $after: String) { pendingApprovals(first: $first, after: $after) {
    nodes { id } pageInfo { hasNextPage endCursor } } }"""


async def test_an_inbox_holds_what_awaits_approval_in_all_sessions_oldest_first(client: GraphQLClient) -> None:
    requested = [await awaiting(client) for _ in range(5)]
    await add_execution(client, await a_call(client))
    await decide(client, requested.pop(1), True)
    await decide(client, requested.pop(1), False)
    listed: list[str] = []
    after = None

    while True:
        page = (await client.data(PAGED, {"first": 2, "after": after}))["pendingApprovals"]
        listed += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break

    assert listed == requested
    assert (await client.data(INBOX))["pendingApprovals"]["totalCount"] == 3


async def test_an_inbox_with_calls_messages_and_sessions_is_four_statements(
    client: GraphQLClient, statements: StatementRecorder
) -> None:
    for _ in range(5):
        await awaiting(client)
    statements.clear()

    await client.data(
        "{ pendingApprovals { nodes { toolName toolCall { name } message { content } session { title } } } }"
    )

    assert len(statements.sent) == 4
