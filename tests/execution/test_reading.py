"""Executions as they are read: by whom, in which order, at what cost, and what they add up to."""

from typing import Any

from tests.client import GraphQLClient
from tests.conftest import execute as run_sql
from tests.execution.scenes import executed, greeting, key_of
from tests.fakes import StatementRecorder
from tests.prompts.scenes import a_template, save
from tests.schema_walk import random_id
from tests.worlds import ClientAs

OF_VERSION = """query ($id: ID!, $first: Int, $after: String) { promptTemplate(id: $id) { latestVersion {
    executions(first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor } nodes { id } } } } }"""

FIGURES = """count completed failed cancelled interrupted running successRate p50Ms p95Ms inputTokens outputTokens
    totalTokens cost costUnknown"""

STATISTICS = f"""query ($id: ID!) {{ promptTemplate(id: $id) {{ statistics {{ {FIGURES} }}
    versions {{ nodes {{ version statistics {{ {FIGURES} }} }} }} }} }}"""

NOTHING = {
    "count": 0, "completed": 0, "failed": 0, "cancelled": 0, "interrupted": 0, "running": 0, "successRate": None,
    "p50Ms": None, "p95Ms": None, "inputTokens": "0", "outputTokens": "0", "totalTokens": "0", "cost": None,
    "costUnknown": 0,
}  # fmt: skip


async def ids_of(client: GraphQLClient, template: str, **page: Any) -> dict[str, Any]:
    """The executions of a template's latest version that a client is shown."""
    found = await client.data(OF_VERSION, {"id": template, **page})
    listed: dict[str, Any] = found["promptTemplate"]["latestVersion"]["executions"]
    return listed


async def ended(dsn: str, payload: dict[str, Any], status: str, *, took_ms: int = 0, worked: bool = True) -> None:
    """Have a run ended so, with ten tokens read, three of them from a cache, and seven written, two of them thought."""
    used = "input_tokens = 6, cached_input_tokens = 3, cache_write_tokens = 1, output_tokens = 5, reasoning_tokens = 2"
    started = f"now() - interval '{took_ms} ms'" if worked else "NULL"
    await run_sql(
        dsn,
        f"UPDATE runs SET status = '{status}', finished_at = now(), started_at = {started}, "
        f"generation = {int(worked)}{f', {used}' if worked else ''} WHERE id = '{key_of(payload['run']['id'])}'",
    )


async def cost(dsn: str, payload: dict[str, Any], dollars: str) -> None:
    """Have a run cost so much."""
    await run_sql(dsn, f"UPDATE runs SET cost = {dollars} WHERE id = '{key_of(payload['run']['id'])}'")


async def test_executions_of_a_session_come_newest_first_page_by_page(client: GraphQLClient) -> None:
    session = await client.create_session()
    asked = [
        (await executed(client, sessionId=session, content=str(n), onBusy="ENQUEUE"))["promptExecution"]["id"]
        for n in range(5)
    ]
    query = """query ($id: ID!, $after: String) { promptExecutions(sessionId: $id, first: 2, after: $after) {
        totalCount pageInfo { endCursor hasNextPage } nodes { id } } }"""

    found: list[str] = []
    after = None
    while True:
        page = (await client.data(query, {"id": session, "after": after}))["promptExecutions"]
        found += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break

    assert found == asked[::-1]
    assert page["totalCount"] == 5
    query = "query ($id: ID!) { session(id: $id) { promptExecutions(last: 2) { nodes { id } } } }"
    last = (await client.data(query, {"id": session}))["session"]["promptExecutions"]
    assert [node["id"] for node in last["nodes"]] == asked[1::-1]


async def test_executions_are_private_to_their_user_and_an_admin_reads_all(client_as: ClientAs) -> None:
    alice, bob, admin, stranger = [await client_as(name) for name in ("alice", "bob", "system", "alice@acme")]
    template = await a_template(alice)
    mine = [(await executed(alice, templateId=template))["promptExecution"]["id"] for _ in range(2)]
    theirs = (await executed(bob, templateId=template))["promptExecution"]["id"]

    assert [n["id"] for n in (await ids_of(alice, template))["nodes"]] == mine[::-1]
    assert (await ids_of(alice, template))["totalCount"] == 2
    assert [n["id"] for n in (await ids_of(bob, template))["nodes"]] == [theirs]
    assert [n["id"] for n in (await ids_of(admin, template))["nodes"]] == [theirs, *mine[::-1]]
    assert (await ids_of(admin, template))["totalCount"] == 3
    one = "query ($id: ID!) { promptExecution(id: $id) { variables userMessage { content } } }"
    assert (await alice.data(one, {"id": theirs}))["promptExecution"] is None
    assert (await stranger.data(one, {"id": theirs}))["promptExecution"] is None
    assert (await admin.data(one, {"id": theirs}))["promptExecution"] is not None
    assert await stranger.data("query ($id: ID!) { promptTemplate(id: $id) { id } }", {"id": template}) == {
        "promptTemplate": None
    }


