"""A template goes only when nothing unfinished needs it, whoever comes first."""

import asyncio
from typing import Any

import asyncpg

from tests.client import GraphQLClient
from tests.conversations import waiting_for_locks
from tests.execution.scenes import execute, executed, stored_executions
from tests.prompts.scenes import a_template
from tests.worlds import rows


async def delete(client: GraphQLClient, template: str) -> dict[str, Any]:
    """The payload of a deletion."""
    return await client.mutate("deletePromptTemplate", "deletedTemplateId", {"templateId": template})


async def test_template_is_needed_until_its_executions_have_ended(client: GraphQLClient, dsn: str) -> None:
    template, other = await a_template(client, "one"), await a_template(client, "other")
    payload = await executed(client, templateId=template)

    refused = await client.data(
        "mutation ($id: ID!) { deletePromptTemplate(input: { templateId: $id }) { error { code field details } } }",
        {"id": template},
    )

    assert refused["deletePromptTemplate"]["error"] == {
        "code": "RUN_ACTIVE", "field": "templateId", "details": {"runIds": [payload["run"]["id"]]},
    }  # fmt: skip
    assert (await delete(client, other))["success"]
    await client.mutate("cancelRun", "run { id }", {"runId": payload["run"]["id"]})
    assert (await delete(client, template))["success"]
    # The version stays for the execution that names it.
    query = "query ($id: ID!) { promptExecution(id: $id) { template { deletedAt } templateVersion { content } } }"
    found = (await client.data(query, {"id": payload["promptExecution"]["id"]}))["promptExecution"]
    assert found["template"]["deletedAt"] is not None
    assert found["templateVersion"] == {"content": "Hello!"}


async def test_deletion_waits_for_an_execution_that_is_being_stored(client: GraphQLClient, dsn: str) -> None:
    template, session = await a_template(client), await client.create_session()
    blocker = await asyncpg.connect(dsn)
    try:
        # Holds what the execution's last statement refers to, so that its transaction stays open behind the template.
        await blocker.execute("BEGIN; LOCK TABLE prompt_executions IN SHARE MODE")
        executing = asyncio.create_task(execute(client, templateId=template, sessionId=session))
        await waiting_for_locks(dsn, 1)
        deleting = asyncio.create_task(delete(client, template))
        await waiting_for_locks(dsn, 2)
        await blocker.execute("COMMIT")
        taken_on, deleted = await asyncio.gather(executing, deleting)
    finally:
        await blocker.close()

    assert taken_on["success"]
    assert deleted["error"]["code"] == "RUN_ACTIVE"
    assert len(await stored_executions(dsn)) == 1


async def test_execution_that_waits_for_a_deletion_finds_nothing_and_stores_nothing(
    client: GraphQLClient, dsn: str
) -> None:
    template = await a_template(client)
    blocker = await asyncpg.connect(dsn)
    try:
        await blocker.execute("BEGIN; UPDATE prompt_templates SET deleted_at = now()")
        executing = asyncio.create_task(execute(client, templateId=template))
        await waiting_for_locks(dsn, 1)
        await blocker.execute("COMMIT")
        payload = await executing
    finally:
        await blocker.close()

    assert (payload["error"]["code"], payload["error"]["field"]) == ("NOT_FOUND", "templateId")
    [counted] = await rows(
        dsn, "SELECT (SELECT count(*) FROM chat_sessions) + (SELECT count(*) FROM runs) AS all, "
        "(SELECT count(*) FROM pgqueuer) AS jobs"
    )  # fmt: skip
    assert counted == {"all": 0, "jobs": 0}


async def test_deletion_that_races_executions_never_leaves_one_unfinished(client: GraphQLClient, dsn: str) -> None:
    templates = [await a_template(client, f"template {number}") for number in range(20)]

    async def race(template: str) -> tuple[bool, int]:
        asked = [execute(client, templateId=template) for _ in range(3)]
        deleted, *payloads = await asyncio.gather(delete(client, template), *asked)
        told = {payload["error"]["code"] for payload in (deleted, *payloads) if not payload["success"]}
        assert told <= {"RUN_ACTIVE", "NOT_FOUND"}
        return deleted["success"], sum(payload["success"] for payload in payloads)

    ends = [await race(template) for template in templates]

    assert not any(deleted and taken_on for deleted, taken_on in ends)
    assert all(deleted or taken_on for deleted, taken_on in ends)
    assert len(await stored_executions(dsn)) == sum(taken_on for _, taken_on in ends)
    orphans = "SELECT 1 FROM prompt_executions e JOIN prompt_templates t ON t.id = template_id WHERE deleted_at < now()"
    assert await rows(dsn, orphans) == []
