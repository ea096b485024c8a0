"""A session's own fields and what it is filed under: made, changed, cleared, deleted."""

from itertools import permutations
from typing import Any

import pytest

from tests.client import GraphQLClient
from tests.worlds import conversation, rows, stored

ALL = """id title description status userId agentId model provider messageCount totalTokensUsed estimatedCost
totalDurationMs createdAt updatedAt lastModifiedAt metadata { tags customData summary }"""

FILLED: dict[str, Any] = {
    "title": "Trip to Lisbon", "description": "Three days in May", "status": "PAUSED", "agentId": "planner",
    "model": "gpt-4o", "provider": "openai",
}  # fmt: skip

FILED: dict[str, Any] = {"tags": ["travel", "may"], "customData": {"budget": 900}, "summary": "A weekend"}


async def read(client: GraphQLClient, session: str) -> dict[str, Any]:
    """Every field of a session."""
    found: dict[str, Any] = (
        await client.data(f"query ($id: ID!) {{ session(id: $id) {{ {ALL} }} }}", {"id": session})
    )["session"]
    return found


async def test_a_session_of_nothing_has_defaults(client: GraphQLClient) -> None:
    payload = await client.mutate("createSession", f"session {{ {ALL} }}", {})

    session = payload["session"]
    assert session == {
        "id": session["id"], "title": "New conversation", "description": None, "status": "ACTIVE", "userId": "alice",
        "agentId": None, "model": None, "provider": None, "messageCount": 0, "totalTokensUsed": "0",
        "estimatedCost": "0", "totalDurationMs": "0", "createdAt": session["createdAt"],
        "updatedAt": session["createdAt"], "lastModifiedAt": session["createdAt"],
        "metadata": {"tags": [], "customData": {}, "summary": None},
    }  # fmt: skip
    assert session == await read(client, session["id"])


async def test_a_new_session_holds_what_was_given(client: GraphQLClient) -> None:
    session = await client.create_session(**FILLED, **FILED)

    found = await read(client, session)

    assert {name: found[name] for name in FILLED} == FILLED
    assert found["metadata"] == FILED


async def test_an_update_leaves_what_is_left_out(client: GraphQLClient) -> None:
    session = await client.create_session(**FILLED, **FILED)

    for name in FILLED:
        before, new = await read(client, session), "ARCHIVED" if name == "status" else "another"
        payload = await client.mutate("updateSession", f"session {{ {ALL} }}", {"sessionId": session, name: new})

        at = payload["session"]["updatedAt"]
        assert at > before["updatedAt"]
        assert payload["session"] == {**before, name: new, "updatedAt": at, "lastModifiedAt": at}
        assert await read(client, session) == payload["session"]


async def test_null_clears_a_field(client: GraphQLClient) -> None:
    for name in set(FILLED) - {"title", "status"}:
        session = await client.create_session(**FILLED)

        await client.mutate("updateSession", "session { id }", {"sessionId": session, name: None})

        found = await read(client, session)
        assert {known: found[known] for known in FILLED} == {**FILLED, name: None}


@pytest.mark.parametrize("name", ["title", "status"])
async def test_what_a_session_must_have_cannot_be_cleared(name: str, client: GraphQLClient, dsn: str) -> None:
    session = await client.create_session(**FILLED)
    before = await stored(dsn)

    payload = await client.mutate("updateSession", "session { id }", {"sessionId": session, name: None})

    assert (payload["success"], payload["session"]) == (False, None)
    assert (payload["error"]["code"], payload["error"]["field"]) == ("VALIDATION_ERROR", name)
    assert await stored(dsn) == before


@pytest.mark.parametrize("mutation", ["updateSession", "setSessionMetadata"])
async def test_nothing_to_change_is_refused(mutation: str, client: GraphQLClient, dsn: str) -> None:
    session = await client.create_session()
    before = await stored(dsn)

    payload = await client.mutate(mutation, "session { id }", {"sessionId": session})

    assert (payload["success"], payload["error"]["code"]) == (False, "VALIDATION_ERROR")
    assert await stored(dsn) == before


async def test_any_status_may_follow_any_other(client: GraphQLClient) -> None:
    session = await client.create_session(status="ARCHIVED")

    for status, new in permutations(["ACTIVE", "PAUSED", "COMPLETED", "FAILED", "ARCHIVED"], 2):
        await client.mutate("updateSession", "session { id }", {"sessionId": session, "status": status})
        payload = await client.mutate("updateSession", "session { status }", {"sessionId": session, "status": new})
        assert payload["session"] == {"status": new}