async def test_pages_of_a_version_go_on_where_they_ended(client: GraphQLClient) -> None:
    template = await a_template(client)
    asked = [(await executed(client, templateId=template))["promptExecution"]["id"] for _ in range(5)]

    first = await ids_of(client, template, first=3)
    second = await ids_of(client, template, first=3, after=first["pageInfo"]["endCursor"])

    assert [n["id"] for n in [*first["nodes"], *second["nodes"]]] == asked[::-1]
    assert (first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (True, False)


async def test_session_that_is_not_there_has_no_list(client: GraphQLClient) -> None:
    query = "query ($id: ID!) { promptExecutions(sessionId: $id) { nodes { id } } }"

    answer = await client.answer(query, {"id": random_id("ChatSession")})

    assert answer["errors"][0]["extensions"]["code"] == "SESSION_NOT_FOUND"


async def test_statistics_count_what_everybody_of_the_tenant_asked(client_as: ClientAs, dsn: str) -> None:
    alice, bob = await client_as("alice"), await client_as("bob")
    template, unused = await greeting(alice), await a_template(alice, "unused")
    asked = [
        await executed(who, templateId=template, variables={"name": "Ada"})
        for who in (alice, alice, bob, bob, bob, alice, bob, alice, bob)
    ]
    for number, payload in enumerate(asked[:5], 1):
        await ended(dsn, payload, "completed", took_ms=number * 100)
        await cost(dsn, payload, "0.25" if number < 4 else "NULL")
    await ended(dsn, asked[5], "failed", took_ms=9_000)
    await ended(dsn, asked[6], "cancelled", worked=False)
    await ended(dsn, asked[7], "interrupted", took_ms=9_000)
    await save(alice, template, 1, content="Hello.", variables=None)
    newer = await executed(alice, templateId=template)

    found = (await bob.data(STATISTICS, {"id": template}))["promptTemplate"]

    second, first = [node["statistics"] for node in found["versions"]["nodes"]]
    assert first == {
        "count": 9, "completed": 5, "failed": 1, "cancelled": 1, "interrupted": 1, "running": 1, "successRate": 0.625,
        "p50Ms": 300, "p95Ms": 480, "inputTokens": "70", "outputTokens": "49", "totalTokens": "119",
        "cost": "0.75", "costUnknown": 4,
    }  # fmt: skip
    assert second == {**NOTHING, "count": 1, "running": 1}
    assert found["statistics"] == {**first, "count": 10, "running": 2}
    assert (await bob.data(STATISTICS, {"id": unused}))["promptTemplate"]["statistics"] == NOTHING
    # With the session goes what was asked in it.
    await alice.mutate("deleteSession", "session { id }", {"sessionId": newer["session"]["id"]})
    left = (await bob.data(STATISTICS, {"id": template}))["promptTemplate"]
    assert left["versions"]["nodes"][0]["statistics"] == NOTHING


async def test_statistics_of_any_number_of_versions_are_one_statement(
    client: GraphQLClient, statements: StatementRecorder
) -> None:
    template = await a_template(client, content="0")
    for number in range(1, 6):
        await executed(client, templateId=template)
        await save(client, template, number, content=str(number))
    query = """query ($id: ID!) { promptTemplate(id: $id) { versions { nodes {
        statistics { count p50Ms } executions(first: 3) { totalCount nodes { id status cost durationMs } } } } } }"""
    statements.clear()

    found = (await client.data(query, {"id": template}))["promptTemplate"]["versions"]["nodes"]

    assert [node["statistics"]["count"] for node in found] == [0, 1, 1, 1, 1, 1]
    assert [node["executions"]["totalCount"] for node in found] == [0, 1, 1, 1, 1, 1]
    # The template, its versions, their statistics, their executions, and how many these are.
    assert len(statements.sent) == 5


async def test_execution_costs_the_same_with_and_without_a_template_in_statements(
    client: GraphQLClient, statements: StatementRecorder
) -> None:
    template, session = await greeting(client), await client.create_session()
    counts: list[int] = []
    for input_ in ({"content": "Hello"}, {"templateId": template, "variables": {"name": "Ada"}}):
        statements.clear()
        payload = await client.mutate(
            "executePrompt", "run { id }", {"sessionId": session, "onBusy": "ENQUEUE", "model": "local:echo", **input_}
        )
        assert payload["success"]
        counts.append(len(statements.sent))

    # The session is looked at, then locked; its live runs, both messages, the run (and its job, where it has its turn),
    # the execution and the session's event; then what the payload shows. With a template: it, its version, the hold.
    # Last, whether a budget limits it.
    assert counts == [14, 16]
