"""What agents keep in a session: replaced as a whole, by version or not, and never lost between two writers."""

import asyncio
from typing import Any

import pytest

from tests.client import GraphQLClient
from tests.fakes import StatementRecorder
from tests.worlds import ClientAs, rows, stored

ALL = "agentState { id agentId state version createdAt updatedAt session { id } }"
ONE = 'query ($id: ID!) { session(id: $id) { agentState(agentId: "planner") { state version } } }'
LIST = "query ($id: ID!) { session(id: $id) { agentStates { agentId state version } } }"

WRITERS = 24

FILL = """
INSERT INTO agent_states (tenant_id, session_id, agent_id, id, state, version)
  SELECT tenant_id, id, 'agent ' || n, gen_random_uuid(), '{}', 1 FROM chat_sessions, generate_series(1, $1::int) n
"""
COUNT = "UPDATE chat_sessions SET agent_states = $1"


async def keep(client: GraphQLClient, session: str, state: object, selected: str = ALL, **input_: Any) -> Any:
    """The payload of a state that `planner` keeps, or the agent that is named."""
    return await client.mutate(
        "setAgentState",
        f"details: error {{ details }} {selected}",
        {"sessionId": session, "agentId": "planner", "state": state, **input_},
    )


async def test_a_state_is_kept_counted_and_told_without_its_content(client: GraphQLClient, dsn: str) -> None:
    """S1-39, C25."""
    session = await client.create_session()

    first = (await keep(client, session, {"step": 1, "plan": ["book", "pack"]}))["agentState"]
    second = (await keep(client, session, {"step": 2}))["agentState"]

    assert first == {
        "id": first["id"], "agentId": "planner", "state": {"step": 1, "plan": ["book", "pack"]}, "version": 1,
        "createdAt": first["createdAt"], "updatedAt": first["createdAt"], "session": {"id": session},
    }  # fmt: skip
    assert second == {**first, "state": {"step": 2}, "version": 2, "updatedAt": second["updatedAt"]}
    assert second["updatedAt"] > first["updatedAt"]
    events = await rows(dsn, "SELECT seq, kind, payload FROM events ORDER BY seq DESC LIMIT 2")
    assert [(event["seq"], event["kind"]) for event in events] == [
        (3, "session.agent_state_set"),
        (2, "session.agent_state_set"),
    ]
    assert '"agentId": "planner"' in events[0]["payload"]
    assert '"version": 2' in events[0]["payload"]
    assert "step" not in events[0]["payload"]
    counters = (await rows(dsn, "SELECT last_event, agent_states, updated_at FROM chat_sessions"))[0]
    assert (counters["last_event"], counters["agent_states"]) == (3, 1)


async def test_the_states_of_a_session_come_by_agent(client: GraphQLClient) -> None:
    session = await client.create_session()
    for agent in ("planner", "critic", "Ärztin"):
        await keep(client, session, {"is": agent}, agentId=agent)

    listed = (await client.data(LIST, {"id": session}))["session"]["agentStates"]
    one = (await client.data(ONE, {"id": session}))["session"]["agentState"]
    nobody = await client.data(ONE.replace("planner", "nobody"), {"id": session})

    assert [(found["agentId"], found["state"]) for found in listed] == [
        (agent, {"is": agent}) for agent in sorted(("planner", "critic", "Ärztin"))
    ]
    assert one == {"state": {"is": "planner"}, "version": 1}
    assert nobody == {"session": {"agentState": None}}


@pytest.mark.parametrize(("before", "expected", "found"), [(2, 1, 2), (2, 3, 2), (2, 0, 2), (0, 1, None), (0, 7, None)])
async def test_another_version_is_refused_with_the_state_that_is_there(
    before: int, expected: int, found: int | None, client: GraphQLClient, dsn: str
) -> None:
    session = await client.create_session()
    for step in range(before):
        await keep(client, session, {"step": step})
    untouched = await stored(dsn)

    payload = await keep(client, session, {"step": "lost"}, expectedVersion=expected, clientKey="once")

    assert (payload["success"], payload["error"]["code"], payload["error"]["field"]) == (
        False, "VERSION_CONFLICT", "expectedVersion",
    )  # fmt: skip
    assert payload["details"] == {"details": {"version": found or 0}}
    assert payload["agentState"] == (None if found is None else {
        **payload["agentState"], "state": {"step": before - 1}, "version": found,
    })  # fmt: skip
    assert await stored(dsn) == untouched


async def test_the_version_expected_is_replaced_and_none_is_where_none_is_expected(client: GraphQLClient) -> None:
    session = await client.create_session()

    made = await keep(client, session, {"step": 1}, expectedVersion=0)
    replaced = await keep(client, session, {"step": 2}, expectedVersion=1)
    emptied = await keep(client, session, {}, expectedVersion=2)

    assert [payload["agentState"]["version"] for payload in (made, replaced, emptied)] == [1, 2, 3]
    assert emptied["agentState"]["state"] == {}


@pytest.mark.parametrize("largest", [{"big": "x" * (64 * 1024 - 10)}, {"big": [1] * (32 * 1024 - 5)}])
async def test_sixty_four_kibibytes_are_kept(largest: dict[str, Any], client: GraphQLClient) -> None:
    """Small numbers take the most room in the database."""
    session = await client.create_session()

    kept = await keep(client, session, largest)

    assert kept["agentState"]["state"] == largest