async def test_metadata_is_set_and_cleared_part_by_part(client: GraphQLClient) -> None:
    parts: list[tuple[str, object, object]] = [
        ("tags", ["b", "a", "b"], []), ("customData", {"deep": {"er": [1, None]}}, {}), ("summary", "Short", None),
    ]  # fmt: skip
    for name, new, cleared in parts:
        session = await client.create_session(**FILED)

        await client.mutate("setSessionMetadata", "session { id }", {"sessionId": session, name: new})
        after_setting = await read(client, session)
        await client.mutate("setSessionMetadata", "session { id }", {"sessionId": session, name: None})
        after_clearing = await read(client, session)

        assert after_setting["metadata"] == {**FILED, name: new}
        assert after_clearing["metadata"] == {**FILED, name: cleared}
        assert after_clearing["updatedAt"] > after_setting["updatedAt"] > after_setting["createdAt"]


OUTLIVING = {
    "api_keys", "events", "usage_ledger", "budgets", "budget_usage", "pgqueuer", "pgqueuer_log", "prompt_labels",
    "prompt_template_changes", "prompt_template_versions", "prompt_templates", "projects", "workflow_stages", "stories",
    "reviews", "review_decisions",
}  # fmt: skip
"""What stays of a deleted session: its history, what it spent, jobs whose worker will find nothing to do, and the
templates and projects that were made for it. The budget and the key are its user's."""


async def test_a_deleted_session_takes_everything_along_but_its_events_and_what_it_spent(
    client: GraphQLClient, dsn: str
) -> None:
    kept = await conversation(client, mark="kept")
    before = await stored(dsn)
    gone = await conversation(client, chains=2, mark="gone")
    in_full = await read(client, gone.session)

    payload = await client.mutate("deleteSession", f"deletedSessionId session {{ {ALL} }}", {"sessionId": gone.session})

    assert payload["success"]
    assert payload["deletedSessionId"] == gone.session
    assert {**payload["session"], "metadata": None} == {
        **in_full, "updatedAt": payload["session"]["updatedAt"], "lastModifiedAt": payload["session"]["updatedAt"],
        "metadata": None,
    }  # fmt: skip
    after = await stored(dsn)
    assert {table: found for table, found in after.items() if table not in OUTLIVING} == {
        table: found for table, found in before.items() if table not in OUTLIVING
    }
    assert after["usage_ledger"][0] == before["usage_ledger"][0] + 4
    assert await read(client, gone.session) is None
    assert await read(client, kept.session) is not None
    assert await kinds(client, gone.session) == [
        "SESSION_DELETED", "SESSION_AGENT_STATE_SET",
        *[
            *["RUN_FAILED", "RUN_STARTED", "RUN_QUEUED", "MESSAGE_APPENDED"] * 2,
            *["TOOL_EXECUTION_ADDED", "ATTACHMENT_ADDED", "TOOL_CALL_ADDED", "MESSAGE_APPENDED"] * 3,
        ] * 2,
        "MESSAGE_APPENDED", "SESSION_CREATED",
    ]  # fmt: skip


async def kinds(client: GraphQLClient, session: str) -> list[str]:
    """The kinds of a session's events, newest first."""
    query = "query ($id: ID!) { auditEvents(filter: { sessionId: $id }) { nodes { kind seq } } }"
    nodes = (await client.data(query, {"id": session}))["auditEvents"]["nodes"]
    assert [int(node["seq"]) for node in nodes] == list(range(len(nodes), 0, -1))
    return [node["kind"] for node in nodes]


async def test_a_session_is_deleted_once(client: GraphQLClient, dsn: str) -> None:
    session = await client.create_session()
    await client.mutate("deleteSession", "deletedSessionId", {"sessionId": session})
    before = await rows(dsn, "SELECT * FROM events")

    again = await client.mutate("deleteSession", "deletedSessionId session { id }", {"sessionId": session})

    assert again["error"]["code"] == "SESSION_NOT_FOUND"
    assert (again["session"], again["deletedSessionId"]) == (None, None)
    assert await rows(dsn, "SELECT * FROM events") == before


async def test_nothing_is_done_to_a_deleted_session(client: GraphQLClient, dsn: str) -> None:
    session = await client.create_session()
    await client.mutate("deleteSession", "deletedSessionId", {"sessionId": session})
    before = await stored(dsn)
    late = {"updateSession": "title", "setSessionMetadata": "summary", "persistUserMessage": "content"}

    for mutation, name in late.items():
        payload = await client.mutate(mutation, "correlationId", {"sessionId": session, name: "late"})
        assert (payload["success"], payload["error"]["code"]) == (False, "SESSION_NOT_FOUND"), mutation
    assert await stored(dsn) == before