async def test_no_update_of_twenty_four_writers_is_lost(client: GraphQLClient, dsn: str) -> None:
    session = await client.create_session()

    async def count_up() -> int:
        refused, state, version = 0, {"count": 0}, 0
        while True:
            payload = await keep(client, session, {"count": state["count"] + 1}, expectedVersion=version)
            if payload["success"]:
                return refused
            assert payload["error"]["code"] == "VERSION_CONFLICT"
            refused += 1
            state, version = payload["agentState"]["state"], payload["agentState"]["version"]

    refused = await asyncio.gather(*(count_up() for _ in range(WRITERS)))

    assert (await client.data(ONE, {"id": session}))["session"]["agentState"] == {
        "state": {"count": WRITERS}, "version": WRITERS,
    }  # fmt: skip
    assert sum(refused) > 0
    counters = (await rows(dsn, "SELECT last_event, agent_states FROM chat_sessions"))[0]
    assert (counters["last_event"], counters["agent_states"]) == (WRITERS + 1, 1)


async def test_writers_who_expect_nothing_all_write_also_when_each_is_the_first(
    client: GraphQLClient, dsn: str
) -> None:
    session = await client.create_session()

    payloads = await asyncio.gather(*(keep(client, session, {"from": number}) for number in range(WRITERS)))

    assert sorted(payload["agentState"]["version"] for payload in payloads) == list(range(1, WRITERS + 1))
    last = max(payloads, key=lambda payload: payload["agentState"]["version"])["agentState"]
    assert (await client.data(ONE, {"id": session}))["session"]["agentState"]["state"] == last["state"]
    counters = (await rows(dsn, "SELECT last_event, agent_states FROM chat_sessions"))[0]
    assert (counters["last_event"], counters["agent_states"]) == (WRITERS + 1, 1)


async def test_of_writers_who_expect_to_be_the_first_one_is(client: GraphQLClient, dsn: str) -> None:
    session = await client.create_session()

    payloads = await asyncio.gather(
        *(
            keep(client, session, {"from": number}, expectedVersion=0, clientKey=f"key {number}")
            for number in range(WRITERS)
        )
    )

    codes = [payload["error"] and payload["error"]["code"] for payload in payloads]
    assert codes.count(None) == 1
    assert {code for code in codes if code} == {"VERSION_CONFLICT"}
    assert len(await rows(dsn, "SELECT * FROM client_keys")) == 1
    assert (await rows(dsn, "SELECT last_event FROM chat_sessions"))[0]["last_event"] == 2


async def test_a_session_holds_the_states_of_a_hundred_agents_also_when_many_come_at_once(
    client: GraphQLClient, dsn: str
) -> None:
    session = await client.create_session()
    await rows(dsn, FILL, 98)
    await rows(dsn, COUNT, 98)

    payloads = await asyncio.gather(*(keep(client, session, {}, agentId=f"new {number}") for number in range(8)))
    again = await keep(client, session, {"more": True}, agentId="agent 1")

    refused = [payload["error"]["code"] for payload in payloads if not payload["success"]]
    assert refused == ["LIMIT_EXCEEDED"] * 6
    assert len(await rows(dsn, "SELECT * FROM agent_states")) == 100
    assert again["agentState"]["version"] == 2
    assert (await rows(dsn, "SELECT agent_states FROM chat_sessions"))[0]["agent_states"] == 100


async def test_the_state_of_anothers_session_is_neither_read_nor_kept(client_as: ClientAs, dsn: str) -> None:
    alice, bob, stranger = [await client_as(name) for name in ("alice", "bob", "alice@acme")]
    session = await alice.create_session()
    state = (await keep(alice, session, {"secret": 1}))["agentState"]["id"]
    before = await stored(dsn)

    for other in (bob, stranger):
        payload = await keep(other, session, {"secret": 2})
        node = await other.data("query ($id: ID!) { node(id: $id) { id } }", {"id": state})

        assert (payload["error"]["code"], payload["agentState"]) == ("SESSION_NOT_FOUND", None)
        assert node == {"node": None}
    assert await stored(dsn) == before


async def test_a_state_is_set_in_one_statement_and_read_in_one_for_all_sessions(
    client: GraphQLClient, statements: StatementRecorder
) -> None:
    for _ in range(5):
        session = await client.create_session()
        await keep(client, session, {"a": 1})
        await keep(client, session, {"b": 1}, agentId="critic")

    statements.clear()
    await keep(client, session, {"a": 2}, selected="agentState { version }", expectedVersion=1, clientKey="once")
    written = len(statements.sent)
    statements.clear()
    await client.data('{ sessions { nodes { agentStates { state } agentState(agentId: "critic") { state } } } }')

    assert (written, len(statements.sent)) == (1, 3)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"agentId": " "}, "agentId"),
        ({"agentId": "a" * 256}, "agentId"),
        ({"state": [1]}, "state"),
        ({"state": {"big": "x" * (64 * 1024 - 9)}}, "state"),
        ({"expectedVersion": -1}, "expectedVersion"),
    ],
)
async def test_what_cannot_be_kept_is_refused_by_its_field(
    wrong: dict[str, Any], field: str, client: GraphQLClient, dsn: str
) -> None:
    session = await client.create_session()
    before = await stored(dsn)

    payload = await client.mutate(
        "setAgentState", "agentState { id }", {"sessionId": session, "agentId": "planner", "state": {}, **wrong}
    )

    assert (payload["error"]["code"], payload["error"]["field"]) == ("VALIDATION_ERROR", field)
    assert await stored(dsn) == before
